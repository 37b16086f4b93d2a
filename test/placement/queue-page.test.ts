import { describe, expect, it } from '@jest/globals';
import type { QueuePage, QueuePlace } from '../../server/placement/queue-page.ts';
import type { Placement } from '../../server/placement/placement.ts';
import { aNode, aPlacement, aShape, addTasks } from './cluster.ts';

const keysOf = (placement: Placement, first: number, after: QueuePlace | null = null): readonly string[] =>
  placement.inspection.page({ first, after, skip: 0 }).entries.map(({ key }) => key);

/** Three priorities and several shapes, in an order that has nothing to do with how urgent they are. */
function aBusyQueue(size: number): Placement {
  const placement = aPlacement([]);
  for (let at = 0; at < size; at++) {
    const mixed = (at * 7919) % size;
    placement.add({
      key: `r.${mixed}`,
      shape: aShape({ slots: 1 + (mixed % 5) }),
      priority: mixed % 3,
      readySince: mixed,
      tenant: mixed % 2 === 0 ? 'even' : 'odd',
    });
  }
  return placement;
}

describe('a page of the queue', () => {
  it('goes by priority, then by waiting, whatever the shape', () => {
    expect(keysOf(aBusyQueue(10), 10)).toEqual('r.2 r.5 r.8 r.1 r.4 r.7 r.0 r.3 r.6 r.9'.split(' '));
  });

  it('goes on behind a place, page by page, to the very end', () => {
    const placement = aBusyQueue(1_000);
    const all = keysOf(placement, 1_000);
    const read: string[] = [];
    let after: QueuePlace | null = null;
    for (;;) {
      const page: QueuePage = placement.inspection.page({ first: 77, after, skip: 0 });
      expect(page.before).toEqual(page.entries.map((_, at) => read.length + at));
      read.push(...page.entries.map(({ key }) => key));
      after = page.entries.at(-1)!;
      if (!page.hasMore) break;
    }
    expect(read).toEqual(all);
    expect(new Set(read).size).toBe(1_000);
    expect(placement.inspection.page({ first: 10, after, skip: 0 })).toEqual({
      entries: [],
      before: [],
      hasMore: false,
      total: 1_000,
    });
  });

  it('goes on from a place whose task run has left the queue', () => {
    const placement = aBusyQueue(10);
    const after = placement.inspection.page({ first: 2, after: null, skip: 0 }).entries.at(-1)!;
    placement.withdraw(after.key);
    expect(keysOf(placement, 2, after)).toEqual(['r.8', 'r.1']);
    expect(placement.inspection.page({ first: 2, after, skip: 0 }).before).toEqual([1, 2]);
  });

  it('agrees with the position that an explanation tells', () => {
    const placement = aBusyQueue(100);
    const isOdd = { pipeline: 'odd' };
    for (const [range, filter] of [
      [{ first: 5, after: null, skip: 40 }, {}],
      [{ first: 5, after: null, skip: 30 }, isOdd],
    ] as const) {
      const { before, entries } = placement.inspection.page(range, filter);
      expect(entries).toHaveLength(5);
      expect(before).toEqual(entries.map(({ key }) => placement.explain(key)!.position));
    }
  });
});

describe('why a task run waits, in short', () => {
  it('is what the explanation says, for those that share a shape, too', () => {
    const placement = aPlacement([aNode('a', { capacity: { slots: 1 } }), aNode('b', { eligibility: 'CORDONED' })]);
    placement.reserve(aShape(), 'a');
    addTasks(placement, aShape(), 'r.0', 'r.1');
    addTasks(placement, aShape({ slots: 1 }, { nodeSelector: { zone: 'x' } }), 'r.2');
    placement.place(0);
    for (const key of ['r.0', 'r.1', 'r.2']) {
      const { summary, tier, unblock } = placement.explain(key)!;
      expect(placement.inspection.reasonOf(key)).toEqual({ summary, tier, unblock });
    }
    expect(placement.inspection.reasonOf('r.3')).toBeNull();
  });

  it('holds in a pool of more nodes than are looked at one by one', () => {
    const nodes = Array.from({ length: 600 }, (_, at) =>
      aNode(`n${at}`, { capacity: { slots: 1 }, labels: { zone: at >= 590 ? 'far' : 'near' } }),
    );
    const placement = aPlacement(nodes);
    const far = aShape({ slots: 1 }, { nodeSelector: { zone: 'far' } });
    for (let at = 590; at < 599; at++) placement.reserve(far, `n${at}`);
    addTasks(placement, far, 'r.0');
    addTasks(placement, aShape({ slots: 2 }), 'r.1');
    expect(placement.inspection.reasonOf('r.0')!.summary.code).toBe('NEXT');
    placement.reserve(far, 'n599');
    placement.nodeChanged(aNode('n0', { eligibility: 'CORDONED', capacity: { slots: 1 } }));
    expect(placement.inspection.reasonOf('r.0')!.summary).toEqual(placement.explain('r.0')!.summary);
    expect(placement.inspection.reasonOf('r.0')!.summary.message).toBe(
      '10 nodes of 600 would do, and none has 1 of slots free.',
    );
    expect(placement.inspection.reasonOf('r.1')!.summary.message).toMatch(/^None of 600 nodes will do\./);
  });

  it('is worked out anew after a change', () => {
    const placement = aPlacement([aNode('a', { capacity: { slots: 1 } })]);
    placement.reserve(aShape(), 'a');
    addTasks(placement, aShape(), 'r.0');
    placement.place(0);
    expect(placement.inspection.reasonOf('r.0')!.summary.code).toBe('NO_ROOM');
    placement.release(aShape(), 'a');
    expect(placement.inspection.reasonOf('r.0')!.summary.code).toBe('NEXT');
  });
});

describe('the mark', () => {
  it('stays the same object until something happens', () => {
    const placement = aPlacement([aNode('a', { capacity: { slots: 1 } })]);
    let { mark } = placement.inspection;
    const isNew = (): boolean => {
      const before = mark;
      mark = placement.inspection.mark;
      return mark !== before;
    };
    expect(isNew()).toBe(false);
    for (const happen of [
      () => addTasks(placement, aShape(), 'r.0', 'r.1'),
      () => placement.place(0),
      () => placement.withdraw('r.1'),
      () => placement.release(aShape(), 'a'),
      () => placement.nodeChanged(aNode('b')),
    ]) {
      happen();
      expect(isNew()).toBe(true);
      expect(isNew()).toBe(false);
    }
    placement.withdraw('r.9');
    expect(isNew()).toBe(false);
  });
});
