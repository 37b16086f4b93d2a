import type { Cluster } from '@gantry/plugin-kit/greedy';
import type { Shape } from '@gantry/plugin-kit/scheduler';

/** Minus the highest share that would be taken, of the resources that the shape needs. */
export function leastLoaded({ needs }: Shape, node: number, cluster: Cluster): number {
  let highest = 0;
  for (let column = 0; column < needs.length; column++) {
    const need = needs[column]!;
    if (need === 0) continue;
    const taken = 1 - (cluster.freeOf(node, column) - need) / cluster.capacityOf(node, column);
    if (taken > highest) highest = taken;
  }
  return -highest;
}
