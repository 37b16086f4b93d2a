import type { Pool } from '../domain/pool.ts';
import { builder } from './builder.ts';
import type { ApiPorts } from './context.ts';
import { notFound } from './errors.ts';
import { PoolRef } from './pool.ts';
import { source } from './source.ts';

/** A pool's queue is not what it was. Of several that wait for a slow reader, the last is enough. */
interface QueueChange {
  readonly type: string;
  /** Leads nowhere: what has changed is not told, only that it has. */
  readonly cursor: '';
  readonly at: number;
}

/** The least time between two changes that are told. Milliseconds. */
const PAUSE_MS = 1_000;

/** Tells whenever what waits, or why, may have become another; begins with the present. */
async function* queueChanges(pool: string, ports: ApiPorts, signal: AbortSignal): AsyncGenerator<QueueChange> {
  let before: object | null = null;
  let isFirst = true;
  while (!signal.aborted) {
    const mark = ports.placement.queueMark(pool);
    if (isFirst || mark !== before) yield { type: 'queue.changed', cursor: '', at: ports.clock.now() };
    isFirst = false;
    before = mark;
    await ports.clock.sleep(PAUSE_MS, signal).catch(() => undefined);
  }
}

const QueueEventRef = builder.objectRef<{ readonly at: number; readonly pool: Pool | null }>('QueueEvent').implement({
  role: 'VIEWER',
  description: 'A pool’s queue has changed.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When that was noticed.' }),
    pool: t.field({
      type: PoolRef,
      nullable: true,
      description: 'The pool as it is now: ask for what you show of its queue.',
      resolve: ({ pool }) => pool,
    }),
  }),
});

builder.subscriptionFields((t) => ({
  queue: t.field({
    type: QueueEventRef,
    role: 'VIEWER',
    args: { pool: t.arg.string({ description: 'The pool’s name.' }) },
    description:
      'Tells that the queue of a pool, or why something waits in it, may have changed: now, and then at most once a second.',
    extensions: { sharing: 'FROM_NOW_WITH_FIRST' },
    subscribe: async (_, { pool }, context) => {
      if ((await context.loaders.pools.load(pool)) === null) throw notFound(`There is no pool “${pool.slice(0, 64)}”.`);
      return source(context, (signal) => queueChanges(pool, context.ports, signal));
    },
    resolve: async ({ at }, { pool }, { loaders }) => ({ at, pool: await loaders.pools.load(pool) }),
  }),
}));
