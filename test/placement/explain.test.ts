import { describe, expect, it } from '@jest/globals';
import { aNode, aPlacement, aShape, addTasks } from './cluster.ts';

describe('an explanation', () => {
  it('is null for a task run that does not wait', () => {
    expect(aPlacement([]).explain('r.0')).toBeNull();
  });

  it('says that there are no nodes', () => {
    const placement = aPlacement([]);
    addTasks(placement, aShape(), 'r.0');
    expect(placement.explain('r.0')).toEqual({
      position: 0,
      pending: 1,
      nodes: [],
      reasons: [{ code: 'NO_NODES', message: 'The pool has no nodes.', remedy: 'Start an agent for this pool.' }],
    });
  });

  it('says of each node what keeps the task run from there', () => {
    const placement = aPlacement([
      aNode('full', { capacity: { slots: 2, memory: 2 ** 30 } }),
      aNode('free', { capacity: { slots: 2, memory: 2 ** 30 } }),
      aNode('cordoned', { eligibility: 'CORDONED', capacity: { slots: 2, memory: 2 ** 30 } }),
      aNode('tiny', { capacity: { slots: 2, memory: 2 ** 20 } }),
    ]);
    placement.reserve(aShape({ slots: 1, memory: 3 * 2 ** 28 }), 'full');
    addTasks(placement, aShape({ slots: 1, memory: 2 ** 29 }), 'r.0');
    const explained = placement.explain('r.0')!;
    expect(explained.nodes.map(({ node, verdict }) => `${node} ${verdict}`)).toEqual([
      'cordoned REFUSED',
      'free FITS',
      'full FULL',
      'tiny REFUSED',
    ]);
    expect(explained.nodes[2]!.reasons).toEqual([
      {
        code: 'NO_ROOM',
        message: 'Node full has 256Mi of memory free; the task needs 512Mi.',
        remedy: 'It fits when what runs on full has given back 256Mi of memory.',
      },
    ]);
    expect(explained.reasons).toEqual([
      { code: 'NEXT', message: 'There is room for it; it is placed when its turn comes.' },
    ]);
  });

  it('says that all nodes that would do are full', () => {
    const placement = aPlacement([aNode('a', { capacity: { slots: 1 } }), aNode('b', { connection: 'LOST' })]);
    placement.reserve(aShape(), 'a');
    addTasks(placement, aShape(), 'r.0');
    placement.place(0);
    expect(placement.explain('r.0')!.reasons).toEqual([
      {
        code: 'NO_ROOM',
        message: 'One node of 2 would do, and none has 1 of slots free.',
        remedy: 'Wait until something ends, or add a node.',
      },
    ]);
  });

  it('says why no node will do, and what would help', () => {
    const placement = aPlacement([aNode('a'), aNode('b')]);
    addTasks(placement, aShape({ slots: 1 }, { nodeSelector: { zone: 'x' } }), 'r.0');
    placement.place(0);
    expect(placement.explain('r.0')!.reasons).toEqual([
      {
        code: 'NO_FEASIBLE_NODE',
        message: 'None of 2 nodes will do. Node a has no label zone; the task wants zone=x.',
        remedy: 'Drop zone=x from the task’s nodeSelector, or give a the label.',
      },
    ]);
  });

  it('counts who goes before it: by priority, then by waiting', () => {
    const placement = aPlacement([]);
    const ranks = { low: [-1, 0], old: [0, 1], young: [0, 5], urgent: [9, 9] } as const;
    for (const [key, [priority, readySince]] of Object.entries(ranks)) {
      placement.add({ key, shape: aShape(), priority, readySince, tenant: 'work' });
    }
    expect(Object.keys(ranks).map((key) => placement.explain(key)!.position)).toEqual([3, 1, 2, 0]);
    expect(placement.explain('low')!.pending).toBe(4);
  });
});
