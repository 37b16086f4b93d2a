import type { Decision } from '@gantry/plugin-kit/scheduler';
import type { ClusterModel } from './cluster-model.ts';
import type { Queue, Waiting } from './queue.ts';

/** Why a decision was not followed; counted against the scheduler. */
export interface PlacementRefusal {
  readonly task: string;
  readonly code: 'NOT_PENDING' | 'UNKNOWN_NODE' | 'NOT_FEASIBLE' | 'OVER_COMMIT' | 'MALFORMED';
}

/** A decision is either the task run that may go to the node, or a refusal. Reserves nothing. */
export function verify(
  decision: Decision,
  queue: Queue,
  cluster: ClusterModel,
): { readonly waiting: Waiting; readonly node: string } | PlacementRefusal | null {
  if (typeof decision !== 'object' || decision === null || typeof decision.task !== 'string')
    return { task: '', code: 'MALFORMED' };
  const { task } = decision;
  if ('hold' in decision) return null;
  const waiting = queue.get(task);
  // Unknown, or placed by an earlier decision of the same call.
  if (!waiting) return { task, code: 'NOT_PENDING' };
  const node = cluster.nodes[decision.node];
  if (!node) return { task, code: 'UNKNOWN_NODE' };
  const { shape } = waiting.request;
  if (!cluster.isFeasible(shape, decision.node)) return { task, code: 'NOT_FEASIBLE' };
  const needs = cluster.needsOf(shape);
  for (let column = 0; column < needs.length; column++) {
    if (needs[column]! > 0 && needs[column]! > node.free[column]!) return { task, code: 'OVER_COMMIT' };
  }
  return { waiting, node: node.node.name };
}
