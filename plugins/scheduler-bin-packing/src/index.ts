import { greedy, type Cluster } from '@gantry/plugin-kit/greedy';
import { defineScheduler, zodConfig, type Shape } from '@gantry/plugin-kit/scheduler';
import * as z from 'zod';

/** What the other resources count for beside the dominant one: they decide between nodes that are all but equal. */
const OTHERS = 1 / 1024;

/**
 * Best fit: each task goes to the fullest node that still has room, so that large tasks find whole nodes free. Fullest
 * is where least is left, as a share of the node's capacity, of the task's dominant resource: the one of which it takes
 * the largest share there. Between nodes where that is all but equal, the mean of what is left of everything decides.
 * Higher priority goes first, then longer waiting.
 *
 * Source: best fit for vectors, as in R. Panigrahy et al., Heuristics for Vector Bin Packing (2011); dominant resource
 * as in A. Ghodsi et al., Dominant Resource Fairness (2011).
 */
export default defineScheduler({
  name: 'bin-packing',
  version: '1.0.0',
  summary: 'Fills the fullest node that still fits.',
  config: zodConfig(z.strictObject({}).describe('Nothing can be set.')),
  place: greedy(() => ({ score: fullest })),
});

/** Minus what would be left. */
function fullest({ needs }: Shape, node: number, cluster: Cluster): number {
  let dominantShare = -1;
  let leftOfDominant = 0;
  let left = 0;
  for (let column = 0; column < needs.length; column++) {
    const capacity = cluster.capacityOf(node, column);
    if (capacity === 0) continue;
    const need = needs[column]!;
    const leftHere = (cluster.freeOf(node, column) - need) / capacity;
    left += leftHere;
    if (need / capacity > dominantShare) {
      dominantShare = need / capacity;
      leftOfDominant = leftHere;
    }
  }
  return -(leftOfDominant + (left / needs.length) * OTHERS);
}
