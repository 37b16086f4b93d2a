import { describe, expect, it } from '@jest/globals';
import type { ShapeRules } from '../../server/placement/shape.ts';
import { aNode, aPlacement, aShape, addTasks, placed } from './cluster.ts';

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
      unblock: [],
      tier: 'HEALTH',
      summary: { code: 'NO_NODES', message: 'The pool has no nodes.', remedy: 'Start an agent for this pool.' },
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
      'free FITS',
      'full FULL',
      'cordoned REFUSED',
      'tiny REFUSED',
    ]);
    expect(explained.nodes[1]!.obstacles).toMatchObject([
      {
        tier: 'CAPACITY',
        shortfall: { resource: 'memory', need: 2 ** 29, free: 2 ** 28 },
        code: 'NO_ROOM',
        message: 'Node full has 256Mi of memory free; the task needs 512Mi.',
        remedy: 'Free 256Mi more of memory on full.',
      },
    ]);
    expect(explained).toMatchObject({
      tier: 'QUEUE',
      summary: { code: 'NEXT', message: 'There is room for it; it is placed when its turn comes.' },
      unblock: [],
    });
  });

  it('says that all nodes that would do are full', () => {
    const placement = aPlacement([aNode('a', { capacity: { slots: 1 } }), aNode('b', { connection: 'LOST' })]);
    placement.reserve(aShape(), 'a');
    addTasks(placement, aShape(), 'r.0');
    placement.place(0);
    expect(placement.explain('r.0')).toMatchObject({
      tier: 'CAPACITY',
      summary: {
        code: 'NO_ROOM',
        message: 'One node of 2 would do, and none has 1 of slots free.',
        remedy: 'Wait until enough of what runs has ended, or add a node with 1 of slots and the runner mock.',
      },
    });
  });

  it('says why no node will do, and what would help', () => {
    const placement = aPlacement([aNode('a'), aNode('b')]);
    addTasks(placement, aShape({ slots: 1 }, { nodeSelector: { zone: 'x' } }), 'r.0');
    placement.place(0);
    expect(placement.explain('r.0')).toMatchObject({
      tier: 'CONSTRAINT',
      summary: {
        code: 'NO_FEASIBLE_NODE',
        message: 'None of 2 nodes will do. Node a has no label zone; the task wants zone=x.',
        remedy:
          'Drop zone=x from the task’s nodeSelector, or give a the label zone=x, or add a node with 1 of slots, zone=x and the runner mock.',
      },
      unblock: [{ message: 'Drop zone=x: a and b would do then.', nodes: ['a', 'b'], nodeCount: 2 }],
    });
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

  describe('tells what would help', () => {
    const gpu = (name: string, memory: number) =>
      aNode(name, { labels: { gpu: 'a100' }, capacity: { slots: 9, memory } });

    it('by the least that is missing, on nodes that miss nothing else', () => {
      const placement = aPlacement([
        gpu('one', 2 ** 32),
        gpu('two', 2 ** 33),
        aNode('plain', { capacity: { memory: 1 } }),
      ]);
      placement.reserve(aShape({ memory: 2 ** 32 }), 'one');
      placement.reserve(aShape({ memory: 2 ** 32 + 2 ** 31 }), 'two');
      addTasks(placement, aShape({ memory: 2 ** 32 }, { nodeSelector: { gpu: 'a100' } }), 'r.0');
      expect(placement.explain('r.0')!.unblock).toEqual([
        { message: 'Free 2Gi more of memory: two would do then.', nodes: ['two'], nodeCount: 1 },
      ]);
    });

    it('by each change that suffices, the one that opens most nodes first', () => {
      const placement = aPlacement([
        ...['a', 'b', 'c', 'd'].map((name) => aNode(name, { taints: [{ key: 'spot', effect: 'NO_SCHEDULE' }] })),
        aNode('e', { eligibility: 'CORDONED' }),
      ]);
      addTasks(placement, aShape(), 'r.0');
      expect(placement.explain('r.0')!.unblock.map(({ message }) => message)).toEqual([
        'Tolerate spot: a, b and 2 more nodes would do then.',
        'Uncordon: e would do then.',
      ]);
    });

    it('by two changes when no single one suffices', () => {
      const placement = aPlacement([
        aNode('a', { taints: [{ key: 'spot', effect: 'NO_SCHEDULE' }], eligibility: 'CORDONED' }),
      ]);
      addTasks(placement, aShape(), 'r.0');
      expect(placement.explain('r.0')!.unblock.map(({ message }) => message)).toEqual([
        'Uncordon, and tolerate spot: a would do then.',
      ]);
    });
  });

  describe('tries every remedy before it tells it', () => {
    it('names only nodes on which the amount is enough', () => {
      // 38 nodes lack eight cores, one a tenth of a core.
      const nodes = Array.from({ length: 39 }, (_, at) => aNode(`w${at}`, { capacity: { cpu: 8_000, slots: 9 } }));
      const placement = aPlacement(nodes);
      for (const { name } of nodes) placement.reserve(aShape({ cpu: name === 'w0' ? 100 : 8_000 }), name);
      addTasks(placement, aShape({ cpu: 8_000, slots: 1 }), 'r.0');
      expect(placement.explain('r.0')!.unblock).toEqual([
        { message: 'Free 100m more of cpu: w0 would do then.', nodes: ['w0'], nodeCount: 1 },
      ]);
    });

    it('says nothing of sharing a node that another has for itself', () => {
      const rules = { require: [], prefer: [], exclusive: true, perNode: null, spread: null, gang: null };
      const alone = aShape({ slots: 1 }, { rules });
      const placement = aPlacement([aNode('a', { capacity: { slots: 1 } })]);
      placement.reserve(alone, 'a');
      addTasks(placement, alone, 'r.0');
      expect(placement.explain('r.0')!.unblock).toEqual([
        { message: 'Wait until the exclusive task there has ended: a would do then.', nodes: ['a'], nodeCount: 1 },
      ]);
    });

    it('says what is enough when the node has shrunk under what runs there', () => {
      const placement = aPlacement([aNode('a', { capacity: { slots: 4 } })]);
      for (let at = 0; at < 4; at++) placement.reserve(aShape(), 'a');
      placement.nodeChanged(aNode('a', { capacity: { slots: 2 } }));
      addTasks(placement, aShape(), 'r.0');
      expect(placement.explain('r.0')!.unblock[0]!.message).toBe('Free 3 more of slots: a would do then.');
    });

    it('says nothing when one node more is no room for a gang', () => {
      const rules = { require: [], prefer: [], exclusive: false, perNode: null, spread: null, gang: 'g' };
      const placement = aPlacement([aNode('a', { capacity: { slots: 1 } })]);
      placement.reserve(aShape(), 'a');
      for (const key of ['g.0', 'g.1', 'g.2']) {
        const shape = aShape({ slots: 1 }, { rules });
        placement.add({ key, shape, priority: 0, readySince: 0, tenant: 'work', gangSize: 3 });
      }
      expect(placement.explain('g.0')!.unblock).toEqual([]);
    });
  });

  describe('knows the rules that count others', () => {
    const RULES: ShapeRules = { require: [], prefer: [], exclusive: false, perNode: null, spread: null, gang: null };
    const ruled = (rules: Partial<ShapeRules>) => aShape({ slots: 1 }, { rules: { ...RULES, ...rules } });
    const two = () => [aNode('a', { labels: { zone: 'x' } }), aNode('b', { labels: { zone: 'y' } })];

    it('a limit per node', () => {
      const placement = aPlacement([aNode('a')]);
      const shape = ruled({ perNode: { scope: 'r', max: 1 } });
      placement.reserve(shape, 'a');
      addTasks(placement, shape, 'r.1');
      expect(placement.explain('r.1')).toMatchObject({
        tier: 'LIMIT',
        summary: { code: 'NODE_LIMIT', message: 'Node a has 1 of “r” already, and may have no more.' },
        unblock: [{ message: 'Raise maxPerNode to 2: a would do then.' }],
      });
    });

    it('exclusive use, from both sides', () => {
      const placement = aPlacement([aNode('a')]);
      placement.reserve(aShape(), 'a');
      addTasks(placement, ruled({ exclusive: true }), 'alone');
      expect(placement.explain('alone')).toMatchObject({ tier: 'LIMIT', summary: { code: 'EXCLUSIVE_USE' } });
      const other = aPlacement([aNode('a')]);
      other.reserve(ruled({ exclusive: true }), 'a');
      addTasks(other, aShape(), 'r.0');
      expect(other.explain('r.0')).toMatchObject({
        summary: { code: 'EXCLUSIVE_USE', message: 'A task that wants a for itself runs there.' },
      });
    });

    it('a required spread', () => {
      const placement = aPlacement(two());
      const shape = ruled({ spread: { scope: 's', label: 'zone', required: true } });
      placement.reserve(shape, 'a');
      placement.reserve(aShape({ slots: 1_000 }), 'b');
      addTasks(placement, shape, 'r.1');
      const explained = placement.explain('r.1')!;
      expect(explained).toMatchObject({ tier: 'LIMIT', summary: { code: 'SPREAD' } });
      expect(explained.unblock.map(({ message }) => message)).toEqual([
        'Let the spread be preferred instead of required: a would do then.',
        'Free 993 more of slots: b would do then.',
      ]);
      expect(explained.nodes.find(({ node }) => node === 'a')!.obstacles[0]!.message).toBe(
        'Node a has zone=x; to stay even, the next instance must go where zone=y.',
      );
    });

    it('a gang that is not complete, and one for which there is not room enough', () => {
      const shape = ruled({ gang: 'g' });
      const placement = aPlacement([aNode('a', { capacity: { slots: 2 } })]);
      const request = { shape, priority: 0, readySince: 0, tenant: 'work', gangSize: 3 };
      placement.add({ ...request, key: 'g.0' });
      expect(placement.explain('g.0')).toMatchObject({
        tier: 'GANG',
        summary: { message: 'Only 1 of the 3 of its gang wait for a place; all of them start at once.' },
      });
      placement.add({ ...request, key: 'g.1' });
      placement.add({ ...request, key: 'g.2' });
      expect(placed(placement)).toEqual([]);
      expect(placement.explain('g.0')).toMatchObject({
        tier: 'GANG',
        summary: { message: 'There is room for 2 of the 3 of its gang; all of them start at once.' },
      });
    });
  });
});
