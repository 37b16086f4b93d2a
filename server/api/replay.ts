import type { Sample } from '../simulation/meter.ts';
import { ReplayFault } from '../simulation/replay-fault.ts';
import { ownTraceOf } from '../simulation/own-trace.ts';
import type { Distribution } from '../simulation/summary.ts';
import { builder } from './builder.ts';
import type { ApiContext, Replay, ReplayProgress } from './context.ts';
import { badInput, notFound, tooMany } from './errors.ts';
import { SchedulerChoiceRef } from './pool.ts';
import { source } from './source.ts';
import { objectOf, SchedulerChoiceInput } from './update-pool.ts';
import { enumOf } from './vocabulary.ts';

const DistributionRef = builder.objectRef<Distribution>('Distribution').implement({
  role: 'VIEWER',
  description: 'How values are spread.',
  fields: (t) => ({
    mean: t.exposeFloat('mean', { description: 'Their mean.' }),
    p50: t.exposeFloat('p50', { description: 'Half are at most this.' }),
    p95: t.exposeFloat('p95', { description: '95 of 100 are at most this.' }),
    p99: t.exposeFloat('p99', { description: '99 of 100 are at most this.' }),
    max: t.exposeFloat('max', { description: 'The greatest.' }),
  }),
});

interface Share {
  readonly resource: string;
  readonly share: number;
}
const ShareRef = builder.objectRef<Share>('ResourceShare').implement({
  role: 'VIEWER',
  description: 'A share of a resource, from 0 to 1.',
  fields: (t) => ({
    resource: t.exposeString('resource', { description: 'Its name.' }),
    share: t.exposeFloat('share', { description: 'The share.' }),
  }),
});
const sharesOf = (shares: Readonly<Record<string, number>>): Share[] =>
  Object.keys(shares)
    .sort()
    .map((resource) => ({ resource, share: shares[resource]! }));

const SampleRef = builder.objectRef<Sample>('ReplaySample').implement({
  role: 'VIEWER',
  description: 'How things stood at a moment of a replay.',
  fields: (t) => ({
    at: t.field({ type: 'Duration', description: 'Since its beginning.', resolve: ({ at }) => at }),
    pending: t.exposeInt('pending', { description: 'How many waited.' }),
    running: t.exposeInt('running', { description: 'How many ran.' }),
    utilization: t.field({
      type: [ShareRef],
      description: 'What was in use of what there was.',
      resolve: ({ utilization }) => sharesOf(utilization),
    }),
    fragmentation: t.field({
      type: [ShareRef],
      description: 'What was free and of no use to tasks like those of the replay.',
      resolve: ({ fragmentation }) => sharesOf(fragmentation),
    }),
  }),
});

type Result = Replay['results'][number];
const ReplayPendingRef = builder.objectRef<Result['summary']['pending'][number]>('ReplayPending').implement({
  role: 'VIEWER',
  description: 'A task run that still waited when nothing more happened.',
  fields: (t) => ({
    taskRunId: t.exposeID('key', { description: 'The task run that was done again.' }),
    message: t.exposeString('message', { description: 'Why it waited.' }),
  }),
});

