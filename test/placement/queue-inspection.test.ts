import { describe, expect, it } from '@jest/globals';
import { aNode, aPlacement, aScheduler, aShape, addTasks } from './cluster.ts';

const all = { first: 10, after: null, skip: 0 };

describe('a part of the queue', () => {
  it('begins anywhere, and knows how many there are', () => {
    const { inspection } = aQueueOfFive();
    const page = inspection.page({ first: 2, after: null, skip: 3 });
    expect(page.entries.map(({ key }) => key)).toEqual(['q.1', 'q.2']);
    expect(page).toMatchObject({ before: [3, 4], hasMore: false, total: 5 });
    expect(inspection.page({ first: 2, after: page.entries[0]!, skip: 1 })).toMatchObject({ entries: [], total: 5 });
    expect(inspection.page({ first: 2, after: null, skip: 9 })).toMatchObject({ entries: [], hasMore: false });
  });

  it('holds only what is wanted, each with its place in the whole queue', () => {
    const { inspection } = aQueueOfFive();
    const wanted = (filter: Parameters<typeof inspection.page>[1]): unknown => {
      const { entries, before, total } = inspection.page(all, filter);
      expect(total).toBe(entries.length);
      return entries.map(({ key }, at) => `${key} ${before[at]! + 1}`);
    };
    expect(wanted({ pipeline: 'work' })).toEqual(['q.0 1', 'q.1 4', 'q.2 5']);
    expect(wanted({ run: 'r' })).toEqual(['r.0 2', 'r.1 3']);
    expect(wanted({ code: 'NO_ROOM' })).toEqual(['r.0 2', 'r.1 3']);
    expect(wanted({ tier: 'CONSTRAINT' })).toEqual(['q.0 1', 'q.1 4', 'q.2 5']);
    expect(wanted({ tier: 'CONSTRAINT', run: 'r' })).toEqual([]);
    expect(wanted({ run: 'q', pipeline: 'work', code: 'NO_FEASIBLE_NODE' })).toHaveLength(3);
  });
});

describe('the overview of a queue', () => {
  it('is empty when nothing waits', () => {
    const overview = { reasons: [], unexplainedCount: 0, pipelines: [] };
    expect(aPlacement([aNode('a')]).inspection.overview).toEqual(overview);
  });

  it('counts why they wait, and whose they are', () => {
    expect(aQueueOfFive().inspection.overview).toEqual({
      reasons: [
        { tier: 'CONSTRAINT', count: 3, summary: expect.objectContaining({ code: 'NO_FEASIBLE_NODE' }) },
        {
          tier: 'CAPACITY',
          count: 2,
          summary: expect.objectContaining({ message: 'One node of 1 would do, and none has 1 of slots free.' }),
        },
      ],
      unexplainedCount: 0,
      pipelines: [
        { name: 'work', count: 3 },
        { name: 'play', count: 2 },
      ],
    });
  });

  it('tells those apart that the scheduler holds back', () => {
    const hold = { code: 'RESERVED', message: 'Its turn is later.' };
    const holder = aScheduler(() => ({ decisions: [{ task: 'r.0', hold }], memory: null }));
    const placement = aPlacement([aNode('a')], { plugin: holder });
    addTasks(placement, aShape(), 'r.0', 'r.1', 'r.2');
    placement.place(0);
    expect(placement.inspection.overview.reasons).toEqual([
      { tier: 'SCHEDULER', count: 2, summary: expect.objectContaining({ code: 'NOT_CHOSEN' }) },
      {
        tier: 'SCHEDULER',
        count: 1,
        summary: expect.objectContaining({ code: 'HELD', message: 'The scheduler holds it: Its turn is later.' }),
      },
    ]);
    expect(placement.inspection.page(all, { code: 'HELD' }).entries.map(({ key }) => key)).toEqual(['r.0']);
  });

  it('is another after a change, and the same until then', () => {
    const placement = aPlacement([aNode('a', { capacity: { slots: 1 } })]);
    placement.reserve(aShape(), 'a');
    addTasks(placement, aShape(), 'r.0');
    const { overview } = placement.inspection;
    expect(placement.inspection.overview).toBe(overview);
    placement.release(aShape(), 'a');
    expect(placement.inspection.overview.reasons[0]!.summary.code).toBe('NEXT');
  });

  it('looks into the largest kinds only when there are too many, and finds only these by their reason', () => {
    const nodes = Array.from({ length: 256 }, (_, at) => aNode(`n${at}`, { capacity: { slots: 1 } }));
    const placement = aPlacement(nodes);
    for (let kind = 0; kind < 50; kind++) addTasks(placement, aShape({ slots: 2 + kind }), `r.${kind}`);
    addTasks(placement, aShape({ slots: 90 }), 'q.0', 'q.1', 'q.2');
    const { reasons, unexplainedCount } = placement.inspection.overview;
    expect(reasons[0]!.summary.message).toMatch(/90/);
    expect(reasons[0]!.count).toBeGreaterThan(3);
    expect(unexplainedCount).toBeGreaterThan(0);
    expect(reasons[0]!.count + unexplainedCount).toBe(53);
    const { total } = placement.inspection.page(all, { code: reasons[0]!.summary.code });
    expect(total).toBe(reasons[0]!.count);
  });
});

/** Two that have no room, and three that no node will do for; the most urgent is one of these. */
function aQueueOfFive() {
  const placement = aPlacement([aNode('a', { capacity: { slots: 1 } })]);
  placement.reserve(aShape(), 'a');
  const picky = aShape({ slots: 1 }, { nodeSelector: { disk: 'fast' } });
  const add = (key: string, readySince: number, priority: number, isPicky: boolean): void =>
    placement.add({
      key,
      shape: isPicky ? picky : aShape(),
      priority,
      readySince,
      tenant: isPicky ? 'work' : 'play',
    });
  add('q.2', 6, 0, true);
  add('q.0', 5, 9, true);
  add('r.0', 1, 5, false);
  add('r.1', 2, 5, false);
  add('q.1', 3, 0, true);
  placement.place(0);
  return placement;
}
