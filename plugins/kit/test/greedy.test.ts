import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { greedy, type GreedyRules } from '../src/greedy.ts';
import type { Decision, PlacementInput } from '../src/scheduler.ts';
import { randomInput } from '../src/testing/random-cluster.ts';
import { Cluster } from '../src/cluster.ts';

/** The same rule by a scan of every node for every task: what `greedy` must decide, ties included. */
function naive(input: PlacementInput, { score, order }: GreedyRules): readonly Decision[] {
  const cluster = new Cluster(input.nodes, input.resources);
  const usual: GreedyRules['order'] = (one, other) =>
    other.priority - one.priority || one.readySince - other.readySince;
  return input.tasks.toSorted(order ?? usual).flatMap(({ key, shape }) => {
    const { needs, feasible } = input.shapes[shape]!;
    let best: { node: number; score: number } | null = null;
    for (const node of feasible) {
      if (!cluster.fits(node, needs)) continue;
      const value = score(input.shapes[shape]!, node, cluster);
      if (best === null || value > best.score) best = { node, score: value };
    }
    if (best === null) return [];
    cluster.take(best.node, needs);
    return [{ task: key, node: best.node }];
  });
}

const share = (cluster: Cluster, node: number): number =>
  cluster.free(node).reduce((sum, free, column) => sum + free / (cluster.capacityOf(node, column) || 1), 0);

/** Scores that fall with every placement, that rise, that do either, that tie, and that stay. */
const rules: readonly (readonly [name: string, rules: GreedyRules])[] = [
  ['spreads', { score: (_shape, node, cluster) => share(cluster, node) }],
  ['packs', { score: (_shape, node, cluster) => -share(cluster, node) }],
  ['jumps up and down', { score: (_shape, node, cluster) => (cluster.freeOf(node, 2) * 7919) % 13 }],
  ['ties often', { score: (_shape, node, cluster) => Math.floor(share(cluster, node)) }],
  ['knows no difference', { score: () => 0 }],
  ['prefers the last', { score: (_shape, node) => node }],
  ['judges by shape', { score: ({ needs }, node, cluster) => Math.abs(cluster.freeOf(node, 0) - 3 * needs[0]!) }],
  ['avoids some for ever', { score: (_shape, node) => (node % 3 === 0 ? -Infinity : -node) }],
];

describe('greedy', () => {
  it.each(rules)('decides exactly as a scan of all nodes when the score %s', (_name, rule) => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(1, 2, 5), fc.boolean(), (seed, shapes, isReversed) => {
        const input = randomInput(seed, {}, null, { nodes: 20, shapes, tasks: 120 });
        const order: GreedyRules['order'] = isReversed ? (one, other) => (one.key < other.key ? 1 : -1) : undefined;
        const tried = order === undefined ? rule : { ...rule, order };
        expect(greedy(() => tried)(input).decisions).toEqual(naive(input, tried));
      }),
      { numRuns: 150 },
    );
  });

  it('gives the rule the config and the input, and keeps the memory as it was', () => {
    const input = randomInput(7, { spread: true }, ['kept']);
    const seen: unknown[] = [];
    const place = greedy((config: { spread: boolean }, { now }) => {
      seen.push(config, now);
      return { score: () => 0 };
    });
    expect(place(input).memory).toEqual(['kept']);
    expect(seen).toEqual([{ spread: true }, input.now]);
  });

  it('names the best nodes it has considered when asked to, best first', () => {
    const input: PlacementInput = {
      ...randomInput(1, {}),
      resources: ['slots'],
      nodes: ['a', 'b', 'c', 'd'].map((name, at) => ({ name, labels: {}, capacity: [9], free: [[2, 5, 0, 4][at]!] })),
      shapes: [{ needs: [1], feasible: [0, 1, 2, 3] }],
      tasks: [{ key: 'r.0', shape: 0, priority: 0, readySince: 0, tenant: 't' }],
    };
    const place = greedy(() => ({ considered: 2, score: (_shape, node, cluster) => cluster.freeOf(node, 0) }));
    expect(place(input).decisions).toEqual([
      {
        task: 'r.0',
        node: 1,
        considered: [
          { node: 1, score: 5 },
          { node: 3, score: 4 },
        ],
      },
    ]);
  });

  it('refuses a score that is not a number, and names the node', () => {
    const input = randomInput(3, {}, null, { nodes: 20, shapes: 1, tasks: 50 });
    expect(() => greedy(() => ({ score: () => Number.NaN }))(input)).toThrow(
      /The score of node node-\d+ is not a number/,
    );
  });
});
