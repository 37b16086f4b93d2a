import { policy } from './policy.ts';

/**
 * The node whose free amounts have the smallest dot product with what the task needs, as shares of the largest node: as
 * the authors of FGD compare with. (The largest one, as in Tetris, R. Grandl et al. 2014, spreads, and does worse here.)
 */
export default policy(
  'dot product',
  'The smallest dot product of what is free and what is needed.',
  ({ nodes, resources }) => {
    const largest = resources.map((_, column) => Math.max(1, ...nodes.map(({ capacity }) => capacity[column]!)));
    return ({ needs }, node, cluster) =>
      -needs.reduce((sum, need, column) => sum + (cluster.freeOf(node, column) * need) / largest[column]! ** 2, 0);
  },
);
