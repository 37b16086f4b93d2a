import type { PlacementVerdict } from '../domain/standing.ts';
import { builder } from './builder.ts';
import type { NodeVerdict, Obstacle, Unblocking } from '../placement/explain.ts';
import type { NamedCandidate } from '../placement/rerun.ts';
import { DecisionRef } from './decision.ts';
import type { PlacementAnswer } from './explain-task-run.ts';
import { enumOf, ReasonRef } from './vocabulary.ts';

const Verdict = enumOf<PlacementVerdict>('PlacementVerdict', 'Where a task run stands on its way to a node.', {
  WAITING: 'It is not in the queue yet.',
  PENDING: 'It is in the queue of its pool.',
  PLACED: 'It is on a node.',
  ENDED: 'It is done, or never to be.',
});

/** What keeps a task run from a node. */
export const Tier = enumOf<NonNullable<PlacementAnswer['tier']>>(
  'PlacementTier',
  'What keeps a task run from a node, from the outermost layer inwards.',
  {
    NEEDS: 'Tasks that it needs have not ended.',
    PAUSE: 'Its run is paused.',
    BACKOFF: 'It has failed, and is tried again at a time.',
    HEALTH: 'Nodes or their runners do not work.',
    CONSTRAINT: 'The task wants another kind of node: selector, rules, taints.',
    CAPACITY: 'There is not enough of a resource.',
    LIMIT: 'A limit per node, a required spread or exclusive use.',
    GANG: 'There is no room for all of its gang at once.',
    SCHEDULER: 'The scheduler holds it back, or has chosen others.',
    QUEUE: 'It is nearly its turn.',
  },
);

const NodeVerdictKind = enumOf<NodeVerdict['verdict']>('NodeVerdictKind', 'Whether a node would do.', {
  FITS: 'It could go there now.',
  FULL: 'It could, if enough of what runs there ended.',
  REFUSED: 'The node will not do.',
});

const ShortfallRef = builder.objectRef<NonNullable<Obstacle['shortfall']>>('ResourceShortfall').implement({
  role: 'VIEWER',
  description: 'What is missing of a resource. `cpu` and `gpu` in thousandths, `memory` and `disk` in bytes.',
  fields: (t) => ({
    resource: t.exposeString('resource', { description: 'Its name.' }),
    need: t.exposeFloat('need', { description: 'What the task asks for.' }),
    free: t.exposeFloat('free', { description: 'What is free right now.' }),
    missing: t.float({ description: 'The difference.', resolve: ({ need, free }) => need - free }),
  }),
});

const ObstacleRef = builder.objectRef<Obstacle>('PlacementObstacle').implement({
  role: 'VIEWER',
  description: 'One thing that keeps a task run from a node.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'For programs: `TAINT_NOT_TOLERATED`.' }),
    message: t.exposeString('message', { description: 'For people.' }),
    remedy: t.string({ nullable: true, description: 'What would change it.', resolve: ({ remedy }) => remedy ?? null }),
    tier: t.expose('tier', { type: Tier, description: 'What part of Gantry says so.' }),
    shortfall: t.field({
      type: ShortfallRef,
      nullable: true,
      description: 'When it is about an amount that is not free right now.',
      resolve: ({ shortfall }) => shortfall ?? null,
    }),
  }),
});

const NodeVerdictRef = builder.objectRef<NodeVerdict>('NodeVerdict').implement({
  role: 'VIEWER',
  description: 'What placement thinks of one node for one task run.',
  fields: (t) => ({
    nodeName: t.exposeString('node', { description: 'The node’s name.' }),
    verdict: t.expose('verdict', { type: NodeVerdictKind, description: 'Whether it would do.' }),
    obstacles: t.field({
      type: [ObstacleRef],
      description: 'Everything that keeps the task run from there; empty when it fits.',
      resolve: ({ obstacles }) => [...obstacles],
    }),
  }),
});

export const UnblockingRef = builder.objectRef<Unblocking>('Unblocking').implement({
  role: 'VIEWER',
  description: 'A change after which a task run could be placed at once.',
  fields: (t) => ({
    message: t.exposeString('message', { description: 'For people: “Drop zone=a: node-3 would do then.”' }),
    nodes: t.exposeStringList('nodes', { description: 'Names of nodes that would take it then, at most ten.' }),
    nodeCount: t.exposeInt('nodeCount', { description: 'How many there are.' }),
  }),
});

const CandidateRef = builder.objectRef<NamedCandidate>('PlacementCandidate').implement({
  role: 'VIEWER',
  description: 'A node that a scheduler might have chosen.',
  fields: (t) => ({
    nodeName: t.exposeString('node', { description: 'The node’s name.' }),
    score: t.exposeFloat('score', { description: 'Higher is better; of what scale is the scheduler’s affair.' }),
    parts: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What the score is made of, by name, when the scheduler says so.',
      resolve: ({ parts }) => parts ?? null,
    }),
  }),
});

const DEFAULT_NODES = 100;
const MAX_NODES = 1_000;

export const PlacementRef = builder.objectRef<PlacementAnswer>('Placement').implement({
  role: 'VIEWER',
  description: 'Why a task run waits, or why it went where it went.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When this was true.' }),
    verdict: t.expose('verdict', { type: Verdict, description: 'Where it stands.' }),
    tier: t.expose('tier', {
      type: Tier,
      nullable: true,
      description: 'The layer that keeps it; null when nothing does, or when another server runs its pool.',
    }),
    summary: t.field({ type: ReasonRef, description: 'In a sentence.', resolve: ({ summary }) => summary }),
    reasons: t.field({
      type: [ReasonRef],
      description: 'Everything that keeps it, each by itself.',
      resolve: ({ reasons }) => [...reasons],
    }),
    queuePosition: t.exposeInt('queuePosition', {
      nullable: true,
      description: 'Its place in the queue by priority and waiting, from 1; null when it is not in it.',
    }),
    queueLength: t.exposeInt('queueLength', { nullable: true, description: 'How many are in the queue.' }),
    nodes: t.field({
      type: [NodeVerdictRef],
      args: {
        first: t.arg.int({
          defaultValue: DEFAULT_NODES,
          description: `So many at most, up to ${MAX_NODES}; the nearest to doing come first.`,
        }),
      },
      description: 'Node by node, while it is in the queue.',
      resolve: ({ nodes }, { first }) => nodes.slice(0, Math.max(0, Math.min(first ?? DEFAULT_NODES, MAX_NODES))),
    }),
    nodeCount: t.int({ description: 'How many nodes were looked at.', resolve: ({ nodes }) => nodes.length }),
    decision: t.field({
      type: DecisionRef,
      nullable: true,
      description: 'The decision that gave it its latest attempt; null when that is not known (any more).',
      resolve: ({ decision }) => decision,
    }),
    candidates: t.field({
      type: [CandidateRef],
      nullable: true,
      description: 'The best nodes as the scheduler saw them then, best first; null when that cannot be worked out.',
      resolve: ({ decision, taskRun }, _, { ports }) => {
        const found = decision && ports.decisions.candidates(decision, taskRun);
        return found && [...found];
      },
    }),
    unblock: t.field({
      type: [UnblockingRef],
      description: 'What would help, the most promising first.',
      resolve: ({ unblock }) => [...unblock],
    }),
  }),
});
