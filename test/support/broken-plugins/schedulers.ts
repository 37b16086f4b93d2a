import {
  defineScheduler,
  type PlacementInput,
  type PlacementOutput,
  type SchedulerPlugin,
} from '@gantry/plugin-kit/scheduler';

/*
 * Schedulers that are wrong, each in one way. Not part of the type check: a stranger's plugin is JavaScript, and these
 * return what no type would let them.
 */

function scheduler(name: string, place: (input: PlacementInput) => unknown, more: object = {}): SchedulerPlugin {
  return defineScheduler({
    name,
    version: '0.0.1',
    summary: `Is wrong: ${name}.`,
    config: { jsonSchema: {}, check: (config: unknown) => ({ ok: true, config }) },
    place: place as (input: PlacementInput) => PlacementOutput,
    ...more,
  });
}

/** Puts every task on the first node that will do, room or not. */
function firstFeasible({ tasks, shapes }: PlacementInput): { task: string; node: number }[] {
  return tasks.map(({ key, shape }) => ({ task: key, node: shapes[shape]!.feasible[0]! }));
}

export const throws = scheduler('throws', () => {
  throw new Error('out of luck');
});

export const throwsNothing = scheduler('throws-nothing', () => {
  throw undefined;
});

export const returnsNothing = scheduler('returns-nothing', () => undefined);

export const returnsText = scheduler('returns-text', () => 'place them all on the first node');

export const returnsPromise = scheduler('returns-promise', async () => ({ decisions: [], memory: null }));

export const decidesNonsense = scheduler('decides-nonsense', ({ tasks }) => ({
  decisions: tasks.map(({ key }) => ({ task: key, node: 'the first one' })),
  memory: null,
}));

export const choosesNoNode = scheduler('chooses-no-node', ({ tasks }) => ({
  decisions: tasks.map(({ key }) => ({ task: key, node: Number.NaN })),
  memory: null,
}));

export const holdsWithoutReason = scheduler('holds-without-reason', ({ tasks }) => ({
  decisions: tasks.map(({ key }) => ({ task: key, hold: true })),
  memory: null,
}));

export const decidesTooMuch = scheduler('decides-too-much', (input) => ({
  decisions: [...firstFeasible(input), ...firstFeasible(input)],
  memory: null,
}));

export const remembersTooMuch = scheduler('remembers-too-much', () => ({ decisions: [], memory: 'x'.repeat(20_000) }));

export const remembersCircle = scheduler('remembers-circle', () => {
  const memory: { self?: unknown } = {};
  memory.self = memory;
  return { decisions: [], memory };
});

export const writesOnNodes = scheduler('writes-on-nodes', ({ nodes }) => {
  for (const { free } of nodes) (free as number[])[0] = 1_000_000;
  return { decisions: [], memory: null };
});

export const overCommits = scheduler('over-commits', (input) => ({ decisions: firstFeasible(input), memory: null }));

export const inventsTasks = scheduler('invents-tasks', ({ tasks }) => ({
  decisions: tasks.map((_, at) => ({ task: `invented.${at}`, node: 0 })),
  memory: null,
}));

export const inventsNodes = scheduler('invents-nodes', ({ tasks, nodes }) => ({
  decisions: tasks.map(({ key }) => ({ task: key, node: nodes.length })),
  memory: null,
}));

export const repeatsTasks = scheduler('repeats-tasks', ({ tasks }) => ({
  decisions: tasks.map(() => ({ task: tasks[0]!.key, node: 0 })),
  memory: null,
}));

export const ignoresFeasibility = scheduler('ignores-feasibility', ({ tasks, shapes, nodes }) => ({
  decisions: tasks.map(({ key, shape }) => {
    const feasible = new Set(shapes[shape]!.feasible);
    return {
      task: key,
      node: Math.max(
        0,
        nodes.findIndex((_, node) => !feasible.has(node)),
      ),
    };
  }),
  memory: null,
}));

export const emptiesLists = scheduler('empties-lists', (input) => {
  for (const { feasible } of input.shapes) (feasible as Uint32Array).fill(0);
  (input.tasks as unknown[]).length = 0;
  (input.nodes as unknown[]).length = 0;
  throw new Error('and then it throws');
});
