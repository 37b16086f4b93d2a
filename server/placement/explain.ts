import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { formatQuantity } from '../domain/resources.ts';
import type { ClusterModel, ModelNode } from './cluster-model.ts';
import { isOnlyFull, obstaclesOn, type Obstacle, type Tier } from './obstacle.ts';
import { nextDomain } from './offer.ts';
import type { Group, Pending, PlacementQueue } from './queue.ts';
import type { TaskShape } from './shape.ts';
import { unblockingsOf, type Unblocking } from './unblock.ts';

export type { Obstacle, Tier } from './obstacle.ts';
export type { Unblocking } from './unblock.ts';

/** What placement thinks of one node for one task run. */
export interface NodeVerdict {
  readonly node: string;
  /** FITS: it could go there now. FULL: it could if enough of what runs there ended. REFUSED: the node will not do. */
  readonly verdict: 'FITS' | 'FULL' | 'REFUSED';
  /** Why it could not go there now; empty when it could. */
  readonly obstacles: readonly Obstacle[];
}

/** Why a task run waits. */
export interface PlacementExplanation {
  /** What keeps it, in a sentence. */
  readonly summary: Reason;
  readonly tier: Tier;
  /** How many go before it, by priority and waiting. */
  readonly position: number;
  /** How many wait in all. */
  readonly pending: number;
  /** Every node of the pool: the nearest to doing first, then by name. */
  readonly nodes: readonly NodeVerdict[];
  readonly unblock: readonly Unblocking[];
}

/** Says of a task run in the queue, node by node, what keeps it from there, and what would help. */
export function explain(entry: Pending, queue: PlacementQueue, model: ClusterModel): PlacementExplanation {
  const nodes = verdictsOn(entry.shape, model, model.nodes());
  const outlook = outlookOf(nodes, nodes.length);
  return {
    ...summaryOf(entry, outlook, model),
    position: positionOf(entry, queue),
    pending: queue.size,
    nodes,
    unblock: outlook.unblock,
  };
}

/** Why a task run waits, without a word about each node. */
export type QueueReason = Pick<PlacementExplanation, 'summary' | 'tier' | 'unblock'>;

/** So many nodes are looked at one by one for a reason in short. */
export const NODES_LOOKED_AT = 256;

/**
 * Says why the task runs of a group wait, as long as the scheduler holds none of them back: as `explain` does, but of a
 * larger pool only some nodes are looked at one by one, those that might do first.
 */
export function reasonOfGroup(group: Group, model: ClusterModel): QueueReason {
  const outlook = glanceAt(group.shape, model);
  return { ...summaryOfGroup(group, outlook, model), unblock: outlook.unblock };
}

/** Why one of a group waits, when this is why the others do. */
export function reasonOfEntry<Why extends Summary>({ hold }: Pick<Pending, 'hold'>, why: Why): Why {
  if (hold === null || !ITS_TURN.has(why.summary.code)) return why;
  const message = `The scheduler holds it: ${hold.message}`;
  return { ...why, tier: 'SCHEDULER', summary: { ...hold, code: 'HELD', message } };
}

/** There is room: a scheduler may still hold it back. */
const ITS_TURN: ReadonlySet<string> = new Set(['NOT_CHOSEN', 'NEXT']);

function glanceAt(shape: TaskShape, model: ClusterModel): Outlook {
  const all = model.nodes();
  if (all.length <= NODES_LOOKED_AT) return outlookOf(verdictsOn(shape, model, all), all.length);
  const able = Array.from(model.feasibility.nodesFor(shape), (index) => model.eligible[index]!);
  const roomy = model.needsOf(shape) === null ? undefined : able.find((node) => model.hasRoom(shape, node));
  const looked = new Set(roomy === undefined ? [] : [roomy]);
  for (const nodes of [able, all]) {
    for (const node of nodes) {
      if (looked.size >= NODES_LOOKED_AT) break;
      looked.add(node);
    }
  }
  const outlook = outlookOf(verdictsOn(shape, model, [...looked]), all.length);
  return { ...outlook, ableCount: Math.max(outlook.ableCount, able.length) };
}

/** What the nodes come to for a shape. */
interface Outlook {
  readonly nodeCount: number;
  /** The node that comes nearest to doing; null when there are none. */
  readonly nearest: NodeVerdict | null;
  /** How many would do if they were not full. */
  readonly ableCount: number;
  /** One of them that has room, so that only a limit keeps the task run from it. */
  readonly limited: NodeVerdict | null;
  readonly unblock: readonly Unblocking[];
}

/** From the verdicts on nodes, the nearest to doing first, of a pool of so many. */
function outlookOf(nodes: readonly NodeVerdict[], nodeCount: number): Outlook {
  const able = nodes.filter(({ verdict }) => verdict === 'FULL');
  return {
    nodeCount,
    nearest: nodes[0] ?? null,
    ableCount: able.length,
    limited: able.find(({ obstacles }) => obstacles.every(({ tier }) => tier === 'LIMIT')) ?? null,
    unblock: unblockingsOf(nodes),
  };
}

