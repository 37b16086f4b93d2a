import type { Filter } from './filter.ts';

/** The node must have the runner, and in health. */
export const runner: Filter = {
  code: 'RUNNER_MISSING',
  undoneBy: ['RUNNERS_CHANGED'],
  refuse(shape, node) {
    const found = node.runners.find(({ name }) => name === shape.runner);
    if (found?.health === 'HEALTHY') return null;
    if (!found) {
      return {
        code: runner.code,
        message: `Node ${node.name} has no runner ${shape.runner}.`,
        remedy: `Load the plugin on ${node.name}.`,
      };
    }
    const why = found.message === undefined ? '' : `: ${found.message}`;
    return {
      code: 'RUNNER_UNHEALTHY',
      message: `Runner ${shape.runner} on node ${node.name} is ${found.health}${why}.`,
      remedy: `Mend it on ${node.name}.`,
    };
  },
};
