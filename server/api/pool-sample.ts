import { builder } from './builder.ts';
import type { PoolSample } from './context.ts';
import { notFound } from './errors.ts';
import { PoolRef } from './pool.ts';
import { source } from './source.ts';

/** So many are answered at most: more than a chart has columns for. */
const MAX_SAMPLES = 240;
const HOUR_MS = 3_600_000;

const UsageRef = builder.objectRef<PoolSample['utilization'][number]>('PoolResource').implement({
  role: 'VIEWER',
  description: 'How much of a resource is in use on the nodes that take work.',
  fields: (t) => ({
    resource: t.exposeString('resource', { description: 'Its name.' }),
    capacity: t.exposeFloat('capacity', {
      description: 'What there is; `cpu` and `gpu` in thousandths, `memory` and `disk` in bytes.',
    }),
    held: t.exposeFloat('held', { description: 'What attempts hold of it.' }),
  }),
});

const PoolSampleRef = builder.objectRef<PoolSample>('PoolSample').implement({
  role: 'VIEWER',
  description: 'How a pool stood at a moment.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    queueLength: t.exposeInt('queueLength', { description: 'Task runs that were READY.' }),
    runningCount: t.exposeInt('runningCount', { description: 'Attempts that held a node.' }),
    resources: t.field({
      type: [UsageRef],
      description: 'What they held, by resource.',
      resolve: ({ utilization }) => [...utilization],
    }),
  }),
});

/** As many as there are columns for, evenly, and always the last. */
function thinned(samples: readonly PoolSample[]): PoolSample[] {
  const step = Math.ceil(samples.length / MAX_SAMPLES);
  return samples.filter((_, at) => (samples.length - 1 - at) % Math.max(1, step) === 0);
}

builder.objectFields(PoolRef, (t) => ({
  samples: t.field({
    type: [PoolSampleRef],
    args: {
      last: t.arg({
        type: 'Duration',
        required: false,
        description: 'How far back: an hour unless told, a day at most.',
      }),
    },
    description:
      'How it stood of late, oldest first, 240 at most; since its server was started. Empty when another server runs it.',
    resolve: ({ name }, { last }, { ports: { history, clock } }) =>
      thinned(history.since(name, clock.now() - (last ?? HOUR_MS))),
  }),
}));

builder.subscriptionFields((t) => ({
  poolSamples: t.field({
    type: PoolSampleRef,
    role: 'VIEWER',
    args: { pool: t.arg.string({ description: 'The name of the pool.' }) },
    description: 'How a pool stands: at once, and then every five seconds.',
    subscribe: async (_, { pool }, context) => {
      const known = await context.ports.store.pools.byName(pool);
      if (known === null) throw notFound(`There is no pool “${pool.slice(0, 64)}”. \`pools\` lists what there is.`);
      return source(context, (signal) => context.ports.history.follow(known.name, signal));
    },
    resolve: (sample) => sample,
  }),
}));