const ReplayResultRef = builder.objectRef<Result>('ReplayResult').implement({
  role: 'VIEWER',
  description: 'How a scheduler did.',
  fields: (t) => ({
    choice: t.field({ type: SchedulerChoiceRef, description: 'The scheduler.', resolve: (result) => result }),
    version: t.exposeString('version', { description: 'The plugin’s version.' }),
    faults: t.exposeInt('faults', { description: 'Calls of it that failed.' }),
    ended: t.int({ description: 'How many task runs ended.', resolve: ({ summary }) => summary.ended }),
    makespan: t.field({
      type: 'Duration',
      description: 'From the first arrival to the last end.',
      resolve: ({ summary }) => summary.makespanMs,
    }),
    waitMs: t.field({
      type: DistributionRef,
      description: 'From READY to the start, in milliseconds.',
      resolve: ({ summary }) => summary.wait,
    }),
    slowdown: t.field({
      type: DistributionRef,
      description: 'How many times as long as it had to each took; short ones count as ten seconds.',
      resolve: ({ summary }) => summary.slowdown,
    }),
    utilization: t.field({
      type: [ShareRef],
      description: 'Over time, while there was anything to do.',
      resolve: ({ summary }) => sharesOf(summary.utilization),
    }),
    fragmentation: t.field({
      type: [ShareRef],
      description: 'Mean of the samples.',
      resolve: ({ summary }) => sharesOf(summary.fragmentation),
    }),
    fairness: t.float({
      description: 'Jain’s index over the pipelines’ mean slowdowns: 1 when all were served alike.',
      resolve: ({ summary }) => summary.fairness,
    }),
    preemptions: t.int({ description: 'Attempts that made room.', resolve: ({ summary }) => summary.preemptions }),
    deadlineMisses: t.int({
      description: 'Task runs that ended too late; 0 where they have no deadlines.',
      resolve: ({ summary }) => summary.deadlineMisses,
    }),
    pending: t.field({
      type: [ReplayPendingRef],
      description: 'Why those waited that never started: the twenty most urgent.',
      resolve: ({ summary }) => [...summary.pending],
    }),
    samples: t.field({
      type: [SampleRef],
      description: 'At most 120 moments.',
      resolve: ({ summary }) => [...summary.samples],
    }),
  }),
});

const ReplayRef = builder.objectRef<Replay>('Replay').implement({
  role: 'VIEWER',
  description: 'What a pool did in a period, done again in virtual time by several schedulers.',
  fields: (t) => ({
    taskRunCount: t.exposeInt('taskRunCount', { description: 'How many task runs were done again.' }),
    recordedCount: t.exposeInt('recordedCount', {
      description: 'How many task runs the runs have that were created in the period and have ended.',
    }),
    sampledCount: t.exposeInt('sampledCount', {
      description:
        'How many of those belong to the runs that were taken: all of them, or of a busy period evenly spread stretches. ' +
        'Within a stretch runs arrive as they did, and the nodes are all there; what had been going on when a stretch ' +
        'began is left out, and the end of the stretch before goes on there instead.',
    }),
    stretches: t.exposeInt('stretches', {
      description: 'How many stretches of the period were taken; 1 when it is all of it.',
    }),
    trace: t.field({
      type: 'JSON',
      description: 'What was done, as a trace that `gantry replay` takes.',
      resolve: ({ workload }) => ownTraceOf(workload),
    }),
    results: t.field({
      type: [ReplayResultRef],
      description: 'One for each scheduler, in the order asked for.',
      resolve: ({ results }) => [...results],
    }),
  }),
});

const ReplayInput = builder.inputType('ReplayInput', {
  description: 'Which period of which pool, and who is to do it again.',
  fields: (t) => ({
    pool: t.string({ required: false, defaultValue: 'default', description: 'Which pool.' }),
    from: t.field({ type: 'DateTime', description: 'Runs that were created later than this.' }),
    to: t.field({ type: 'DateTime', required: false, description: 'And earlier than this; default: now.' }),
    schedulers: t.field({ type: [SchedulerChoiceInput], description: 'At most ten.' }),
  }),
});

const MAX_SCHEDULERS = 10;

type Input = typeof ReplayInput.$inferInput;
type OnProgress = (progress: Progressed) => void;

/** Who has a replay under way. One takes a processor for minutes. */
const underWay = new WeakMap<ApiContext['ports'], Set<string>>();

