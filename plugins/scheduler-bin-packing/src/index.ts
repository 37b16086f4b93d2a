import { greedy } from '@gantry/plugin-kit/greedy';
import { defineScheduler, zodConfig } from '@gantry/plugin-kit/scheduler';
import * as z from 'zod';

/**
 * Rule: each task goes to the node that it leaves the fullest: the smallest sum of squares of what stays free, as
 * shares of the node's own capacity. Squares make it prefer a node that gets full in all resources over one that gets
 * full in one and strands the rest. Guarantees: a node stays empty as long as the others have room; large tasks find
 * whole nodes. Source: best fit for vector bin packing (Panigrahy et al., "Heuristics for Vector Bin Packing", 2011:
 * the L2 norm of the residual).
 */
export default defineScheduler<Record<string, never>>({
  name: 'bin-packing',
  version: '1.0.0',
  summary: 'Fills the fullest node that still has room, so that others stay free for large tasks.',
  config: zodConfig(z.strictObject({})),
  place: greedy(() => ({
    score({ needs }, node, cluster) {
      const free = cluster.free(node);
      const { capacity } = cluster.nodes[node]!;
      let left = 0;
      for (let column = 0; column < needs.length; column++) {
        const whole = capacity[column]!;
        if (whole === 0) continue;
        const share = (free[column]! - needs[column]!) / whole;
        left += share * share;
      }
      return -left;
    },
  })),
});
