import type { TaskRun } from '../domain/task-run.ts';
import { parseTaskRunId, type TaskRunId } from '../domain/ids.ts';
import type { Pool } from '../domain/pool.ts';
import type { QueueFilter } from '../placement/queue-inspection.ts';
import { builder } from './builder.ts';
import { connectionType, pageArgs, readPageArgs, type Connection } from './connections.ts';
import type { ApiContext } from './context.ts';
import { badInput } from './errors.ts';
import { Tier, UnblockingRef } from './placement.ts';
import { queueCursor, readQueueCursor } from './queue-cursor.ts';
import type { QueueReason } from '../placement/explain.ts';
import { TaskRunRef } from './task-run-list.ts';
import { ReasonRef } from './vocabulary.ts';

/** A task run in its pool's queue. */
export interface QueueEntry {
  /** From 1. */
  readonly position: number;
  readonly since: number;
  readonly priority: number;
  readonly taskRun: TaskRun;
  /** Null when it has been placed meanwhile. */
  readonly reason: QueueReason | null;
}

const QueueEntryRef = builder.objectRef<QueueEntry>('QueueEntry').implement({
  role: 'VIEWER',
  description: 'A task run that waits in the queue of its pool.',
  fields: (t) => ({
    position: t.exposeInt('position', { description: 'Its place by priority and waiting, from 1.' }),
    since: t.expose('since', { type: 'DateTime', description: 'Since when it has been READY.' }),
    priority: t.exposeInt('priority', { description: 'Its run’s priority: higher goes first.' }),
    taskRun: t.field({ type: TaskRunRef, description: 'What waits.', resolve: ({ taskRun }) => taskRun }),
    tier: t.field({
      type: Tier,
      nullable: true,
      description: 'The layer that keeps it; null when it has just been placed.',
      resolve: ({ reason }) => reason?.tier ?? null,
    }),
    summary: t.field({
      type: ReasonRef,
      description:
        'What keeps it, in a sentence. In a pool of many nodes only some are looked at one by one; ' +
        '`placement` of the task run looks at all.',
      resolve: ({ reason }) => reason?.summary ?? { code: 'PLACED', message: 'It has just been placed.' },
    }),
    unblock: t.field({
      type: [UnblockingRef],
      description: 'What would help, the most promising first.',
      resolve: ({ reason }) => [...(reason?.unblock ?? [])],
    }),
  }),
});

export const QueueConnection = connectionType<QueueEntry>('QueueEntry', QueueEntryRef, 'waiting task runs');

const QueueFilterInput = builder.inputType('QueueFilter', {
  description: 'Which of a queue. What is left out does not matter.',
  fields: (t) => ({
    pipeline: t.string({ required: false, description: 'The name of their pipeline.' }),
    run: t.id({ required: false, description: 'Their run.' }),
    tier: t.field({ type: Tier, required: false, description: 'The layer that keeps them.' }),
    code: t.string({
      required: false,
      description: 'The code of what keeps them: `NO_ROOM`. By tier or code only what `queueOverview` counts is found.',
    }),
  }),
});

/** The arguments of a queue. */
export const queueArgs = () => ({
  ...pageArgs(),
  ...builder.args((t) => ({
    skip: t.int({
      required: false,
      description: 'Leaves out so many, behind `after` if that is given: for a list that is scrolled to anywhere.',
    }),
    filter: t.field({ type: QueueFilterInput, required: false, description: 'Which ones.' }),
  })),
});

type QueueArgs = Parameters<typeof readPageArgs>[0] & {
  readonly skip?: number | null | undefined;
  readonly filter?: typeof QueueFilterInput.$inferInput | null | undefined;
};

/** What was left out or is null is absent. */
const readFilter = (filter: QueueArgs['filter']): QueueFilter =>
  Object.fromEntries(Object.entries(filter ?? {}).filter(([, value]) => (value ?? null) !== null));

/** A page of a pool's queue; null when this server does not run the pool. */
export async function pageOfQueue(
  { name }: Pool,
  { skip, filter, ...given }: QueueArgs,
  { ports, loaders }: Pick<ApiContext, 'ports' | 'loaders'>,
): Promise<Connection<QueueEntry> | null> {
  const { placement } = ports;
  const args = readPageArgs(given);
  if ((skip ?? 0) < 0) throw badInput(`\`skip\` is a number from 0, not ${skip}.`);
  const after = args.after === undefined ? null : readQueueCursor(args.after);
  const page = placement.queuePage(name, { first: args.first, after, skip: skip ?? 0 }, readFilter(filter));
  if (page === null) return null;
  const { entries, before, hasMore, total } = page;
  const taskRuns = await Promise.all(entries.map(({ key }) => loaders.taskRuns.load(parseTaskRunId(key)!)));
  const rows = entries.flatMap((entry, at) => {
    const taskRun = taskRuns[at];
    // It is queued before its row is written: what has only just come is on the next page that is asked for.
    if (!taskRun) return [];
    const { readySince, priority } = entry;
    const reason = placement.reasonOf(name, entry.key as TaskRunId);
    const row: QueueEntry = { position: before[at]! + 1, since: readySince, priority, taskRun, reason };
    return { row, cursor: queueCursor(entry) };
  });
  return { page: { rows, hasNextPage: hasMore }, args, count: () => Promise.resolve(total) };
}