async function replay(
  input: Input,
  { ports, loaders, viewer }: ApiContext,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<Replay> {
  const name = input.pool ?? 'default';
  if ((await loaders.pools.load(name)) === null) throw notFound(`There is no pool “${name.slice(0, 64)}”.`);
  const choices = input.schedulers.map(({ scheduler, config }) => ({
    scheduler,
    config: objectOf(config ?? {}, 'config'),
  }));
  if (choices.length === 0 || choices.length > MAX_SCHEDULERS) {
    throw badInput(`Name from 1 to ${MAX_SCHEDULERS} schedulers, not ${choices.length}.`);
  }
  const [problem] = choices.flatMap((choice) => ports.schedulers.check(choice));
  if (problem) throw badInput(`${problem.message} ${problem.remedy ?? ''}`.trim());
  const busy = underWay.get(ports) ?? new Set();
  underWay.set(ports, busy);
  if (busy.has(viewer.tokenId)) {
    throw tooMany('A replay of this token is under way. Wait until it has ended, or end it by leaving it.');
  }
  busy.add(viewer.tokenId);
  try {
    const to = input.to ?? ports.clock.now();
    return await ports.simulation.replay(name, input.from, to, choices, { signal, onProgress });
  } catch (error) {
    throw error instanceof ReplayFault ? badInput(error.message) : error;
  } finally {
    busy.delete(viewer.tokenId);
  }
}

builder.queryFields((t) => ({
  replay: t.field({
    type: ReplayRef,
    role: 'OPERATOR',
    args: { input: t.arg({ type: ReplayInput, description: 'Which period, and by whom.' }) },
    description:
      'What a pool did in a period, done again by other schedulers on the nodes of now: each task run that was executed, ' +
      'for as long as it took. Changes nothing. Answers when it is done: the subscription of the same name tells how far ' +
      'it is. One at a time for each token.',
    resolve: (_, { input }, context) =>
      replay(input, context, context.signal ?? new AbortController().signal, () => undefined),
  }),
}));

const ReplayPhase = enumOf<ReplayProgress['phase'] | 'DONE'>('ReplayPhase', 'What a replay is at.', {
  READING: 'It looks through the runs of the period.',
  REPLAYING: 'A scheduler does the work.',
  DONE: 'All have done it.',
});

/** How far a replay is, and at the end what came of it. */
type Progressed = Omit<ReplayProgress, 'phase'> & {
  readonly phase: ReplayProgress['phase'] | 'DONE';
  readonly replay?: Replay;
};

const ReplayEventRef = builder.objectRef<Progressed>('ReplayEvent').implement({
  role: 'VIEWER',
  description: 'How far a replay is.',
  fields: (t) => ({
    phase: t.field({ type: ReplayPhase, description: 'What it is at.', resolve: ({ phase }) => phase }),
    share: t.exposeFloat('share', { description: 'How much of that is done, from 0 to 1.' }),
    scheduler: t.exposeString('scheduler', { nullable: true, description: 'Who does the work.' }),
    replay: t.field({
      type: ReplayRef,
      nullable: true,
      description: 'What came of it; null until it is done.',
      resolve: (event) => event.replay ?? null,
    }),
  }),
});

/** What is told of a replay, the newest where the reader is slow; its end is told last. */
async function* replayEvents(input: Input, context: ApiContext, signal: AbortSignal): AsyncGenerator<Progressed> {
  let news: Progressed | null = null;
  let ring: () => void = () => undefined;
  let fault: { readonly error: unknown } | null = null;
  const tell = (event: Progressed): void => {
    news = event;
    ring();
  };
  replay(input, context, signal, tell).then(
    (done) => tell({ phase: 'DONE', scheduler: null, share: 1, replay: done }),
    (error: unknown) => {
      fault = { error };
      ring();
    },
  );
  for (;;) {
    if (news === null && fault === null) await new Promise<void>((resolve) => (ring = resolve));
    if (signal.aborted) return;
    const event = news as Progressed | null;
    news = null;
    if (event !== null) yield event;
    else if (fault !== null) throw (fault as { readonly error: unknown }).error;
    if (event?.phase === 'DONE') return;
  }
}

builder.subscriptionFields((t) => ({
  replay: t.field({
    type: ReplayEventRef,
    role: 'OPERATOR',
    args: { input: t.arg({ type: ReplayInput, description: 'Which period, and by whom.' }) },
    description:
      'Does a replay in the background: how far it is, a few times a second, and at last what came of it. Who ends the ' +
      'subscription ends the replay. One at a time for each token.',
    subscribe: (_, { input }, context) => source(context, (signal) => replayEvents(input, context, signal)),
    resolve: (event) => event,
  }),
}));
