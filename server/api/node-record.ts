import { nodeRecordTypes, type NodeRecordType } from '../domain/node-record.ts';
import type { FollowedNodeRecord } from '../events/node-records.ts';
import type { NodeRecordStore } from '../store/store.ts';
import { builder } from './builder.ts';
import { connectionOf, connectionType, pageArgs, readPageArgs } from './connections.ts';
import { NodeRef } from './node-list.ts';
import { source } from './source.ts';
import { enumOf } from './vocabulary.ts';

const NodeRecordTypeEnum = enumOf<NodeRecordType>('NodeRecordType', 'What happened to a node.', nodeRecordTypes);

const NodeRecordRef = builder.objectRef<FollowedNodeRecord>('NodeRecord').implement({
  role: 'VIEWER',
  description: 'Something that has happened to a node.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', {
      description:
        'Its place in the history: `nodeHistory(after:)` goes on behind it, `Node.history(after:)` goes back.',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    type: t.expose('type', { type: NodeRecordTypeEnum, description: 'What.' }),
    incarnation: t.exposeInt('incarnation', { description: 'The incarnation that the node had from then on.' }),
    actor: t.exposeString('actor', {
      nullable: true,
      description: 'The name of the token of who did it; null for what nobody did.',
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'Why, or what exactly; null where the type says it all.',
    }),
  }),
});

const NodeRecordConnection = connectionType<FollowedNodeRecord>('NodeRecord', NodeRecordRef, 'records of a node', {
  isCounted: false,
});

/** A page of the store, whose rows know their place. */
async function placed(page: ReturnType<NodeRecordStore['page']>) {
  const { rows, hasNextPage } = await page;
  return { rows: rows.map(({ row, cursor }) => ({ row: { ...row, cursor }, cursor })), hasNextPage };
}

builder.objectFields(NodeRef, (t) => ({
  history: t.field({
    type: NodeRecordConnection,
    args: pageArgs(),
    description: 'What has happened to it, newest first: the last 1,000 things at least. `nodeHistory` tells it live.',
    resolve: ({ name }, args, { ports }) =>
      connectionOf(readPageArgs(args), placed(ports.store.nodeRecords.page(name, readPageArgs(args)))),
  }),
}));

builder.subscriptionFields((t) => ({
  nodeHistory: t.field({
    type: NodeRecordRef,
    role: 'VIEWER',
    args: {
      name: t.arg.string({ description: 'What the node is called.' }),
      after: t.arg.string({ required: false, description: 'Goes on behind the record with this cursor.' }),
    },
    description: 'What happens to a node, oldest first. Without `after` it begins now.',
    subscribe: (_, { name, after }, context) =>
      source(context, (signal) => context.ports.events.followNodeRecords(name, after ?? undefined, signal)),
    resolve: (record) => record,
  }),
}));
