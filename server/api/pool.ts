import type { Pool, SchedulerChoice } from '../domain/pool.ts';
import type { ShadowReport } from '../placement/shadow.ts';
import { builder } from './builder.ts';
import { connectionOf, pageArgs, readPageArgs } from './connections.ts';
import type { PoolStatus } from './context.ts';
import { NodeConnection } from './node-list.ts';
import { pageOfQueue, queueArgs, QueueConnection } from './queue.ts';
import { enumOf, ReasonRef } from './vocabulary.ts';

const SchedulerState = enumOf<PoolStatus['schedulerState']>('SchedulerState', 'Whether a pool’s scheduler works.', {
  HEALTHY: 'It does.',
  FAULTY: 'It fails; a fallback places its pool’s tasks.',
});

export const SchedulerChoiceRef = builder.objectRef<SchedulerChoice>('SchedulerChoice').implement({
  role: 'VIEWER',
  description: 'A scheduler and its config.',
  fields: (t) => ({
    scheduler: t.exposeString('scheduler', { description: 'The plugin’s name.' }),
    config: t.field({ type: 'JSON', description: 'Its config.', resolve: ({ config }) => config }),
  }),
});

const DivergenceRef = builder.objectRef<ShadowReport['divergences'][number]>('Divergence').implement({
  role: 'VIEWER',
  description: 'A task run that the shadow would have placed elsewhere.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When both decided.' }),
    taskRunId: t.exposeID('taskRun', { description: 'The task run.' }),
    nodeName: t.exposeString('node', { nullable: true, description: 'Where the scheduler sent it; null for nowhere.' }),
    shadowNodeName: t.exposeString('shadowNode', {
      nullable: true,
      description: 'Where the shadow would have sent it; null for nowhere.',
    }),
  }),
});

interface PoolShadow {
  readonly choice: SchedulerChoice;
  readonly report: ShadowReport | null;
}
const PoolShadowRef = builder.objectRef<PoolShadow>('PoolShadow').implement({
  role: 'VIEWER',
  description:
    'A scheduler that decides beside a pool’s own; nothing comes of it. Counted since its server has run the pool.',
  fields: (t) => ({
    name: t.string({ description: 'The plugin’s name.', resolve: ({ choice }) => choice.scheduler }),
    config: t.field({ type: 'JSON', description: 'Its config.', resolve: ({ choice }) => choice.config }),
    version: t.string({
      nullable: true,
      description: 'The plugin’s version; null when it is not at work here.',
      resolve: ({ report }) => report?.version ?? null,
    }),
    state: t.field({
      type: SchedulerState,
      nullable: true,
      description: 'Whether it works.',
      resolve: ({ report }) => report?.state ?? null,
    }),
    compared: t.int({
      description: 'Task runs on which both decided.',
      resolve: ({ report }) => report?.compared ?? 0,
    }),
    divergenceCount: t.int({
      description: 'How many of them it would have placed elsewhere.',
      resolve: ({ report }) => report?.divergenceCount ?? 0,
    }),
    divergences: t.field({
      type: [DivergenceRef],
      description: 'The last 100 of them, newest first.',
      resolve: ({ report }) => [...(report?.divergences ?? [])],
    }),
  }),
});

interface PoolScheduler {
  readonly pool: Pool;
  readonly status: PoolStatus | null;
}

const PoolSchedulerRef = builder.objectRef<PoolScheduler>('PoolScheduler').implement({
  role: 'VIEWER',
  description: 'The plugin that decides which task run of a pool goes to which node.',
  fields: (t) => ({
    name: t.string({ description: 'The plugin’s name.', resolve: ({ pool }) => pool.scheduler }),
    version: t.string({
      nullable: true,
      description: 'The plugin’s version; null when another server runs the pool.',
      resolve: ({ status }) => status?.schedulerVersion ?? null,
    }),
    config: t.field({ type: 'JSON', description: 'Its config.', resolve: ({ pool }) => pool.schedulerConfig }),
    state: t.field({
      type: SchedulerState,
      nullable: true,
      description: 'Whether it works; null when another server runs the pool.',
      resolve: ({ status }) => status?.schedulerState ?? null,
    }),
    calls: t.int({
      description: 'How often it has been asked since its server has run the pool.',
      resolve: ({ status }) => status?.schedulerCounts.calls ?? 0,
    }),
    decisions: t.int({
      description: 'How many decisions it has made since then.',
      resolve: ({ status }) => status?.schedulerCounts.decisions ?? 0,
    }),
    refusals: t.int({
      description: 'How many of them were refused, because they were wrong.',
      resolve: ({ status }) => status?.schedulerCounts.refusals ?? 0,
    }),
    faults: t.int({
      description: 'How many of its calls failed: thrown, too slow, nonsense, or with refusals.',
      resolve: ({ status }) => status?.schedulerCounts.faults ?? 0,
    }),
    reason: t.field({
      type: ReasonRef,
      nullable: true,
      description: 'Why it does not; when it works, what its last fault was.',
      resolve: ({ status }) => status?.schedulerReason ?? null,
    }),
  }),
});

export const PoolRef = builder.objectRef<Pool>('Pool').implement({
  role: 'VIEWER',
  description: 'A named group of nodes with one scheduler and its queue. A run belongs to one pool.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it is called.' }),
    scheduler: t.field({
      type: PoolSchedulerRef,
      description: 'Its scheduler.',
      resolve: (pool, _, { ports }) => ({ pool, status: ports.placement.status(pool.name) }),
    }),
    shadow: t.field({
      type: PoolShadowRef,
      nullable: true,
      description: 'The scheduler that decides beside it, to be compared; null when there is none.',
      resolve: ({ name, shadow }, _, { ports }) =>
        shadow && { choice: shadow, report: ports.placement.status(name)?.shadow ?? null },
    }),
    idempotent: t.exposeBoolean('idempotent', {
      nullable: true,
      description:
        'Whether tasks that do not say so themselves may be done again when nobody knows what an attempt has done; ' +
        'null: their runner says so.',
    }),
    queueLength: t.int({
      nullable: true,
      description: 'How many task runs are READY; null when another server runs the pool.',
      resolve: ({ name }, _, { ports }) => ports.placement.status(name)?.queueLength ?? null,
    }),
    queue: t.field({
      type: QueueConnection,
      nullable: true,
      args: queueArgs(),
      description: 'What waits, the most urgent first; null when another server runs the pool.',
      resolve: (pool, args, context) => pageOfQueue(pool, args, context),
    }),
    nodes: t.field({
      type: NodeConnection,
      args: pageArgs(),
      description: 'Its nodes, by name.',
      resolve: ({ name }, args, { ports }) =>
        connectionOf(readPageArgs(args), ports.store.nodes.page(readPageArgs(args), { pool: name }), () =>
          ports.store.nodes.count({ pool: name }),
        ),
    }),
  }),
});

builder.queryFields((t) => ({
  pools: t.field({
    type: [PoolRef],
    role: 'VIEWER',
    description: 'All pools.',
    resolve: async (_, _args, { ports }) => [...(await ports.store.pools.all())],
  }),
  pool: t.field({
    type: PoolRef,
    role: 'VIEWER',
    nullable: true,
    args: { name: t.arg.string({ description: 'What it is called.' }) },
    description: 'One pool; null when there is none of this name.',
    resolve: (_, { name }, { loaders }) => loaders.pools.load(name),
  }),
}));
