import { describe, expect, it } from '@jest/globals';
import { BestNodes } from '../src/best-nodes.ts';
import { mostHeld, Reservations } from '../src/reservations.ts';
import { reservePolicyOf } from '../src/reserve-settings.ts';
import type { PendingTask, PlacementInput, Reservation, RunningAttempt } from '../src/scheduler.ts';
import { leastLoaded } from '../src/scores.ts';

const NOW = 1_000_000;
const RESOURCES = ['cpu', 'slots', 'gpu'];
const POLICY = { afterMs: 1_000, atOnce: 8 };

/** Nodes with so much free of 8 CPUs, 8 slots and two GPUs. */
function call(free: readonly (readonly number[])[], some: Partial<PlacementInput> = {}): PlacementInput {
  const nodes = free.map((amounts, at) => {
    const gpus = amounts.slice(2);
    const sum = gpus.reduce((all, each) => all + each, 0);
    return { name: `n${at}`, labels: {}, capacity: [8, 8, 2_000], free: [amounts[0]!, amounts[1]!, sum], gpus };
  });
  return {
    config: {},
    memory: null,
    seed: 0,
    now: NOW,
    resources: RESOURCES,
    nodes,
    shapes: [
      { needs: [6, 0, 0], feasible: nodes.map((_, at) => at) },
      { needs: [1, 1, 0], feasible: nodes.map((_, at) => at) },
      { needs: [0, 1, 0], feasible: nodes.map((_, at) => at) },
      { needs: [0, 0, 1_000], feasible: nodes.map((_, at) => at) },
    ],
    tasks: [],
    running: [],
    tenants: [],
    ...some,
  };
}

const task = (shape: number, waitedMs = 5_000, key = 'large'): PendingTask => {
  return { key, shape, priority: 0, readySince: NOW - waitedMs, tenant: 't' };
};
const attempt = (key: string, node: number, cpu: number, ranMs: number, durationMs?: number): RunningAttempt => {
  const forecast = durationMs === undefined ? {} : { durationMs };
  return { key, node, needs: [cpu, 1, 0], priority: 0, startedAt: NOW - ranMs, ...forecast };
};

function over(input: PlacementInput) {
  const { nodes, resources, shapes } = input;
  const choices = new BestNodes({ nodes, resources, shapes, score: leastLoaded(resources) });
  return { choices, reservations: new Reservations(input, choices, POLICY) };
}

/** The node that is held for a task; null when none is. */
function heldFor(input: PlacementInput, waiting: PendingTask): number | null {
  const { reservations } = over(input);
  return reservations.passOver(waiting) ? reservations.output.reservations![0]!.node : null;
}

const NINE = Array.from({ length: 9 }, () => [2, 8, 0, 0]);

describe('a reservation', () => {
  it('is made for who has waited long enough', () => {
    expect(heldFor(call([[2, 8]]), task(0, 1_000))).toBe(0);
    expect(heldFor(call([[2, 8]]), task(0, 999))).toBeNull();
    expect(over(call([[2, 8]])).reservations.output).toEqual({});
  });

  it('keeps from its node what needs the same, and nothing else', () => {
    const { choices, reservations } = over(call([[2, 8]]));
    reservations.passOver(task(0));
    expect(choices.best(1)).toBe(-1);
    expect(choices.best(2)).toBe(0);
  });

  it('keeps the GPUs of its node, too', () => {
    const { choices, reservations } = over(call([[2, 8, 500, 500]], { running: [] }));
    expect(choices.best(3)).toBe(-1);
    reservations.passOver(task(3));
    expect(choices.cluster.gpusOf(0)).toEqual([0, 0]);
    expect(choices.cluster.free(0)).toEqual([2, 8, 0]);
  });

  it('is of one node in eight at most, of one in any case, and of no more than is asked for', () => {
    expect([0, 1, 7, 15, 16, 100].map((nodes) => mostHeld(nodes, POLICY))).toEqual([0, 1, 1, 1, 2, 8]);
    const { reservations } = over(call(NINE));
    expect(['a', 'b'].map((key) => reservations.passOver(task(0, 5_000, key)))).toEqual([true, false]);
  });

  it('is of another node for each', () => {
    const { reservations } = over(call([...NINE, ...NINE]));
    for (const key of ['a', 'b']) reservations.passOver(task(0, 5_000, key));
    expect(reservations.output.reservations).toEqual([
      { task: 'a', node: 0, since: NOW },
      { task: 'b', node: 1, since: NOW },
    ]);
  });

  it('is of the node where the least is missing when nothing is known of what runs', () => {
    const free = [
      [1, 8],
      [3, 8],
      [3, 8],
    ];
    expect(heldFor(call(free), task(0))).toBe(1);
  });

  it('is of the node where enough will probably end first', () => {
    const free = [
      [2, 8],
      [0, 8],
    ];
    // 6 CPUs are free on n0 when what has run for an hour has ended, on n1 when three that are new have.
    const running = [
      attempt('old', 0, 6, 3_600_000),
      ...['a', 'b', 'c', 'd'].map((key, at) => attempt(key, 1, 2, 1_000 * (at + 1))),
    ];
    expect(heldFor(call(free, { running }), task(0))).toBe(1);
    // A forecast knows better than the age: the old one ends in 2 s, the third of the new ones in 3 s.
    const forecast = [attempt('old', 0, 6, 3_600_000, 3_602_000), ...running.slice(1)];
    expect(heldFor(call(free, { running: forecast }), task(0))).toBe(0);
  });

  it('is of the node that the task likes better when all else is equal', () => {
    const input = call([
      [2, 8],
      [2, 8],
    ]);
    const shapes = [{ ...input.shapes[0]!, preference: [0, 50] }];
    expect(heldFor({ ...input, shapes }, task(0))).toBe(1);
  });

  it('stays where it is until the task has waited twice as long as when it was made', () => {
    const free = [
      [1, 8],
      [3, 8],
    ];
    // READY for 5 s.
    const held = (sinceMs: number): readonly Reservation[] => [{ task: 'large', node: 0, since: NOW - sinceMs }];
    expect(heldFor(call(free, { reservations: held(2_500) }), task(0, 5_000))).toBe(0);
    expect(heldFor(call(free, { reservations: held(2_501) }), task(0, 5_000))).toBe(1);
    const { reservations } = over(call(free, { reservations: held(2_500) }));
    reservations.passOver(task(0, 5_000));
    expect(reservations.output.reservations).toEqual(held(2_500));
  });

  it('goes elsewhere when its node will not do any more', () => {
    const reservations = [{ task: 'large', node: 0, since: NOW - 1 }];
    const input = call(
      [
        [1, 8],
        [1, 8],
      ],
      { reservations },
    );
    expect(heldFor({ ...input, shapes: [{ needs: [6, 0, 0], feasible: [1] }] }, task(0))).toBe(1);
    expect(heldFor({ ...input, shapes: [{ needs: [6, 0, 0], feasible: [] }] }, task(0))).toBeNull();
  });

  it('is made for nobody where that is configured', () => {
    expect(reservePolicyOf({ reserveAfterMs: null, reservations: 4 })).toBeNull();
    const input = call([[2, 8]]);
    const { nodes, resources, shapes } = input;
    const choices = new BestNodes({ nodes, resources, shapes, score: leastLoaded(resources) });
    expect(new Reservations(input, choices, null).passOver(task(0))).toBe(false);
  });
});
