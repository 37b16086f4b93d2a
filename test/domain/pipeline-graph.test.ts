import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { graphOf } from '../../server/domain/pipeline-graph.ts';

interface Step {
  readonly key: string;
  readonly needs: readonly string[];
}

const steps = (needs: Readonly<Record<string, string>>): readonly Step[] =>
  Object.entries(needs).map(([key, text]) => ({ key, needs: text === '' ? [] : text.split(' ') }));

/** Up to 12 tasks whose needs may lead anywhere. */
const anySteps = fc.integer({ min: 1, max: 12 }).chain((count) => {
  const key = fc.integer({ min: 0, max: count - 1 }).map((at) => `t${at}`);
  return fc
    .array(fc.array(key, { maxLength: 3 }), { minLength: count, maxLength: count })
    .map((all) => all.map((needs, at) => ({ key: `t${at}`, needs })));
});

describe('the graph of a pipeline', () => {
  it('has every task after what it needs', () => {
    const graph = graphOf(steps({ merge: 'a b', a: 'split', b: 'split', split: '' }));
    expect(graph).toEqual({
      order: [3, 1, 2, 0],
      needs: [[1, 2], [3], [3], []],
      downstream: [[], [0], [0], [1, 2]],
      cycle: null,
    });
  });

  it('counts a need once and leaves out a need that names no task', () => {
    expect(graphOf(steps({ a: '', b: 'a a x' })).needs).toEqual([[], [0]]);
  });

  it('is empty without tasks', () => {
    expect(graphOf([])).toEqual({ order: [], needs: [], downstream: [], cycle: null });
  });

  it('keeps the order written where nothing else decides', () => {
    expect(graphOf(steps({ c: '', a: '', b: '' })).order).toEqual([0, 1, 2]);
  });
});

describe('a cycle', () => {
  it.each([
    ['of one', { a: 'a' }, ['a', 'a']],
    ['of two', { a: 'b', b: 'a' }, ['a', 'b', 'a']],
    ['of three among others', { z: 'c', a: 'b y', b: 'c', c: 'a', y: '' }, ['a', 'b', 'c', 'a']],
    ['that is short inside one that is long', { a: 'b', b: 'c a', c: 'd', d: 'a' }, ['a', 'b', 'a']],
  ])('%s is spelt out by keys', (_name, needs, cycle) => {
    expect(graphOf(steps(needs)).cycle).toEqual(cycle);
  });
});

describe('any graph', () => {
  it('without a cycle has every task once, and after all that it needs', () => {
    fc.assert(
      fc.property(anySteps, (all) => {
        const { order, needs, downstream, cycle } = graphOf(all);
        const place = new Map(order.map((index, at) => [index, at]));
        expect(place.size).toBe(order.length);
        if (cycle === null) expect(order.length).toBe(all.length);
        for (const index of order) {
          for (const need of needs[index]!) expect(place.get(need)!).toBeLessThan(place.get(index)!);
        }
        for (const [index, own] of needs.entries()) {
          for (const need of own) expect(downstream[need]).toContain(index);
        }
        expect(downstream.flat().length).toBe(needs.flat().length);
      }),
    );
  });

  it('with a cycle names one in which each task really needs the next', () => {
    fc.assert(
      fc.property(anySteps, (all) => {
        const { cycle, order } = graphOf(all);
        if (cycle === null) return;
        expect(order.length).toBeLessThan(all.length);
        expect(cycle.length).toBeGreaterThan(1);
        expect(cycle.at(-1)).toBe(cycle[0]);
        expect(new Set(cycle).size).toBe(cycle.length - 1);
        for (const [at, key] of cycle.slice(0, -1).entries()) {
          expect(all.find((each) => each.key === key)!.needs).toContain(cycle[at + 1]);
        }
      }),
    );
  });
});

describe('a large graph', () => {
  it('of 100,000 tasks and almost a million needs is ordered without recursion', () => {
    const all = Array.from({ length: 100_000 }, (_, at) => ({
      key: `t${at}`,
      needs: Array.from({ length: Math.min(at, 9) }, (_each, back) => `t${at - 1 - back}`),
    }));
    expect(graphOf(all).order.at(-1)).toBe(99_999);
  });

  it('that is one circle of 100,000 tasks is found out', () => {
    const all = Array.from({ length: 100_000 }, (_, at) => ({ key: `t${at}`, needs: [`t${(at + 1) % 100_000}`] }));
    expect(graphOf(all).cycle).toHaveLength(100_001);
  });
});
