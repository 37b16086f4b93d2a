import type { ClusterModel, ModelNode } from './cluster-model.ts';
import type { HeldNodes } from './held-nodes.ts';
import type { Rest } from './queue.ts';
import type { TaskShape } from './shape.ts';

/** Whether any node has room for a task of a shape. */
export function hasRoom(shape: TaskShape, model: ClusterModel): boolean {
  if (model.needsOf(shape) === null) return false;
  for (const index of model.feasibility.nodesFor(shape)) {
    if (model.hasRoom(shape, model.eligible[index]!)) return true;
  }
  return false;
}

/** Whether one of these nodes will do for a task of a shape, and has room. */
export function hasRoomOn(shape: TaskShape, model: ClusterModel, nodes: Iterable<ModelNode>): boolean {
  for (const node of nodes) {
    if (model.hasRoom(shape, node) && model.feasibility.passes(shape, node)) return true;
  }
  return false;
}

/** How a shape rests of which the scheduler has not placed all. */
export function restOf(shape: TaskShape, model: ClusterModel, held: HeldNodes): Exclude<Rest, 'GATHERING'> {
  if (model.needsOf(shape) === null) return 'FULL';
  let rest: 'HELD' | 'FULL' = 'FULL';
  for (const index of model.feasibility.nodesFor(shape)) {
    const node = model.eligible[index]!;
    if (!model.hasRoom(shape, node)) continue;
    if (!held.has(node)) return 'LEFT';
    rest = 'HELD';
  }
  return rest;
}
