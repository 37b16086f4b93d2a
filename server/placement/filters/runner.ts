import type { Filter } from '../filter.ts';

/** The task's runner is on the node, and works there. */
export const runner: Filter = {
  code: 'RUNNER_UNAVAILABLE',
  tier: 'HEALTH',
  undoneBy: ['NODE_JOINED', 'RUNNERS_CHANGED'],
  refuse(shape, node) {
    const found = node.runners.find(({ name }) => name === shape.runner);
    if (found === undefined || found.health === 'ABSENT') {
      return {
        code: runner.code,
        message: `Node ${node.name} does not have the runner ${shape.runner}${because(found?.message)}.`,
        remedy: `Install what ${shape.runner} needs on ${node.name}, or add a node that has it.`,
        relief: `install what ${shape.runner} needs`,
      };
    }
    if (found.health === 'HEALTHY') return null;
    return {
      code: runner.code,
      message: `The runner ${shape.runner} does not work on node ${node.name}${because(found.message)}.`,
      remedy: `Repair ${shape.runner} on ${node.name}; its agent looks again every minute.`,
      relief: `repair ${shape.runner}`,
    };
  },
};

const because = (message: string | undefined): string =>
  message === undefined ? '' : `: ${message.replace(/[.\s]+$/, '')}`;
