import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BestNodes, type NodeScore } from '../src/best-nodes.ts';
import { chance } from '../src/chance.ts';
import type { NodeView, PlacementInput } from '../src/scheduler.ts';
import { randomInput } from '../src/testing/random-cluster.ts';
import { leastLoaded } from '../src/scores.ts';

const input = (seed: number): PlacementInput => randomInput(seed, {}, null, { nodes: 12, shapes: 4, tasks: 60 });
const falls = leastLoaded(['a', 'b', 'c']);
const rises: NodeScore = (...all) => -falls(...all);
const scores: readonly (readonly [string, NodeScore])[] = [
  ['falls when a node is taken', falls],
  ['rises when a node is taken', rises],
  ['goes up and down', (_shape, node, cluster) => (cluster.freeOf(node, 0) * 7919) % 13],
];

/** Places what it can; the nodes, in order, and −1 for what fits nowhere. */
function decide({ nodes, resources, shapes, tasks }: PlacementInput, score: NodeScore, keptWith?: object) {
  const kept = keptWith === undefined ? {} : { keptWith };
  const choices = new BestNodes({ nodes, resources, shapes, score, ...kept });
  return tasks.map(({ shape }) => {
    const node = choices.best(shape);
    if (node >= 0) choices.take(shape, node);
    return node;
  });
}

/** The nodes after some of what was placed has stayed and some of what was there before has ended. */
function later(nodes: readonly NodeView[], random: () => number): readonly NodeView[] {
  return nodes.map((node) =>
    random() < 0.5
      ? node
      : {
          ...node,
          free: node.capacity.map((capacity, column) =>
            random() < 0.3 ? node.free[column]! : Math.floor(random() * (capacity + 1)),
          ),
        },
  );
}

describe('nodes that are kept from call to call', () => {
  it.each(scores)('are chosen as if they had never been seen, by a score that %s', (_name, score) => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 2, max: 12 }), (seed, calls) => {
        const random = chance(seed);
        const config = {};
        let call = input(seed);
        for (let at = 0; at < calls; at++) {
          expect(decide(call, score, config)).toEqual(decide(call, score));
          const tasks = call.tasks.filter(() => random() < 0.8);
          call = { ...call, nodes: later(call.nodes, random), tasks: tasks.length === 0 ? call.tasks : tasks };
        }
      }),
      { numRuns: 100 },
    );
  });

  it('are forgotten when there are more, fewer or others, and when they are judged otherwise', () => {
    const config = {};
    for (const [seed, score] of [
      [1, falls],
      [2, falls],
      [2, rises],
      [1, falls],
    ] as const) {
      const { nodes, ...rest } = input(seed);
      const call = { ...rest, nodes: seed === 2 ? nodes.slice(0, -1) : nodes };
      const shapes = call.shapes.map((shape) => ({
        ...shape,
        feasible: Uint32Array.from([...shape.feasible].filter((node) => node < call.nodes.length)),
      }));
      expect(decide({ ...call, shapes }, score, config)).toEqual(decide({ ...call, shapes }, score));
    }
  });
});
