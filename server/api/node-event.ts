import type { FollowedEvent } from '../events/follow.ts';
import { builder } from './builder.ts';
import { NodeRef } from './node-list.ts';
import { source } from './source.ts';

type NodeEvent = Exclude<FollowedEvent, { run: unknown }>;

const NodeEventRef = builder.objectRef<NodeEvent>('NodeEvent').implement({
  role: 'VIEWER',
  description: 'A node has changed.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Hand it in as `after` to go on behind this event.' }),
    type: t.exposeString('type', {
      description: 'What happened: `node.changed`, `node.lost`, … `RESYNC`: some events were dropped; read anew.',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was committed.' }),
    node: t.field({
      type: NodeRef,
      nullable: true,
      description: 'The node as it is now; null with RESYNC.',
      resolve: (event, _, { loaders }) => ('node' in event ? loaders.nodes.load(event.node) : null),
    }),
  }),
});

builder.subscriptionFields((t) => ({
  nodes: t.field({
    type: NodeEventRef,
    role: 'VIEWER',
    args: {
      pool: t.arg.string({ required: false, description: 'Only nodes of the pool of this name.' }),
      after: t.arg.string({ required: false, description: 'Goes on behind the event with this cursor.' }),
    },
    description: 'Nodes as they come, go and change. Without `after` it begins now.',
    extensions: { sharing: 'FROM_NOW' },
    subscribe: (_, { pool, after }, context) =>
      source(
        context,
        (signal) =>
          context.ports.events.followNodes(pool ?? undefined, after ?? undefined, signal) as AsyncIterable<NodeEvent>,
      ),
    resolve: (event) => event,
  }),
}));

const NodeLoadsRef = builder
  .objectRef<{ readonly at: number; readonly nodes: readonly string[] }>('NodeLoads')
  .implement({
    role: 'VIEWER',
    description: 'Nodes hold more or less than before.',
    fields: (t) => ({
      at: t.expose('at', { type: 'DateTime', description: 'When that was told.' }),
      nodes: t.field({
        type: [NodeRef],
        description: 'These, as they are now, by name.',
        resolve: async ({ nodes }, _, { loaders }) => {
          const found = await Promise.all(nodes.map((name) => loaders.nodes.load(name)));
          return found.filter((node) => node !== null);
        },
      }),
    }),
  });

builder.subscriptionFields((t) => ({
  nodeLoads: t.field({
    type: NodeLoadsRef,
    role: 'VIEWER',
    args: { pool: t.arg.string({ required: false, description: 'Only nodes of the pool of this name.' }) },
    description:
      'Nodes on which attempts begin and end: what is `reserved` there has changed. At most once a second; begins now.',
    subscribe: (_, { pool }, context) =>
      source(context, (signal) => context.ports.events.followLoads(pool ?? undefined, signal)),
    resolve: (nodes, _, { ports }) => ({ at: ports.clock.now(), nodes }),
  }),
}));
