import type { Sample } from '../simulation/meter.ts';
import { ownTraceOf } from '../simulation/own-trace.ts';
import type { Distribution } from '../simulation/summary.ts';
import { builder } from './builder.ts';
import type { ApiContext, Replay } from './context.ts';
import { badInput, notFound } from './errors.ts';
import { SchedulerChoiceRef } from './pool.ts';
import { objectOf, SchedulerChoiceInput } from './update-pool.ts';

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

async function replay(input: typeof ReplayInput.$inferInput, { ports, loaders }: ApiContext): Promise<Replay> {
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
  const replayed = await ports.simulation.replay(name, input.from, input.to ?? ports.clock.now(), choices);
  if (replayed === null) throw badInput('The period has more than 20000 task runs: choose a shorter one.');
  return replayed;
}

builder.queryFields((t) => ({
  replay: t.field({
    type: ReplayRef,
    role: 'OPERATOR',
    args: { input: t.arg({ type: ReplayInput, description: 'Which period, and by whom.' }) },
    description:
      'What a pool did in a period, done again by other schedulers on the nodes of now: each task run that was executed, ' +
      'for as long as it took. Changes nothing.',
    resolve: (_, { input }, context) => replay(input, context),
  }),
}));
