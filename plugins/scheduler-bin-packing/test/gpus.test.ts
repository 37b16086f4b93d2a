import { describe, expect, it } from '@jest/globals';
import { chooseGpus, shareOf } from '@gantry/plugin-kit/gpus';
import type { Json, NodeView, PlacementInput } from '@gantry/plugin-kit/scheduler';
import { chance } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

/** Tasks come one after the other, over all calls. */
let clock = 0;

type Needs = readonly [cpu: number, gpu: number];

const node = (name: string, cpu: number, gpus: readonly number[]): NodeView => ({
  name,
  labels: {},
  capacity: [16, gpus.length * 1_000],
  free: [cpu, gpus.reduce((sum, each) => sum + each, 0)],
  ...(gpus.length > 0 ? { gpus } : {}),
});

function call(
  nodes: readonly NodeView[],
  tasks: readonly Needs[],
  memory: Json = null,
): PlacementInput<{ lookAhead: boolean; reserveAfterMs: number | null; reservations: number }> {
  return {
    config: { lookAhead: false, reserveAfterMs: null, reservations: 1 },
    memory,
    seed: 0,
    now: 0,
    resources: ['cpu', 'gpu'],
    nodes,
    shapes: tasks.map((needs) => ({ needs, feasible: nodes.map((_, at) => at) })),
    tasks: tasks.map((_, at) => ({ key: `r.${at}`, shape: at, priority: 0, readySince: ++clock, tenant: 't' })),
    running: [],
    tenants: [],
  };
}

function places(
  input: PlacementInput<{ lookAhead: boolean; reserveAfterMs: number | null; reservations: number }>,
): string {
  return plugin
    .place(input)
    .decisions.map((each) => ('node' in each ? input.nodes[each.node]!.name : '-'))
    .join('');
}

/** What is remembered once such tasks have been seen. */
const after = (...tasks: readonly Needs[]): Json => plugin.place(call([], tasks)).memory;

describe('bin-packing with GPUs', () => {
  it('takes what is left of a GPU in use before it breaks into a whole one', () => {
    const nodes = [node('a', 16, [1_000, 1_000]), node('b', 16, [1_000, 400])];
    expect(places(call(nodes, [[1, 400]], after([1, 1_000], [1, 400])))).toBe('b');
  });

  it('leaves no part that no task of late could use, where another GPU is left with one of use', () => {
    // Of a 300 are left, which is nobody's; of b 500, which is what others ask for.
    const nodes = [node('a', 16, [800]), node('b', 16, [1_000])];
    const demand = after([1, 500], [1, 500], [1, 500]);
    expect(places(call(nodes, [[1, 500]], demand))).toBe('b');
  });

  it('keeps CPU beside GPUs: a task that needs much goes where no GPU is stranded by it', () => {
    const nodes = [node('a', 8, [1_000, 1_000]), node('b', 16, [1_000, 1_000])];
    const demand = after([4, 1_000], [4, 1_000]);
    // On a nothing would be left for the other GPU.
    expect(places(call(nodes, [[8, 1_000]], demand))).toBe('b');
  });

  it('keeps tasks without GPUs off nodes that have some, as long as there are others', () => {
    const nodes = [node('a', 16, [1_000]), node('b', 16, [])];
    const demand = after([4, 1_000]);
    expect(
      places(
        call(
          nodes,
          [
            [8, 0],
            [8, 0],
            [8, 0],
          ],
          demand,
        ),
      ),
    ).toBe('bba');
  });

  it('remembers what was asked for lately under the names of the resources, however they are ordered', () => {
    const { memory } = plugin.place(
      call(
        [],
        [
          [2, 500],
          [2, 500],
          [8, 0],
        ],
      ),
    );
    expect(memory).toMatchObject({ resources: ['cpu', 'gpu'], kinds: [{ count: 2, needs: [2, 500] }] });
    const input = { ...call([], [[500, 2]], memory), resources: ['gpu', 'cpu'] };
    expect(plugin.place(input).memory).toMatchObject({
      resources: ['gpu', 'cpu'],
      kinds: [{ count: 3, needs: [500, 2] }],
    });
  });

  it('counts a task that waits for long once', () => {
    const input = call([], [[2, 500]]);
    const { memory } = plugin.place(input);
    expect(plugin.place({ ...input, memory }).memory).toEqual(memory);
  });

  it('forgets slowly, and what is rare first', () => {
    let memory = after([7, 1_000]);
    for (let call = 0; call < 30; call++) memory = plugin.place(inputOf(memory)).memory;
    const { kinds } = memory as { kinds: readonly { count: number; needs: readonly number[] }[] };
    expect(kinds.length).toBeLessThanOrEqual(40);
    expect(kinds.some(({ needs }) => needs[0] === 7)).toBe(false);
    expect(kinds.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(8_192);
  });

  it('over-commits no single GPU', () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = chance(seed);
      const upTo = (most: number): number => Math.floor(random() * (most + 1));
      const nodes = Array.from({ length: 8 }, (_, at) =>
        node(
          `n${at}`,
          upTo(16),
          Array.from({ length: upTo(4) }, () => upTo(10) * 100),
        ),
      );
      const tasks = Array.from({ length: 30 }, (): Needs => [upTo(4), upTo(2) === 0 ? 1_000 * upTo(3) : upTo(9) * 100]);
      const gpus = nodes.map((each) => [...(each.gpus ?? [])]);
      for (const decision of plugin.place(call(nodes, tasks)).decisions) {
        if (!('node' in decision)) throw new Error('It holds nothing.');
        const need = tasks[Number(decision.task.slice(2))]![1];
        const chosen = chooseGpus(gpus[decision.node]!, need);
        expect(chosen).not.toBeNull();
        for (const gpu of chosen!) gpus[decision.node]![gpu]! -= shareOf(need);
      }
    }
  });
});

function inputOf(
  memory: Json,
): PlacementInput<{ lookAhead: boolean; reserveAfterMs: number | null; reservations: number }> {
  return call(
    [],
    Array.from({ length: 500 }, (_, at): Needs => [1 + (at % 6), 1_000]),
    memory,
  );
}
