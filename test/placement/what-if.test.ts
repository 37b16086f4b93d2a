import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { whatIf } from '../../server/placement/what-if.ts';
import { aNode, aPlacement, aShape, addTasks, BUILT_IN, placed } from './cluster.ts';

const nothing = { nodes: [], removedNodes: [], requests: [] };
const requests = (count: number, slots = 1) =>
  Array.from({ length: count }, (_, at) => ({
    key: `s.${at}`,
    shape: aShape({ slots }),
    priority: 0,
    readySince: 0,
    tenant: 'simulated',
  }));

describe('what if', () => {
  it('there were more to place: tells where they would go, what is used then, and why the rest would wait', () => {
    const placement = aPlacement([aNode('a', { capacity: { slots: 3 } })]);
    placement.reserve(aShape(), 'a');
    expect(whatIf(placement, { ...nothing, requests: requests(3) }, 0, 10)).toMatchObject({
      placements: [
        { taskRun: 's.0', node: 'a' },
        { taskRun: 's.1', node: 'a' },
      ],
      preempted: [],
      pendingCount: 1,
      pending: [{ taskRun: 's.2', explanation: { tier: 'CAPACITY' } }],
      utilization: [{ resource: 'slots', capacity: 3, before: 1, after: 3 }],
    });
  });

  it('there were other nodes: what waits goes there', () => {
    const placement = aPlacement([aNode('a', { capacity: { slots: 1 } })]);
    addTasks(placement, aShape({ slots: 4 }), 'r.0');
    const changes = { ...nothing, nodes: [aNode('b', { capacity: { slots: 4 } })], removedNodes: ['a'] };
    expect(whatIf(placement, changes, 0, 10)).toMatchObject({
      placements: [{ taskRun: 'r.0', node: 'b' }],
      utilization: [{ capacity: 4, before: 0, after: 4 }],
    });
  });

  it.each(BUILT_IN)('nothing were otherwise: $name decides as it does in earnest', (plugin) => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 20 });
    fc.assert(
      fc.property(sizes, fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 5 }), (tasks, nodes) => {
        const make = () => {
          const placement = aPlacement(
            nodes.map((slots, at) => aNode(`n${at}`, { capacity: { slots } })),
            { plugin, batch: 5 },
          );
          tasks.forEach((slots, at) => addTasks(placement, aShape({ slots }), `r.${at}`));
          return placement;
        };
        const live = make();
        const decided: string[] = [];
        while (live.canPlace) decided.push(...placed(live, 7));
        const { placements, pendingCount } = whatIf(make(), nothing, 7, 0);
        expect(placements.map(({ taskRun, node }) => `${taskRun}>${node}`)).toEqual(decided);
        expect(pendingCount).toBe(live.pendingCount);
      }),
      { numRuns: 60 },
    );
  });
});
