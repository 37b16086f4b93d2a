import { describe, expect, it } from '@jest/globals';
import type { NodeView, PlacementInput } from '@gantry/plugin-kit/scheduler';
import { randomInput } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

function place(nodes: readonly NodeView[], needs: readonly (readonly number[])[]): string {
  const input: PlacementInput<{ lookAhead: boolean; reserveAfterMs: number | null; reservations: number }> = {
    config: { lookAhead: false, reserveAfterMs: null, reservations: 1 },
    memory: null,
    seed: 0,
    now: 0,
    resources: ['cpu', 'memory'],
    nodes,
    shapes: needs.map((each) => ({ needs: each, feasible: nodes.map((_, at) => at) })),
    tasks: needs.map((_, at) => ({ key: `r.${at}`, shape: at, priority: 0, readySince: at, tenant: 't' })),
    running: [],
    tenants: [],
  };
  return plugin
    .place(input)
    .decisions.map((each) => ('node' in each ? nodes[each.node]!.name : '-'))
    .join('');
}

const node = (name: string, free: readonly number[], capacity: readonly number[] = [8, 8]): NodeView => ({
  name,
  labels: {},
  capacity,
  free,
});

describe('bin-packing', () => {
  it('fills a node before it begins the next', () => {
    expect(place([node('a', [8, 8]), node('b', [8, 8])], Array(6).fill([2, 2]))).toBe('aaaabb');
  });

  it('takes the fullest node that still fits', () => {
    expect(place([node('a', [8, 8]), node('b', [3, 3]), node('c', [1, 1])], [[2, 2]])).toBe('b');
  });

  it('goes by the resource of which the task takes the largest share', () => {
    // Of cpu it takes 4/8, of memory 1/8: a leaves (4 − 4) / 8 of cpu, b (6 − 4) / 8, whatever they leave of memory.
    expect(place([node('a', [4, 8]), node('b', [6, 1])], [[4, 1]])).toBe('a');
  });

  it('goes by shares, not by amounts', () => {
    // a leaves 1 of 2, b leaves 3 of 16.
    expect(place([node('a', [2, 2], [2, 2]), node('b', [4, 4], [16, 16])], [[1, 1]])).toBe('b');
  });

  it('uses an empty node only when no other has room, among nodes that are alike', () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = randomInput(seed, { lookAhead: false, reserveAfterMs: null, reservations: 1 });
      const capacity = [8_000, 2 ** 34, 64, 4];
      const nodes = random.nodes.map(({ name }) => ({ name, labels: {}, capacity, free: capacity }));
      const shapes = random.shapes.map(({ needs }) => ({ needs, feasible: nodes.map((_, at) => at) }));
      const { decisions } = plugin.place({ ...random, memory: null, nodes, shapes });
      const free = nodes.map((each) => [...each.free]);
      const used = new Set<number>();
      for (const decision of decisions) {
        if (!('node' in decision)) continue;
        const { needs } = shapes[random.tasks.find(({ key }) => key === decision.task)!.shape]!;
        const hadRoom = [...used].some((at) => needs.every((need, column) => need <= free[at]![column]!));
        if (!used.has(decision.node)) expect(hadRoom).toBe(false);
        used.add(decision.node);
        needs.forEach((need, column) => (free[decision.node]![column]! -= need));
      }
    }
  });
});
