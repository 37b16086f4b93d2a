import { policy } from './policy.ts';

/** The node that is left with the least, as a sum over the resources of shares of the largest node. */
export default policy('best fit', 'The node that is left with the least.', ({ nodes, resources }) => {
  const largest = resources.map((_, column) => Math.max(1, ...nodes.map(({ capacity }) => capacity[column]!)));
  return ({ needs }, node, cluster) =>
    -needs.reduce((sum, need, column) => sum + (cluster.freeOf(node, column) - need) / largest[column]!, 0);
});
