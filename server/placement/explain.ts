import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { formatQuantity } from '../domain/resources.ts';
import type { ClusterModel, ModelNode } from './cluster-model.ts';
import { refusalsOf } from './feasibility.ts';
import type { Pending, PlacementQueue } from './queue.ts';

/** What placement thinks of one node for one task run. */
export interface NodeVerdict {
  readonly node: string;
  /** FITS: it could go there now. FULL: it could if enough of what runs there ended. REFUSED: the node will not do. */
  readonly verdict: 'FITS' | 'FULL' | 'REFUSED';
  /** Why it could not go there now; empty when it could. */
  readonly reasons: readonly Reason[];
}

/** Why a task run waits. */
export interface PlacementExplanation {
  /** How many go before it, by priority and waiting. */
  readonly position: number;
  /** How many wait in all. */
  readonly pending: number;
  /** What keeps it, in short; never empty. NO_NODES, NO_FEASIBLE_NODE, NO_ROOM, HELD, NOT_CHOSEN or NEXT. */
  readonly reasons: readonly Reason[];
  /** Every node of the pool, by name. */
  readonly nodes: readonly NodeVerdict[];
}

/** Says of a task run in the queue, node by node, what keeps it from there, and what would help. */
export function explain(entry: Pending, queue: PlacementQueue, model: ClusterModel): PlacementExplanation {
  const nodes = model
    .nodes()
    .map((node) => verdictOf(entry, node, model))
    .sort((one, other) => (one.node < other.node ? -1 : 1));
  return { position: positionOf(entry, queue), pending: queue.size, reasons: [summaryOf(entry, nodes)], nodes };
}

function verdictOf({ shape }: Pending, node: ModelNode, model: ClusterModel): NodeVerdict {
  const { name } = node.facts;
  const refusals = refusalsOf(shape, node.facts);
  if (refusals.length > 0) return { node: name, verdict: 'REFUSED', reasons: refusals };
  const reasons = shortfallsOf(shape.resources, node, model);
  return { node: name, verdict: reasons.length > 0 ? 'FULL' : 'FITS', reasons };
}

function shortfallsOf(
  resources: Pending['shape']['resources'],
  node: ModelNode,
  model: ClusterModel,
): readonly Reason[] {
  const { name } = node.facts;
  return Object.entries(resources).flatMap(([resource, need]) => {
    const free = Math.max(0, model.freeOf(resource, node));
    if (need <= free) return [];
    const missing = formatQuantity(resource, need - free);
    return {
      code: 'NO_ROOM',
      message: `Node ${name} has ${formatQuantity(resource, free)} of ${resource} free; the task needs ${formatQuantity(resource, need)}.`,
      remedy: `It fits when what runs on ${name} has given back ${missing} of ${resource}.`,
    };
  });
}

function summaryOf({ shape, hold, group }: Pending, nodes: readonly NodeVerdict[]): Reason {
  if (nodes.length === 0) {
    return { code: 'NO_NODES', message: 'The pool has no nodes.', remedy: 'Start an agent for this pool.' };
  }
  if (nodes.some(({ verdict }) => verdict === 'FITS')) {
    if (hold !== null) return { ...hold, code: 'HELD', message: `The scheduler holds it: ${hold.message}` };
    return group.rest === 'LEFT'
      ? { code: 'NOT_CHOSEN', message: 'There is room for it, and the scheduler has not chosen it yet.' }
      : { code: 'NEXT', message: 'There is room for it; it is placed when its turn comes.' };
  }
  const able = nodes.filter(({ verdict }) => verdict === 'FULL');
  if (able.length === 0) {
    const [first] = nodes;
    const reason = first!.reasons[0]!;
    return {
      ...reason,
      code: 'NO_FEASIBLE_NODE',
      message: `None of ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'} will do. ${reason.message}`,
    };
  }
  const asked = Object.entries(shape.resources).map(([name, need]) => `${formatQuantity(name, need)} of ${name}`);
  return {
    code: 'NO_ROOM',
    message: `${able.length === 1 ? 'One node' : `${able.length} nodes`} of ${nodes.length} would do, and none has ${asked.join(', ')} free.`,
    remedy: 'Wait until something ends, or add a node.',
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
