import { describe, expect, it } from '@jest/globals';
import type { PlacementInput } from '@gantry/plugin-kit/scheduler';
import { chance } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

/** Nodes of 100, and tasks of these sizes in their order. */
function call(
  sizes: readonly number[],
  some: { nodes?: number; priorities?: readonly number[]; lookAhead?: boolean } = {},
) {
  const { nodes = sizes.length, priorities = [], lookAhead = true } = some;
  const input: PlacementInput<{ lookAhead: boolean; reserveAfterMs: number | null; reservations: number }> = {
    config: { lookAhead, reserveAfterMs: null, reservations: 1 },
    memory: null,
    seed: 0,
    now: 0,
    resources: ['space'],
    nodes: Array.from({ length: nodes }, (_, at) => ({
      name: `n${1_000 + at}`,
      labels: {},
      capacity: [100],
      free: [100],
    })),
    shapes: sizes.map((size) => ({ needs: [size], feasible: Array.from({ length: nodes }, (_, at) => at) })),
    tasks: sizes.map((_, at) => ({
      key: `t${at}`,
      shape: at,
      priority: priorities[at] ?? 0,
      readySince: at,
      tenant: 't',
    })),
    running: [],
    tenants: [],
  };
  return plugin.place(input).decisions.map((each) => [each.task, 'node' in each ? each.node : -1] as const);
}

const nodesUsed = (decisions: ReturnType<typeof call>): number => new Set(decisions.map(([, node]) => node)).size;

describe('bin-packing with look-ahead', () => {
  it('packs a batch as a whole where one by one takes a node more', () => {
    const sizes = [30, 30, 70, 70];
    expect(nodesUsed(call(sizes, { lookAhead: false }))).toBe(3);
    expect(nodesUsed(call(sizes))).toBe(2);
  });

  it('fills a node with the set that leaves least, not with the next largest', () => {
    // After 50 the next largest that fits is 40, which leaves 10; 26 and 24 leave nothing.
    expect(nodesUsed(call([50, 40, 40, 26, 24, 20]))).toBe(2);
  });

  it('lets no task take the place of one of higher priority', () => {
    const decisions = call([60, 60, 50], { nodes: 1, priorities: [0, 0, 1] });
    expect(decisions).toEqual([['t2', 0]]);
  });

  it('needs at most a fiftieth more nodes than the optimum where that is known', () => {
    for (let seed = 0; seed < 10; seed++) {
      const random = chance(seed);
      const sizes = Array.from({ length: 50 }, () => {
        const cut = 10 + Math.floor(random() * 40);
        const other = 5 + Math.floor(random() * (85 - cut));
        return [cut, other, 100 - cut - other];
      }).flat();
      sizes.sort((one, other) => ((one * 7) % 11) - ((other * 7) % 11));
      expect(nodesUsed(call(sizes))).toBeLessThanOrEqual(51);
    }
  });
});
