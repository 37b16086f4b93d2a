import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { formatQuantity } from '../domain/resources.ts';
import { asTold, orderOf } from './change.ts';
import type { ClusterModel, ModelNode } from './cluster-model.ts';
import { heldObstacle, isOnlyFull, obstaclesOn, type Obstacle, type Tier } from './obstacle.ts';
import { nextDomain } from './offer.ts';
import type { Group, Pending, PlacementQueue } from './queue.ts';
import type { HeldNode } from './scheduler.ts';
import { nodeWantedBy, wantedText } from './node-wanted.ts';
import { Trial } from './trial.ts';
import { capitalised, unblockingsOf, type Unblocking } from './unblock.ts';

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
export function explain(
  entry: Pending,
  queue: PlacementQueue,
  model: ClusterModel,
  held: readonly HeldNode[],
): PlacementExplanation {
  const verdicts = verdictsOn(entry.group, model, held, model.nodes());
  const { nodes } = verdicts;
  const outlook = outlookOf(verdicts, nodes.length);
  return {
    ...summaryOf(entry, outlook, model, held),
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
export function reasonOfGroup(group: Group, model: ClusterModel, held: readonly HeldNode[]): QueueReason {
  const outlook = glanceAt(group, model, held);
  return { ...summaryOfGroup(group, outlook, model), unblock: outlook.unblock };
}

/** Why one of a group waits, when this is why the others do. */
export function reasonOfEntry<Why extends Summary>(
  { key, hold }: Pick<Pending, 'key' | 'hold'>,
  why: Why,
  held: readonly HeldNode[],
): Why {
  const { code } = why.summary;
  if (ITS_TURN.has(code)) {
    if (hold === null) return why;
    const message = `The scheduler holds it: ${hold.message}`;
    return { ...why, tier: 'SCHEDULER', summary: { ...hold, code: 'HELD', message } };
  }
  const own = held.find(({ taskRun }) => taskRun === key)?.node;
  if (own === undefined || NO_NODE_WILL_DO.has(code)) return why;
  const message = `No node has room for it, and it has waited long: node ${own} is held for it, and nothing is placed there that comes after it.`;
  const remedy = `Wait until enough of what runs on ${own} has ended.`;
  return { ...why, tier: 'CAPACITY', summary: { code: 'HOLDING_NODE', message, remedy } };
}

/** There is room: a scheduler may still hold it back. */
const ITS_TURN: ReadonlySet<string> = new Set(['NOT_CHOSEN', 'NEXT']);
/** Since a node was held for it, all that would do have gone. */
const NO_NODE_WILL_DO: ReadonlySet<string> = new Set(['NO_NODES', 'NO_FEASIBLE_NODE']);

function glanceAt(group: Group, model: ClusterModel, held: readonly HeldNode[]): Outlook {
  const all = model.nodes();
  const { shape } = group;
  if (all.length <= NODES_LOOKED_AT) return outlookOf(verdictsOn(group, model, held, all), all.length);
  const able = Array.from(model.feasibility.nodesFor(shape), (index) => model.eligible[index]!);
  const heldNames = new Set(held.map(({ node }) => node));
  const hasRoom = (node: ModelNode): boolean => model.hasRoom(shape, node);
  const roomy =
    model.needsOf(shape) === null
      ? undefined
      : (able.find((node) => hasRoom(node) && !heldNames.has(node.facts.name)) ?? able.find(hasRoom));
  const looked = new Set(roomy === undefined ? [] : [roomy]);
  for (const nodes of [able, all]) {
    for (const node of nodes) {
      if (looked.size >= NODES_LOOKED_AT) break;
      looked.add(node);
    }
  }
  const outlook = outlookOf(verdictsOn(group, model, held, [...looked]), all.length);
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
  /** One of them that has room, so that only the scheduler keeps the task run from it, for another. */
  readonly held: NodeVerdict | null;
  readonly unblock: readonly Unblocking[];
}

/** From the verdicts on nodes, the nearest to doing first, of a pool of so many. */
function outlookOf({ nodes, unblock }: Verdicts, nodeCount: number): Outlook {
  const able = nodes.filter(({ verdict }) => verdict === 'FULL');
  return {
    nodeCount,
    nearest: nodes[0] ?? null,
    ableCount: able.length,
    limited: able.find(({ obstacles }) => obstacles.every(({ tier }) => tier === 'LIMIT')) ?? null,
    held: able.find(({ obstacles }) => obstacles.every(({ code }) => code === 'NODE_HELD')) ?? null,
    unblock: unblock(),
  };
}

/** What nodes come to, the nearest to doing first, and what would help. */
interface Verdicts {
  readonly nodes: readonly NodeVerdict[];
  readonly unblock: () => readonly Unblocking[];
}

function verdictsOn(
  group: Group,
  model: ClusterModel,
  held: readonly HeldNode[],
  nodes: readonly ModelNode[],
): Verdicts {
  const { shape, rest } = group;
  const domain = nextDomain(shape, model);
  const trial = new Trial(group, model);
  const heldBy = new Map(held.map((each) => [each.node, each]));
  const looked = nodes.map((node) => {
    let obstacles = obstaclesOn(shape, node, model, domain);
    // As long as the scheduler has not passed it over, nobody knows who comes first.
    const holding = obstacles.length === 0 && rest === 'HELD' ? heldBy.get(node.facts.name) : undefined;
    if (holding !== undefined) obstacles = [heldObstacle(holding)];
    const verdict = obstacles.length === 0 ? 'FITS' : isOnlyFull(obstacles) ? 'FULL' : 'REFUSED';
    return { node, verdict, obstacles } as const;
  });
  looked.sort(byNearness);
  return {
    nodes: looked.map(({ node, verdict, obstacles }, at) => ({
      node: node.facts.name,
      verdict,
      obstacles: at < NODES_REMEDIED ? obstacles.map((each) => withRemedy(each, obstacles, node, trial)) : obstacles,
    })),
    unblock() {
      // Until all of a gang are there, nothing that is done to nodes helps; and what is held is not for this one.
      if (rest === 'GATHERING' || looked[0]?.verdict === 'FITS') return [];
      return unblockingsOf(
        looked.filter(({ node }) => !heldBy.has(node.facts.name)),
        trial,
      );
    },
  };
}

/** So many nodes are told what would undo each obstacle; more are never shown. */
const NODES_REMEDIED = 1_000;

/** An obstacle with what undoes it; where it is the only one, with those ways on which the task then fits. */
function withRemedy(obstacle: Obstacle, all: readonly Obstacle[], node: ModelNode, trial: Trial): Obstacle {
  const ways = all.length === 1 ? obstacle.ways.filter((change) => trial.fits(node, [asTold(change)])) : obstacle.ways;
  if (ways.length === 0) return { ...obstacle, ways };
  const { name } = node.facts;
  return { ...obstacle, ways, remedy: `${capitalised(ways.map((way) => orderOf(way, name)).join(', or '))}.` };
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
type Looked = Pick<NodeVerdict, 'verdict' | 'obstacles'> & { readonly node: ModelNode };
const byNearness = (one: Looked, other: Looked): number =>
  RANK[one.verdict] - RANK[other.verdict] ||
  one.obstacles.length - other.obstacles.length ||
  (one.node.facts.name < other.node.facts.name ? -1 : 1);

type Summary = Pick<PlacementExplanation, 'summary' | 'tier'>;

const summaryOf = (entry: Pending, outlook: Outlook, model: ClusterModel, held: readonly HeldNode[]): Summary =>
  reasonOfEntry(entry, summaryOfGroup(entry.group, outlook, model), held);

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
  const wanted = wantedText(nodeWantedBy(shape, nextDomain(shape, model)));
  // Another node makes room for one of a gang, not for all.
  const orAdd = wanted === null || group.gangSize > 0 ? '' : `, or ${wanted}`;
  if (ableCount === 0) {
    const obstacle = nearest.obstacles[0]!;
    const message = `None of ${nodeCount} ${nodeCount === 1 ? 'node' : 'nodes'} will do. ${obstacle.message}`;
    return {
      tier: obstacle.tier,
      summary: { code: 'NO_FEASIBLE_NODE', message, ...remedyOf(nearest, outlook, orAdd) },
    };
  }
  if (outlook.held !== null) {
    const { tier, code, message, remedy } = outlook.held.obstacles[0]!;
    return { tier, summary: { code, message, ...(remedy === undefined ? {} : { remedy }) } };
  }
  if (limited !== null) {
    const { code, message } = limited.obstacles[0]!;
    return { tier: 'LIMIT', summary: { code, message, ...remedyOf(limited, outlook, '') } };
  }
  const asked = Object.entries(shape.resources).map(([name, need]) => `${formatQuantity(name, need)} of ${name}`);
  return {
    tier: 'CAPACITY',
    summary: {
      code: 'NO_ROOM',
      message: `${ableCount === 1 ? 'One node' : `${ableCount} nodes`} of ${nodeCount} would do, and none has ${asked.join(', ')} free.`,
      remedy: `Wait until enough of what runs has ended${orAdd}.`,
    },
  };
}

/** What helps on a node with one obstacle; otherwise what helps on any. Nothing that has not been tried. */
function remedyOf({ obstacles }: NodeVerdict, { unblock }: Outlook, orAdd: string): { readonly remedy?: string } {
  const own = obstacles.length === 1 ? obstacles[0]!.remedy : undefined;
  if (own !== undefined) return { remedy: own.replace(/\.$/, `${orAdd}.`) };
  if (unblock.length > 0) return { remedy: unblock[0]!.message };
  return orAdd === '' ? {} : { remedy: `${capitalised(orAdd.replace(/^, or /, ''))}.` };
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
      const spread = group.shape.rules?.spread?.required === true;
      const wanted = spread ? null : wantedText(nodeWantedBy(group.shape, undefined), group.gangSize - room);
      const remedy = `Wait until enough of what runs has ended${wanted === null ? '' : `, or ${wanted}`}.`;
      return { tier: 'GANG', summary: { code: 'GANG_NO_ROOM', message, remedy } };
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
