import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { sampleRuns, type RunMark } from '../../server/simulation/sample-runs.ts';

const marks = (counts: readonly number[], everyMs = 1_000): RunMark[] =>
  counts.map((taskRunCount, at) => ({ id: `r${at}`, createdAt: at * everyMs, taskRunCount }));

describe('what of a period is done again', () => {
  it('is all of it where that is little enough', () => {
    expect(sampleRuns(marks([5, 5]), 10)).toEqual({
      runs: [
        { id: 'r0', earlierMs: 0 },
        { id: 'r1', earlierMs: 0 },
      ],
      taskRunCount: 10,
      recordedCount: 10,
      stretches: 1,
    });
  });

  it('are eight stretches otherwise, evenly spread and joined, within which runs arrive as they did', () => {
    // 80 runs of 10 in 8 parts of 10 runs; a budget of 240 is 30 for each part: 3 runs of it.
    const all = marks(Array.from({ length: 80 }, () => 10));
    const { runs, taskRunCount, stretches } = sampleRuns(all, 240);
    expect([taskRunCount, stretches]).toEqual([240, 8]);
    expect(runs.map(({ id }) => id).slice(0, 6)).toEqual(['r0', 'r1', 'r2', 'r10', 'r11', 'r12']);
    // The first of the second stretch, created at 10 s, comes when r3 would have: at 3 s.
    expect(runs.slice(0, 6).map(({ id, earlierMs }) => Number(id.slice(1)) * 1_000 - earlierMs)).toEqual([
      0, 1_000, 2_000, 3_000, 4_000, 5_000,
    ]);
  });

  it('never is more than may be, keeps the order and the distances of arrivals, and is the same every time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ count: fc.integer({ min: 1, max: 50 }), after: fc.nat(5_000) }), { maxLength: 200 }),
        fc.integer({ min: 50, max: 2_000 }),
        (runs, budget) => {
          let now = 0;
          const all = runs.map(({ count, after }, at) => ({
            id: `r${at}`,
            createdAt: (now += after),
            taskRunCount: count,
          }));
          const sample = sampleRuns(all, budget);
          expect(sampleRuns(all, budget)).toEqual(sample);
          const byId = new Map(all.map((each) => [each.id, each]));
          const taken = sample.runs.map(({ id }) => byId.get(id)!);
          const count = taken.reduce((sum, { taskRunCount }) => sum + taskRunCount, 0);
          expect(count).toBe(sample.taskRunCount);
          expect(count).toBeLessThanOrEqual(budget);
          // A run has 50 task runs at most, so no part of the budget stays empty for want of a run that fits.
          if (sample.recordedCount > budget && budget >= 400) expect(count).toBeGreaterThan(budget - 8 * 50);
          const arrivals = sample.runs.map(({ id, earlierMs }) => byId.get(id)!.createdAt - earlierMs);
          expect(arrivals).toEqual(arrivals.toSorted((one, other) => one - other));
          expect(arrivals[0] ?? 0).toBe(taken[0]?.createdAt ?? 0);
        },
      ),
    );
  });
});
