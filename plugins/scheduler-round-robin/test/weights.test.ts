import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PlacementInput, Shape } from '@gantry/plugin-kit/scheduler';
import plugin from '../src/index.ts';

type Weights = Readonly<Record<string, number>>;
type Input = Parameters<typeof plugin.place>[0];

const names = ['a', 'b', 'c', 'd', 'e'] as const;

function call(
  count: number,
  weights: Weights,
  memory: Input['memory'] = null,
  shape: Partial<Shape> = {},
  free = 1_000,
): Input {
  return {
    config: { weights, reserveAfterMs: null, reservations: 1 },
    memory,
    seed: 0,
    now: 0,
    resources: ['slots'],
    nodes: names.map((name) => ({
      name,
      labels: { size: name < 'c' ? 'large' : 'small' },
      capacity: [1_000],
      free: [free],
    })),
    shapes: [{ needs: [1], feasible: names.map((_, at) => at), ...shape }],
    tasks: Array.from({ length: count }, (_, at) => ({
      key: `r.${at}`,
      shape: 0,
      priority: 0,
      readySince: at,
      tenant: 't',
    })),
    running: [],
    tenants: [],
  } satisfies PlacementInput<
    { weights: Weights; reserveAfterMs: number | null; reservations: number },
    NonNullable<Input['memory']>
  >;
}

function places(input: Input): string {
  return plugin
    .place(input)
    .decisions.map((each) => ('node' in each ? names[each.node]! : '-'))
    .join('');
}

const weightsOf = fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 5, maxLength: 5 });

describe('weighted round-robin', () => {
  it('gives a node as many turns in a round as it weighs, spaced evenly', () => {
    // a at 1/6, 3/6, 5/6; the others at 1/8, 3/8, 5/8, 7/8.
    expect(places(call(7, { a: 3 }))).toBe('bacadae');
    expect(places(call(14, { a: 3 })).length).toBe(14);
  });

  it('weighs by label as well, and takes the most of what matches', () => {
    const counts = places(call(80, { 'size=large': 2, a: 3 })).split('');
    expect(names.map((name) => counts.filter((each) => each === name).length)).toEqual([30, 20, 10, 10, 10]);
  });

  it('gives each node its share to within one task and half as many as there are weights, after any number of tasks', () => {
    fc.assert(
      fc.property(weightsOf, fc.integer({ min: 1, max: 300 }), (each, count) => {
        const weights = Object.fromEntries(names.map((name, at) => [name, each[at]!]));
        const sum = each.reduce((total, weight) => total + weight, 0);
        const placed = places(call(count, weights)).split('');
        names.forEach((name, at) => {
          const got = placed.filter((one) => one === name).length;
          expect(Math.abs(got - (count * each[at]!) / sum)).toBeLessThanOrEqual(1 + new Set(each).size / 2);
        });
      }),
    );
  });

  it('goes on where it stopped, however the tasks are divided over calls', () => {
    fc.assert(
      fc.property(weightsOf, fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }), (each, counts) => {
        const weights = Object.fromEntries(names.map((name, at) => [name, each[at]!]));
        let memory: Input['memory'] = null;
        let inParts = '';
        for (const count of counts) {
          const input: Input = call(count, weights, memory);
          inParts += places(input);
          memory = plugin.place(input).memory;
        }
        expect(inParts).toBe(places(call(inParts.length, weights)));
      }),
    );
  });

  it('keeps its place when weights are set and taken back', () => {
    const { memory } = plugin.place(call(2, {}));
    expect(places(call(3, { a: 3 }, memory))).toBe('aca');
    expect(places(call(2, {}, { node: 'b', at: 0.25 }))).toBe('cd');
  });

  it('skips full nodes however much they weigh', () => {
    const input = call(4, { a: 16 });
    const nodes = input.nodes.map((node, at) => (at === 0 ? { ...node, free: [0] } : node));
    expect(
      places({ ...input, nodes })
        .split('')
        .sort()
        .join(''),
    ).toBe('bcde');
  });

  it('rotates over the best liked nodes that have room, then over the next', () => {
    expect(places(call(12, {}, null, { preference: [0, 50, 0, 50, -100] }, 2))).toBe('bdbdacacee');
  });

  it('refuses weights that are none', () => {
    for (const weights of [{ a: 0 }, { a: 1.5 }, { a: 17 }, { a: '2' }, { '': 1 }, []]) {
      expect(plugin.config.check({ weights }).ok).toBe(false);
    }
  });
});
