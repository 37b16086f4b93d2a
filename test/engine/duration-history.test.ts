import { describe, expect, it } from '@jest/globals';
import { DurationHistory } from '../../server/engine/duration-history.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { Scenario } from './scenario.ts';

describe('what is expected of a run', () => {
  const chain = aDefinition([aTask('a'), aTask('b', { needs: ['a'] }), aTask('c', { needs: ['a'] })]);
  const began = () => {
    const scenario = new Scenario();
    return scenario.pool.runs.get(scenario.trigger(chain))!;
  };
  const took = (taskKey: string, durationMs: number) => ({ pipeline: 'work', taskKey, durationMs });

  it('is the median of the last successes of a task, and the longest way to the end of the run', () => {
    const history = new DurationHistory([took('a', 10), took('a', 30), took('a', 20), took('b', 5), took('c', 7)]);
    const run = began();
    expect([0, 1, 2].map((task) => history.forecast(run, task))).toEqual([
      { durationMs: 20, rankMs: 27 },
      { durationMs: 5, rankMs: 5 },
      { durationMs: 7, rankMs: 7 },
    ]);
  });

  it('takes a task of which nothing is known for the mean of the others, and all of them for a second each', () => {
    expect(new DurationHistory([took('b', 4), took('c', 6)]).forecast(began(), 0)).toEqual({
      durationMs: null,
      rankMs: 11,
    });
    expect(new DurationHistory().forecast(began(), 0)).toEqual({ durationMs: null, rankMs: 2_000 });
  });

  it('forgets what was long ago', () => {
    const history = new DurationHistory(Array.from({ length: 40 }, (_, at) => took('b', at < 20 ? 1_000 : 50)));
    expect(history.forecast(began(), 1).durationMs).toBe(50);
  });
});
