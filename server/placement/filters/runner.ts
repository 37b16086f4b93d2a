import type { Filter } from '../filter.ts';

/** The task's runner is on the node, and works there. */
export const runner: Filter = {
  code: 'RUNNER_UNAVAILABLE',
  tier: 'HEALTH',
  undoneBy: ['NODE_JOINED', 'RUNNERS_CHANGED'],
  passes: (shape, node) => node.runners.find(({ name }) => name === shape.runner)?.health === 'HEALTHY',
  refuse(shape, node) {
    const found = node.runners.find(({ name }) => name === shape.runner);
    if (found?.health === 'HEALTHY') return [];
    const isAbsent = found === undefined || found.health === 'ABSENT';
    const message = isAbsent
      ? `Node ${node.name} does not have the runner ${shape.runner}${because(found?.message)}.`
      : `The runner ${shape.runner} does not work on node ${node.name}${because(found.message)}.`;
    return [{ code: runner.code, message, ways: [{ kind: 'RUNNER', runner: shape.runner, isAbsent }] }];
  },
};

const because = (message: string | undefined): string =>
  message === undefined ? '' : `: ${message.replace(/[.\s]+$/, '')}`;
