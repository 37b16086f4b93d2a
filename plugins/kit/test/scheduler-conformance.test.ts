import { describe, expect, it } from '@jest/globals';
import { zodConfig } from '../src/config.ts';
import { greedy } from '../src/greedy.ts';
import { defineScheduler, type PlacementInput, type PlacementOutput, type SchedulerPlugin } from '../src/scheduler.ts';
import { schedulerChecks } from '../src/testing/scheduler-conformance.ts';
import * as z from 'zod';

type Place = (input: PlacementInput) => PlacementOutput;
const sound: Place = greedy(() => ({ score: (_shape, node) => -node }));

function scheduler(place: Place, config: SchedulerPlugin['config'] = zodConfig(z.strictObject({}))): SchedulerPlugin {
  return defineScheduler<unknown>({ name: 'tried', version: '1.0.0', summary: 'Tried.', config, place });
}

/** The name of the first check that fails over 50 clusters, and why; null when none does. */
function firstFailure(plugin: SchedulerPlugin): readonly [string, string] | null {
  for (const { name, run } of schedulerChecks) {
    for (let seed = 0; seed < 50; seed++) {
      const problem = run({ plugin, config: {} }, seed);
      if (problem !== null) return [name, problem];
    }
  }
  return null;
}

let calls = 0;

const broken: readonly (readonly [what: string, place: Place, check: RegExp])[] = [
  [
    'decides twice',
    (input) => ({ ...sound(input), decisions: [sound(input).decisions, sound(input).decisions].flat() }),
    /once/,
  ],
  [
    'places on a node that does not exist',
    ({ tasks, memory }) => ({ decisions: tasks.map(({ key }) => ({ task: key, node: 999 })), memory }),
    /node that exists/,
  ],
  [
    'holds without a reason',
    ({ tasks, memory }) => ({
      decisions: tasks.map(({ key }) => ({ task: key, hold: { code: '', message: '' } })),
      memory,
    }),
    /that was offered/,
  ],
  [
    'ignores what is feasible',
    (input) =>
      sound({
        ...input,
        shapes: input.shapes.map((shape) => ({ ...shape, feasible: input.nodes.map((_, at) => at) })),
      }),
    /only on feasible/,
  ],
  [
    'over-commits',
    ({ tasks, shapes, memory }) => ({
      decisions: tasks.flatMap(({ key, shape }) => {
        const [node] = shapes[shape]!.feasible;
        return node === undefined ? [] : [{ task: key, node }];
      }),
      memory,
    }),
    /over-commits/,
  ],
  [
    'forgets every task but the first',
    (input) => ({ ...sound(input), decisions: sound(input).decisions.slice(0, 1) }),
    /without a decision/,
  ],
  [
    'writes on its input',
    (input) => {
      (input.tasks as unknown[]).reverse();
      return sound({ ...input, tasks: [...input.tasks].reverse() });
    },
    /untouched/,
  ],
  ['throws dice', (input) => greedy(() => ({ score: () => Math.random() }))(input), /same input/],
  [
    'has a hidden memory',
    (input) => greedy(() => ({ score: (_shape, node) => (node * ++calls) % 7 }))(input),
    /same input/,
  ],
  ['remembers a Map', (input) => ({ ...sound(input), memory: new Map() as never }), /JSON/],
  ['remembers too much', (input) => ({ ...sound(input), memory: 'x'.repeat(20_000) }), /at most/],
];

describe('the conformance checks', () => {
  it('let a sound scheduler pass', () => {
    expect(firstFailure(scheduler(sound))).toBeNull();
  });

  it.each(broken)('find out a scheduler that %s', (_what, place, check) => {
    expect(firstFailure(scheduler(place))?.[0]).toMatch(check);
  });

  it('find out a config whose check throws', () => {
    const throwing = {
      jsonSchema: {},
      check: () => {
        throw new Error('no');
      },
    };
    expect(firstFailure(scheduler(sound, throwing))?.[1]).toMatch(/threw/);
  });
});
