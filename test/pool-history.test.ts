import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../server/clock.ts';
import { PoolHistory, type PoolGauge } from '../server/pool-history.ts';

const MINUTE = 60_000;

/** A history whose time passes when the test says so. */
function aHistory(gauge: PoolGauge = () => ({ queueLength: 3, runningCount: 2, utilization: [] })) {
  let now = 0;
  const clock: Pick<Clock, 'now' | 'sleep'> = { now: () => now, sleep: () => new Promise(() => undefined) };
  const history = new PoolHistory(['default', 'other'], gauge, clock as Clock);
  const pass = (ms: number) => {
    for (const end = now + ms; now < end; now += 5_000) history.sample();
  };
  return { history, pass };
}

describe('the history of a pool', () => {
  it('is every five seconds of the last hour, and every minute of the day before', () => {
    const { history, pass } = aHistory();
    pass(30 * 60 * MINUTE);
    const all = history.since('default', 0).map(({ at }) => at);
    expect(all).toEqual(all.toSorted((one, other) => one - other));
    expect(all.at(-1)).toBe(30 * 60 * MINUTE - 5_000);
    expect(all.length).toBeLessThan(720 + 1_440);
    expect(all.filter((at) => at >= 29 * 60 * MINUTE)).toHaveLength(720);
    expect(all[0]).toBeGreaterThanOrEqual(5 * 60 * MINUTE);
    expect(history.since('default', 30 * 60 * MINUTE - MINUTE)).toHaveLength(12);
  });

  it('is empty for a pool that this server does not run', () => {
    const { history, pass } = aHistory((pool) =>
      pool === 'other' ? null : { queueLength: 0, runningCount: 0, utilization: [] },
    );
    pass(MINUTE);
    expect(history.since('other', 0)).toEqual([]);
    expect(history.since('nobody', 0)).toEqual([]);
    expect(history.since('default', 0)).toHaveLength(12);
  });

  it('is told to who follows: the latest at once, then each as it is taken, until they leave', async () => {
    const { history, pass } = aHistory();
    pass(5_000);
    const leaving = new AbortController();
    const told = history.follow('default', leaving.signal)[Symbol.asyncIterator]();
    expect(await told.next()).toMatchObject({ value: { at: 0, queueLength: 3 } });
    const next = told.next();
    pass(5_000);
    expect(await next).toMatchObject({ value: { at: 5_000 } });
    const last = told.next();
    leaving.abort();
    expect(await last).toEqual({ done: true, value: undefined });
  });
});