/** What these nodes come to, the nearest to doing first. */
function verdictsOn(shape: TaskShape, model: ClusterModel, nodes: readonly ModelNode[]): NodeVerdict[] {
  const domain = nextDomain(shape, model);
  return nodes
    .map((node): NodeVerdict => {
      const obstacles = obstaclesOn(shape, node, model, domain);
      const verdict = obstacles.length === 0 ? 'FITS' : isOnlyFull(obstacles) ? 'FULL' : 'REFUSED';
      return { node: node.facts.name, verdict, obstacles };
    })
    .sort(byNearness);
}

/** A task run for which others make room is not in the queue any more. */
export function explainNomination(
  { node, victims }: { readonly node: string; readonly victims: readonly string[] },
  pending: number,
): PlacementExplanation {
  const count = victims.length;
  const message = `Node ${node} makes room for it: ${count === 1 ? 'one attempt' : `${count} attempts`} of lower priority ${count === 1 ? 'is' : 'are'} being stopped.`;
  return { summary: { code: 'MAKING_ROOM', message }, tier: 'QUEUE', position: 0, pending, nodes: [], unblock: [] };
}

const RANK = { FITS: 0, FULL: 1, REFUSED: 2 } as const;
const byNearness = (one: NodeVerdict, other: NodeVerdict): number =>
  RANK[one.verdict] - RANK[other.verdict] ||
  one.obstacles.length - other.obstacles.length ||
  (one.node < other.node ? -1 : 1);

type Summary = Pick<PlacementExplanation, 'summary' | 'tier'>;

const summaryOf = (entry: Pending, outlook: Outlook, model: ClusterModel): Summary =>
  reasonOfEntry(entry, summaryOfGroup(entry.group, outlook, model));

function summaryOfGroup(group: Group, outlook: Outlook, model: ClusterModel): Summary {
  const { shape } = group;
  const { nodeCount, nearest, ableCount, limited } = outlook;
  if (nearest === null) {
    return {
      tier: 'HEALTH',
      summary: { code: 'NO_NODES', message: 'The pool has no nodes.', remedy: 'Start an agent for this pool.' },
    };
  }
  if (group.rest === 'GATHERING') {
    const message = `Only ${group.size} of the ${group.gangSize} of its gang wait for a place; all of them start at once.`;
    return { tier: 'GANG', summary: { code: 'GANG_INCOMPLETE', message, remedy: 'Wait for the others.' } };
  }
  if (nearest.verdict === 'FITS') return turnOf(group, model);
  if (ableCount === 0) {
    const obstacle = nearest.obstacles[0]!;
    const message = `None of ${nodeCount} ${nodeCount === 1 ? 'node' : 'nodes'} will do. ${obstacle.message}`;
    const { remedy } = obstacle;
    return {
      tier: obstacle.tier,
      summary: { code: 'NO_FEASIBLE_NODE', message, ...(remedy === undefined ? {} : { remedy }) },
    };
  }
  const asked = Object.entries(shape.resources).map(([name, need]) => `${formatQuantity(name, need)} of ${name}`);
  if (limited !== null) {
    const { code, message, remedy } = limited.obstacles[0]!;
    return { tier: 'LIMIT', summary: { code, message, ...(remedy === undefined ? {} : { remedy }) } };
  }
  return {
    tier: 'CAPACITY',
    summary: {
      code: 'NO_ROOM',
      message: `${ableCount === 1 ? 'One node' : `${ableCount} nodes`} of ${nodeCount} would do, and none has ${asked.join(', ')} free.`,
      remedy: 'Wait until something ends, or add a node.',
    },
  };
}

/** There is room for it: whose turn is it? */
function turnOf(group: Group, model: ClusterModel): Summary {
  if (group.gangSize > 0) {
    let room = 0;
    for (const index of model.feasibility.nodesFor(group.shape)) {
      room += model.roomFor(group.shape, model.eligible[index]!);
    }
    if (room < group.gangSize) {
      const message = `There is room for ${room} of the ${group.gangSize} of its gang; all of them start at once.`;
      return {
        tier: 'GANG',
        summary: { code: 'GANG_NO_ROOM', message, remedy: 'Wait until more ends, or add nodes.' },
      };
    }
  }
  return group.rest === 'LEFT'
    ? {
        tier: 'SCHEDULER',
        summary: { code: 'NOT_CHOSEN', message: 'There is room for it, and the scheduler has not chosen it yet.' },
      }
    : {
        tier: 'QUEUE',
        summary: { code: 'NEXT', message: 'There is room for it; it is placed when its turn comes.' },
      };
}

function positionOf(entry: Pending, queue: PlacementQueue): number {
  let before = 0;
  for (const other of queue.entries()) {
    const order =
      other.priority - entry.priority || entry.readySince - other.readySince || entry.sequence - other.sequence;
    if (order > 0) before++;
  }
  return before;
}
