import type { Decision } from '@gantry/plugin-kit/scheduler';
import type { ClusterModel, ModelNode } from './cluster-model.ts';
import type { Pending, PlacementQueue } from './queue.ts';

/** Why a decision of a scheduler was not carried out. */
export interface PlacementRefusal {
  /** As the scheduler wrote it. */
  readonly taskRun: string;
  /** Null for a hold, and for a node that does not exist. */
  readonly node: string | null;
  readonly code: RefusalCode;
  readonly message: string;
}

export type RefusalCode =
  | 'UNKNOWN_TASK'
  /** It is in the queue but was not offered in this call. */
  | 'NOT_PENDING'
  | 'UNKNOWN_NODE'
  | 'NOT_FEASIBLE'
  | 'OVER_COMMIT'
  /** The call has decided on it already. */
  | 'DUPLICATE';

/** What became of the decisions of a call. */
export interface Verified {
  /** Placed, and reserved in the model; still in the queue. */
  readonly placed: readonly Pending[];
  /** Where, one by one. */
  readonly nodes: readonly ModelNode[];
  readonly refusals: readonly PlacementRefusal[];
}

/**
 * Goes through decisions in their order and believes none of them: each becomes a reservation or a refusal. So what a
 * scheduler is wrong about can only be taste. Preemption is not acted upon: a decision must fit without it.
 *
 * @param call Of which the decisions are: only what it offered can be decided on.
 */
export function verify(
  decisions: readonly Decision[],
  call: number,
  queue: PlacementQueue,
  model: ClusterModel,
): Verified {
  const { eligible } = model;
  const placed: Pending[] = [];
  const nodes: ModelNode[] = [];
  const refusals: PlacementRefusal[] = [];
  for (const decision of decisions) {
    const entry = queue.get(decision.task);
    const node = 'node' in decision ? eligible[decision.node] : undefined;
    const code = refusalOf(decision, call, entry, node, model);
    if (code !== null) {
      refusals.push({ taskRun: decision.task, node: node?.facts.name ?? null, code, message: SENTENCES[code] });
      continue;
    }
    entry!.isDecided = true;
    if ('node' in decision) {
      model.take(entry!.shape, node!);
      placed.push(entry!);
      nodes.push(node!);
    } else {
      entry!.hold = decision.hold;
    }
  }
  return { placed, nodes, refusals };
}

const SENTENCES: Readonly<Record<RefusalCode, string>> = {
  UNKNOWN_TASK: 'No such task run is in the queue.',
  NOT_PENDING: 'The task run was not offered in this call.',
  UNKNOWN_NODE: 'There is no node with this index.',
  NOT_FEASIBLE: 'The node will not do for the task run, whatever is free there.',
  OVER_COMMIT: 'The node has no room left for the task run.',
  DUPLICATE: 'The task run has been decided on in this call already.',
};

function refusalOf(
  decision: Decision,
  call: number,
  entry: Pending | undefined,
  node: ModelNode | undefined,
  model: ClusterModel,
): RefusalCode | null {
  if (entry === undefined) return 'UNKNOWN_TASK';
  if (entry.call !== call) return 'NOT_PENDING';
  if (entry.isDecided) return 'DUPLICATE';
  if (!('node' in decision)) return null;
  if (node === undefined) return 'UNKNOWN_NODE';
  const { shape } = entry;
  if (!model.feasibility.passes(shape, node)) return 'NOT_FEASIBLE';
  const needs = model.needsOf(shape);
  return needs !== null && model.fits(needs, node) ? null : 'OVER_COMMIT';
}
