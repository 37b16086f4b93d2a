import { greedy, type Cluster } from '@gantry/plugin-kit/greedy';
import { defineScheduler, zodConfig, type PendingTask, type Shape } from '@gantry/plugin-kit/scheduler';
import * as z from 'zod';

const config = z
  .strictObject({
    agingMs: z
      .number()
      .int()
      .min(1)
      .nullable()
      .default(600_000)
      .describe('So long a wait is worth one step of priority. Null: priority alone counts. Milliseconds.'),
  })
  .describe('How the priority scheduler behaves.');

/**
 * The run's priority rules; among equals who has waited longest. Each task goes to the node that is least loaded once
 * it is there: whose highest share taken, over the resources that the task needs, is the lowest.
 *
 * Waiting raises a priority by one step per `agingMs`. So a task that has p steps less goes before all that become ready
 * more than p × agingMs after it, and nothing starves. With null a steady stream of more urgent work keeps the rest
 * waiting for ever, as strict priority means.
 *
 * Source: ageing as in A. Silberschatz et al., Operating System Concepts; least loaded node as LeastAllocated in
 * Kubernetes, but by the worst resource instead of the mean.
 */
export default defineScheduler({
  name: 'priority',
  version: '1.0.0',
  summary: 'Places the highest priority first, each task on the least loaded node; waiting raises a priority.',
  config: zodConfig(config),
  place: greedy(({ agingMs }) => {
    if (agingMs === null) return { score: leastLoaded };
    // All age at the same pace, so who goes before whom does not depend on the time.
    const rank = ({ readySince, priority }: PendingTask): number => readySince - priority * agingMs;
    return {
      score: leastLoaded,
      order: (one, other) => rank(one) - rank(other) || one.readySince - other.readySince,
    };
  }),
});

/** Minus the highest share that would be taken. */
function leastLoaded({ needs }: Shape, node: number, cluster: Cluster): number {
  let highest = 0;
  for (let column = 0; column < needs.length; column++) {
    const need = needs[column]!;
    if (need === 0) continue;
    const taken = 1 - (cluster.freeOf(node, column) - need) / cluster.capacityOf(node, column);
    if (taken > highest) highest = taken;
  }
  return -highest;
}
