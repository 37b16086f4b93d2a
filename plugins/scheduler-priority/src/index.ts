import { greedy } from '@gantry/plugin-kit/greedy';
import { defineScheduler, zodConfig } from '@gantry/plugin-kit/scheduler';
import * as z from 'zod';

const config = z.strictObject({
  agingMs: z
    .number()
    .int()
    .min(1)
    .nullable()
    .default(600_000)
    .describe(
      'So long a wait is worth one step of priority, so that nothing waits for ever. Milliseconds; null for never.',
    ),
});

/**
 * Rule: the task of the highest priority goes first, the longest waiting among equals, to the node that has the
 * largest share of itself free afterwards. Waiting raises a task's priority by one step per `agingMs`.
 * Guarantees: with ageing no task starves: whatever its priority, it overtakes every task that comes later than
 * (difference of priority × agingMs) after it. Source: strict priority with ageing, as in every operating system's
 * textbook; least loaded node, as in Kubernetes' LeastAllocated.
 */
export default defineScheduler<z.output<typeof config>>({
  name: 'priority',
  version: '1.0.0',
  summary: 'Highest priority first, on the least loaded node; waiting raises the priority.',
  config: zodConfig(config),
  place: greedy(({ agingMs }) => ({
    // Both age at the same pace: which of them goes first does not depend on the time.
    order(one, other) {
      const gain = agingMs === null ? 0 : (other.readySince - one.readySince) / agingMs;
      return other.priority - one.priority - gain || one.readySince - other.readySince;
    },
    score({ needs }, node, cluster) {
      const free = cluster.free(node);
      const { capacity } = cluster.nodes[node]!;
      let least = 1;
      for (let column = 0; column < needs.length; column++) {
        const whole = capacity[column]!;
        if (whole > 0) least = Math.min(least, (free[column]! - needs[column]!) / whole);
      }
      return least;
    },
  })),
});
