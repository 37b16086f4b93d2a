import {
  diskFullOf,
  type NodeConnection as Connection,
  type NodeEligibility as Eligibility,
  type NodeRunner,
} from '../domain/node.ts';
import { builder } from './builder.ts';
import { connectionOf, MAX_PAGE, pageArgs, readPageArgs } from './connections.ts';
import { NodeConnection, NodeRef } from './node-list.ts';
import { TaskRunRef } from './task-run-list.ts';
import { amountsOf, enumOf, LabelRef, labelsOf, ResourceAmountRef, TaintRef } from './vocabulary.ts';

const NodeConnectionState = enumOf<Connection>('NodeConnectionState', 'Whether the server hears from a node.', {
  READY: 'It does.',
  SUSPECT: 'Not for a while: it gets no new work.',
  LOST: 'Not for so long that its attempts are given up.',
});

const NodeEligibility = enumOf<Eligibility>('NodeEligibility', 'Whether new work may go to a node.', {
  ELIGIBLE: 'It may.',
  CORDONED: 'Somebody said no. What runs there goes on.',
});

const RunnerHealth = enumOf<NodeRunner['health']>('RunnerHealth', 'Whether a runner can be used on a node.', {
  HEALTHY: 'It can.',
  UNHEALTHY: 'It is there, but cannot be used at the moment.',
  ABSENT: 'What it needs is not installed there.',
});

const NodeRunnerRef = builder.objectRef<NodeRunner>('NodeRunner').implement({
  role: 'VIEWER',
  description: 'A runner that a node offers.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The runner plugin’s name.' }),
    version: t.exposeString('version', { description: 'The plugin’s version there.' }),
    health: t.field({ type: RunnerHealth, description: 'Whether it can be used.', resolve: ({ health }) => health }),
    message: t.string({
      nullable: true,
      description: 'Why it cannot.',
      resolve: ({ message }) => message ?? null,
    }),
    enforces: t.stringList({
      description: 'The resources whose limits it really enforces.',
      resolve: ({ enforces }) => [...(enforces ?? [])],
    }),
  }),
});

const NodeConditionType = enumOf<'DISK_FULL'>('NodeConditionType', 'What may be wrong with a node.', {
  DISK_FULL: 'The disk that it works on is full: it gets no new work until there is room.',
});

const NodeConditionRef = builder
  .objectRef<{ readonly type: 'DISK_FULL'; readonly message: string }>('NodeCondition')
  .implement({
    role: 'VIEWER',
    description: 'Something that is wrong with a node, as its agent has found it.',
    fields: (t) => ({
      type: t.expose('type', { type: NodeConditionType, description: 'What it is.' }),
      message: t.exposeString('message', { description: 'The same in a sentence, with amounts.' }),
    }),
  });

NodeRef.implement({
  role: 'VIEWER',
  description: 'A machine that executes attempts.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it is called.' }),
    poolName: t.exposeString('pool', { description: 'The name of its pool.' }),
    revision: t.exposeFloat('revision', {
      description:
        'Grows with every change of the node while it is in one pool: of two answers about it, the one with the higher ' +
        'revision is newer.',
    }),
    connection: t.expose('connection', {
      type: NodeConnectionState,
      description: 'Whether the server hears from it.',
    }),
    eligibility: t.expose('eligibility', { type: NodeEligibility, description: 'Whether new work may go there.' }),
    capacity: t.field({
      type: [ResourceAmountRef],
      description: 'What it has.',
      resolve: ({ capacity }) => amountsOf(capacity),
    }),
    reserved: t.field({
      type: [ResourceAmountRef],
      description: 'What its live attempts hold of that.',
      resolve: ({ reserved }) => amountsOf(reserved),
    }),
    runningCount: t.exposeInt('runningCount', { description: 'How many live attempts it has.' }),
    labels: t.field({ type: [LabelRef], description: 'Its labels.', resolve: ({ labels }) => labelsOf(labels) }),
    taints: t.field({ type: [TaintRef], description: 'What keeps work away.', resolve: ({ taints }) => [...taints] }),
    conditions: t.field({
      type: [NodeConditionRef],
      extensions: { expectedLength: 1 },
      description: 'What is wrong with it. Empty for a sound node.',
      resolve: (node) => {
        const full = diskFullOf(node);
        return full === null ? [] : [{ type: 'DISK_FULL' as const, message: `Its disk is full: ${full}.` }];
      },
    }),
    runners: t.field({
      type: [NodeRunnerRef],
      description: 'The runners that it offers.',
      resolve: ({ runners }) => [...runners],
    }),
    agentVersion: t.exposeString('agentVersion', { description: 'The version of its agent.' }),
    incarnation: t.exposeInt('incarnation', { description: 'How often its agent has been started.' }),
    registeredAt: t.expose('registeredAt', { type: 'DateTime', description: 'When it came for the first time.' }),
    heardAt: t.expose('heardAt', { type: 'DateTime', description: 'When the server last heard from it.' }),
    taskRuns: t.field({
      type: [TaskRunRef],
      args: {
        first: t.arg.int({ required: false, description: `How many at most; 50 unless told, ${MAX_PAGE} at most.` }),
      },
      description: 'Task runs with a live attempt there, oldest assignment first.',
      resolve: async ({ name }, args, { ports }) => [
        ...(await ports.store.taskRuns.onNode(name, readPageArgs(args).first)),
      ],
    }),
  }),
});

const NodeFilter = builder.inputType('NodeFilter', {
  description: 'Which nodes.',
  fields: (t) => ({ pool: t.string({ required: false, description: 'The name of their pool.' }) }),
});

builder.queryFields((t) => ({
  nodes: t.field({
    type: NodeConnection,
    role: 'VIEWER',
    args: { ...pageArgs(), filter: t.arg({ type: NodeFilter, required: false, description: 'Which ones.' }) },
    description: 'Nodes by name.',
    resolve: (_, { filter, ...args }, { ports }) => {
      const wanted = typeof filter?.pool === 'string' ? { pool: filter.pool } : {};
      return connectionOf(readPageArgs(args), ports.store.nodes.page(readPageArgs(args), wanted), () =>
        ports.store.nodes.count(wanted),
      );
    },
  }),
  node: t.field({
    type: NodeRef,
    role: 'VIEWER',
    nullable: true,
    args: { name: t.arg.string({ description: 'What it is called.' }) },
    description: 'One node; null when there is none of this name.',
    resolve: (_, { name }, { loaders }) => loaders.nodes.load(name),
  }),
}));
