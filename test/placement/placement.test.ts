import { describe, expect, it } from '@jest/globals';
import type { PlacementInput, SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { aNode, aPlacement, aScheduler, aShape, addTasks, placed, BUILT_IN } from './cluster.ts';

const small = (name: string, slots: number) => aNode(name, { capacity: { slots } });

describe('placement', () => {
  it('places what has room, and remembers what it has reserved', () => {
    const placement = aPlacement([small('a', 2), small('b', 1)]);
    addTasks(placement, aShape(), 'r.0', 'r.1', 'r.2', 'r.3');
    expect(placed(placement)).toEqual(['r.0>a', 'r.1>b', 'r.2>a']);
    expect(placement.pendingCount).toBe(1);
  });

  it('counts what recovery finds on a node, even where it is too much', () => {
    const placement = aPlacement([small('a', 2), small('b', 1)]);
    for (let time = 0; time < 3; time++) placement.reserve(aShape(), 'a');
    addTasks(placement, aShape(), 'r.0', 'r.1');
    expect(placed(placement)).toEqual(['r.0>b']);
    placement.release(aShape(), 'a');
    expect(placed(placement)).toEqual([]);
    placement.release(aShape(), 'a');
    expect(placed(placement)).toEqual(['r.1>a']);
  });

  it('counts what recovery finds of a resource that its node no longer has', () => {
    const placement = aPlacement([small('a', 4)]);
    placement.reserve(aShape({ slots: 1, gpu: 1 }), 'a');
    placement.nodeChanged(aNode('a', { capacity: { slots: 4, gpu: 2 } }));
    addTasks(placement, aShape({ slots: 1, gpu: 1 }), 'r.0', 'r.1');
    expect(placed(placement)).toEqual(['r.0>a']);
  });

  it('places at most a batch in one call, and says that there is more', () => {
    const placement = aPlacement([small('a', 9)], { batch: 2 });
    addTasks(placement, aShape(), 'r.0', 'r.1', 'r.2');
    expect(placed(placement)).toEqual(['r.0>a', 'r.1>a']);
    expect(placement.canPlace).toBe(true);
    expect(placed(placement)).toEqual(['r.2>a']);
    expect(placement.canPlace).toBe(false);
  });

  it('forgets a task run that is withdrawn', () => {
    const placement = aPlacement([small('a', 9)]);
    addTasks(placement, aShape(), 'r.0', 'r.1', 'r.2');
    placement.withdraw('r.1');
    placement.withdraw('never.there');
    expect(placed(placement)).toEqual(['r.0>a', 'r.2>a']);
  });

  it('offers a task run once that becomes READY again', () => {
    const placement = aPlacement([small('a', 9)]);
    addTasks(placement, aShape(), 'r.0', 'r.1');
    placement.add({ key: 'r.0', shape: aShape(), priority: 0, readySince: 50, tenant: 'work' });
    expect(placed(placement)).toEqual(['r.1>a', 'r.0>a']);
  });

  it('gives the longest waiting its turn first, in whatever order they were told', () => {
    const placement = aPlacement([small('a', 9)]);
    for (const [key, readySince] of Object.entries({ 'r.0': 30, 'r.1': 10, 'r.2': 20 })) {
      placement.add({ key, shape: aShape(), priority: 0, readySince, tenant: 'work' });
    }
    expect(placed(placement)).toEqual(['r.1>a', 'r.2>a', 'r.0>a']);
  });

  it('throws at a reservation on a node that it was never told of, and at a release of nothing', () => {
    const placement = aPlacement([small('a', 1)]);
    expect(() => placement.reserve(aShape(), 'b')).toThrow('Placement knows no node b');
    expect(() => placement.release(aShape(), 'a')).toThrow('Nothing holds node a');
  });

  it('takes a node that has left for full, and gives back what was held there when it comes again', () => {
    const placement = aPlacement([small('a', 2), small('b', 1)]);
    placement.reserve(aShape(), 'a');
    placement.nodeRemoved('a');
    addTasks(placement, aShape(), 'r.0', 'r.1', 'r.2');
    expect(placed(placement)).toEqual(['r.0>b']);
    placement.nodeChanged(small('a', 2));
    expect(placed(placement)).toEqual(['r.1>a']);
    placement.release(aShape(), 'a');
    expect(placed(placement)).toEqual(['r.2>a']);
  });

  it('uses the place of a node that has left for another, without its past', () => {
    const placement = aPlacement([small('a', 2)]);
    placement.nodeRemoved('a');
    placement.nodeChanged(aNode('b', { labels: { zone: 'b' }, capacity: { slots: 1 } }));
    addTasks(placement, aShape({ slots: 1 }, { nodeSelector: { zone: 'b' } }), 'r.0', 'r.1');
    expect(placed(placement)).toEqual(['r.0>b']);
  });
});

describe('a task run for which there is no room', () => {
  function aFullPlacement() {
    const placement = aPlacement([small('a', 1), aNode('b', { capacity: { slots: 1 }, labels: { zone: 'b' } })]);
    addTasks(placement, aShape(), 'r.0', 'r.1', 'r.2');
    placement.place(1_000);
    addTasks(placement, aShape({ slots: 1 }, { nodeSelector: { zone: 'b' } }), 'b.0');
    placement.place(1_000);
    return placement;
  }

  it('is not offered again until something changes', () => {
    const placement = aFullPlacement();
    expect(placement.pendingCount).toBe(2);
    expect(placement.canPlace).toBe(false);
    addTasks(placement, aShape(), 'r.9');
    expect(placement.canPlace).toBe(false);
    expect(placed(placement)).toEqual([]);
  });

  it('is offered again when room is given back where it may go', () => {
    const placement = aFullPlacement();
    placement.release(aShape(), 'a');
    expect(placement.canPlace).toBe(true);
    // Only r.2: b.0 may not go to a.
    expect(placed(placement)).toEqual(['r.2>a']);
    placement.release(aShape(), 'a');
    expect(placement.canPlace).toBe(false);
  });

  it.each([
    ['a node joins', () => small('c', 1)],
    ['a node becomes larger', () => small('a', 2)],
  ])('is offered again when %s', (_what, node) => {
    const placement = aFullPlacement();
    placement.nodeChanged(node());
    expect(placement.canPlace).toBe(true);
    expect(placed(placement)).toHaveLength(1);
  });

  const changes = [
    ['is uncordoned', { eligibility: 'CORDONED' }, {}],
    ['is heard again', { connection: 'LOST' }, {}],
    ['is given the label', {}, { labels: { zone: 'b' } }],
    ['loses its taint', { taints: [{ key: 'gpu', effect: 'NO_SCHEDULE' }] }, {}],
    ['gets the runner', { runners: [] }, {}],
    ['becomes large enough', { capacity: { slots: 1 } }, {}],
  ] as const;

  it.each(changes)('is offered again when its node %s', (_what, before, after) => {
    const needsLabel = 'labels' in after;
    const placement = aPlacement([aNode('n1', before)]);
    addTasks(placement, aShape({ slots: 2 }, needsLabel ? { nodeSelector: { zone: 'b' } } : {}), 'r.0');
    expect(placed(placement)).toEqual([]);
    expect(placement.canPlace).toBe(false);
    placement.nodeChanged(aNode('n1', before));
    expect(placement.canPlace).toBe(false);
    placement.nodeChanged(aNode('n1', after));
    expect(placement.canPlace).toBe(true);
    expect(placed(placement)).toEqual(['r.0>n1']);
  });

  it('is not placed on a node that ceases to do', () => {
    const placement = aPlacement([aNode('n1', { labels: { zone: 'b' } })]);
    const shape = aShape({ slots: 1 }, { nodeSelector: { zone: 'b' } });
    addTasks(placement, shape, 'r.0');
    expect(placed(placement)).toEqual(['r.0>n1']);
    for (const change of [{ labels: {} }, { labels: { zone: 'b' }, eligibility: 'CORDONED' }] as const) {
      placement.nodeChanged(aNode('n1', change));
      addTasks(placement, shape, 'r.1');
      expect(placed(placement)).toEqual([]);
    }
  });

  it('rests alone: other shapes go on', () => {
    const placement = aPlacement([small('a', 4)]);
    addTasks(placement, aShape({ slots: 3 }), 'large.0', 'large.1');
    addTasks(placement, aShape(), 'small.0', 'small.1');
    expect(placed(placement)).toEqual(['large.0>a', 'small.0>a']);
    expect(placement.pendingCount).toBe(2);
  });
});

describe('an offer that cannot hold all', () => {
  const keep = aScheduler(({ tasks }) => ({ decisions: [], memory: tasks.map(({ key }) => key) }));

  it('holds the highest priorities, and the longest waiting, in the order of waiting', () => {
    let offered: readonly string[] = [];
    const plugin = aScheduler((input) => {
      offered = input.tasks.map(({ key }) => key);
      return keep.place(input);
    });
    const placement = aPlacement([small('a', 99)], { plugin, batch: 8 });
    for (let at = 0; at < 20; at++) {
      placement.add({
        key: `low.${at}`,
        shape: aShape({ slots: 1 + (at % 3) }),
        priority: -1,
        readySince: at,
        tenant: 't',
      });
      placement.add({
        key: `high.${at}`,
        shape: aShape({ slots: 1 + (at % 2) }),
        priority: 1,
        readySince: 100 + at,
        tenant: 't',
      });
    }
    placement.place(0);
    // An eighth of 8 for the longest waiting, 7 for the highest priority, the longest waiting of these.
    expect(offered).toEqual(['low.0', 'high.0', 'high.1', 'high.2', 'high.3', 'high.4', 'high.5', 'high.6']);
  });

  it('loses nothing', () => {
    const placement = aPlacement([small('a', 999)], { batch: 7 });
    const keys = Array.from({ length: 100 }, (_, at) => `r.${at}`);
    keys.forEach((key, at) =>
      placement.add({
        key,
        shape: aShape({ slots: 1 + (at % 5) }),
        priority: at % 4,
        readySince: at % 13,
        tenant: 't',
      }),
    );
    const all: string[] = [];
    while (placement.canPlace) all.push(...placed(placement).map((each) => each.split('>')[0]!));
    expect(all.toSorted()).toEqual(keys.toSorted());
  });
});

describe('the memory of a scheduler', () => {
  it('goes out with the placements that it belongs to, once', () => {
    const placement = aPlacement([small('a', 2), small('b', 2)]);
    addTasks(placement, aShape(), 'r.0');
    expect(placement.place(0)).toMatchObject({ memory: 'a', memoryChanged: true });
    expect(placement.place(0)).toMatchObject({ placements: [], memory: 'a', memoryChanged: false });
  });

  it('comes back after a reload', () => {
    const placement = aPlacement([small('a', 2), small('b', 2)], { memory: 'a' });
    addTasks(placement, aShape(), 'r.0');
    expect(placed(placement)).toEqual(['r.0>b']);
  });
});

describe('what a scheduler is shown', () => {
  it.each(BUILT_IN)('is plain data: $name decides the same on a copy', (plugin) => {
    const copies: unknown[] = [];
    const both = aScheduler((input) => {
      const output = plugin.place(input);
      copies.push([output, plugin.place(structuredClone(input))]);
      return output;
    });
    const nodes = [aNode('b', { capacity: { slots: 3, cpu: 1_000 } }), small('a', 3), aNode('c', { capacity: {} })];
    const checked = plugin.config.check({});
    const config = checked.ok ? checked.config : null;
    const placement = aPlacement(nodes, { plugin: aScheduler((input) => both.place({ ...input, config })) });
    addTasks(placement, aShape(), 'r.0', 'r.1');
    addTasks(placement, aShape({ slots: 1, cpu: 600 }), 'c.0', 'c.1');
    placement.place(0);
    expect(copies).toHaveLength(1);
    for (const [output, copy] of copies as [unknown, unknown][]) expect(copy).toEqual(output);
  });

  it('has what is to come when it asks for it, with shapes of its own where nothing pending has them', () => {
    const inputs: PlacementInput[] = [];
    const plugin: SchedulerPlugin = {
      ...aScheduler((input) => {
        inputs.push(input);
        return { decisions: [], memory: null };
      }),
      wants: () => ['upcoming', 'running'],
    };
    const placement = aPlacement([small('a', 3), aNode('b', { capacity: { slots: 1, cpu: 900 } })], { plugin });
    const large = aShape({ slots: 1, cpu: 600 });
    const to = { priority: 4, after: ['r.0'] };
    placement.upcoming = () => [
      { key: 'r.1', shape: aShape(), ...to, forecast: { durationMs: 20, rankMs: 30 } },
      { key: 'r.2', shape: large, ...to },
      { key: 'r.3', shape: aShape({ slots: 1, licence: 1 }), ...to },
    ];
    placement.reserve(large, 'b');
    const forecast = { durationMs: 70, rankMs: 80 };
    placement.running = () => [{ key: 'r.9', node: 'b', shape: large, gpus: [], priority: 0, startedAt: 5, forecast }];
    addTasks(placement, aShape(), 'r.0');
    placement.place(0);
    const [{ tasks, shapes, upcoming, running }] = inputs as [PlacementInput];
    expect(tasks.map(({ shape }) => shape)).toEqual([0]);
    expect(upcoming).toEqual([
      { key: 'r.1', shape: 0, ...to, durationMs: 20, rankMs: 30 },
      { key: 'r.2', shape: 1, ...to },
    ]);
    expect([...shapes[1]!.feasible]).toEqual([1]);
    expect(running).toEqual([expect.objectContaining({ key: 'r.9', node: 1, durationMs: 70 })]);
  });

  it('has nothing of what is to come when it does not ask', () => {
    let asked = 0;
    const placement = aPlacement([small('a', 3)]);
    placement.upcoming = () => {
      asked++;
      return [];
    };
    addTasks(placement, aShape(), 'r.0');
    placement.place(0);
    expect(asked).toBe(0);
  });

  it('has the eligible nodes by name, with what is free on them', () => {
    let nodes: unknown;
    const plugin = aScheduler((input) => {
      nodes = input.nodes;
      return { decisions: [], memory: null };
    });
    const placement = aPlacement([small('b', 3), small('a', 2), aNode('c', { eligibility: 'CORDONED' })], { plugin });
    placement.reserve(aShape(), 'b');
    addTasks(placement, aShape(), 'r.0');
    placement.place(0);
    expect(nodes).toEqual([
      { name: 'a', labels: {}, capacity: [2], free: [2] },
      { name: 'b', labels: {}, capacity: [3], free: [2] },
    ]);
  });
});
