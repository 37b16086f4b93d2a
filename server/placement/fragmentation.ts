import { EXCLUSIVE_USE, type ClusterModel } from './cluster-model.ts';
import type { TaskShape } from './shape.ts';

/**
 * By resource: how much of what is free is of no use to tasks of these shapes, weighted, because it lies on nodes that
 * have no room for them. From 0 to 1; absent where nothing is free.
 */
export function fragmentationOf(
  model: ClusterModel,
  shapes: readonly { readonly shape: TaskShape; readonly weight: number }[],
): Readonly<Record<string, number>> {
  const free = new Map<string, number>();
  const stranded = new Map<string, number>();
  const { eligible, resources, feasibility } = model;
  for (const node of eligible) {
    let lost = 0;
    for (const { shape, weight } of shapes) {
      if (!feasibility.passes(shape, node) || !model.hasRoom(shape, node)) lost += weight;
    }
    for (const resource of resources) {
      if (resource === EXCLUSIVE_USE) continue;
      const amount = Math.max(0, model.freeOf(resource, node));
      free.set(resource, (free.get(resource) ?? 0) + amount);
      stranded.set(resource, (stranded.get(resource) ?? 0) + lost * amount);
    }
  }
  const shares: Record<string, number> = {};
  for (const [resource, amount] of free) if (amount > 0) shares[resource] = stranded.get(resource)! / amount;
  return shares;
}
