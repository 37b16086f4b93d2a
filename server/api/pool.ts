import type { Pool } from '../domain/pool.ts';
import { builder } from './builder.ts';
import { connectionOf, pageArgs, readPageArgs } from './connections.ts';
import type { PoolStatus } from './context.ts';
import { NodeConnection } from './node-list.ts';
import { enumOf, ReasonRef } from './vocabulary.ts';

const SchedulerState = enumOf<PoolStatus['schedulerState']>('SchedulerState', 'Whether a pool’s scheduler works.', {
  HEALTHY: 'It does.',
  FAULTY: 'It fails; a fallback places its pool’s tasks.',
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
    reason: t.field({
      type: ReasonRef,
      nullable: true,
      description: 'Why it does not.',
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
    queueLength: t.int({
      nullable: true,
      description: 'How many task runs are READY; null when another server runs the pool.',
      resolve: ({ name }, _, { ports }) => ports.placement.status(name)?.queueLength ?? null,
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
