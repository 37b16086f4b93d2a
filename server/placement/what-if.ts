import type { Node } from '../domain/node.ts';
import type { PlacementExplanation } from './explain.ts';
import type { Placement } from './placement.ts';
import type { PlacementRequest } from './queue.ts';

/** What is supposed to be otherwise. */
export interface Changes {
  /** In the place of nodes of the same name. */
  readonly nodes: readonly Node[];
  readonly removedNodes: readonly string[];
  readonly requests: readonly PlacementRequest[];
}

/** What placement would come to. */
export interface WhatIf {
  readonly placements: readonly { readonly taskRun: string; readonly node: string }[];
  /** Attempts that would be stopped, and for whom: these would be placed when they have ended. */
  readonly preempted: readonly { readonly taskRun: string; readonly by: string }[];
  readonly pendingCount: number;
  /** Why the first of them wait, the most urgent first. */
  readonly pending: readonly { readonly taskRun: string; readonly explanation: PlacementExplanation }[];
  /** By resource: what eligible nodes have, and what is held of it before and after. */
  readonly utilization: readonly Utilization[];
}

export interface Utilization {
  readonly resource: string;
  readonly capacity: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Lets a placement that nobody else uses decide on what waits, with some things otherwise, until it has nothing more to
 * decide. The very code that places in earnest; nothing that it decides is told to anybody.
 *
 * @param explained How many of those that still wait are explained.
 */
export function whatIf(placement: Placement, changes: Changes, now: number, explained: number): WhatIf {
  for (const node of changes.nodes) placement.nodeChanged(node);
  for (const name of changes.removedNodes) placement.nodeRemoved(name);
  const before = placement.utilization();
  for (const request of changes.requests) placement.add(request);
  const placements: { taskRun: string; node: string }[] = [];
  const preempted: { taskRun: string; by: string }[] = [];
  while (placement.canPlace) {
    const placed = placement.place(now);
    placements.push(...placed.placements.map(({ taskRun, node }) => ({ taskRun, node })));
    preempted.push(...placed.preempted);
  }
  const after = new Map(placement.utilization().map(({ resource, held }) => [resource, held]));
  return {
    placements,
    preempted,
    pendingCount: placement.pendingCount,
    pending: placement.inspection
      .first(explained)
      .map((taskRun) => ({ taskRun, explanation: placement.explain(taskRun)! })),
    utilization: before.map(({ resource, capacity, held }) => ({
      resource,
      capacity,
      before: held,
      after: after.get(resource) ?? held,
    })),
  };
}
