import { describe, expect, it } from '@jest/globals';
import type { TimedAttempt } from '../../web/client/operations.ts';
import { barsOf } from '../../web/screens/run/timeline-bars.ts';

const BEGIN = Date.parse('2026-01-01T00:00:00.000Z');
const at = (second: number): string => new Date(BEGIN + second * 1_000).toISOString();
const anAttempt = (number: number, changes: Partial<TimedAttempt>): TimedAttempt => ({
  number,
  state: 'SUCCEEDED',
  nodeName: 'n',
  assignedAt: at(0),
  startedAt: null,
  finishedAt: null,
  failure: null,
  ...changes,
});
/** Kind, from and to in seconds, attempt. */
const plain = (bars: ReturnType<typeof barsOf>) =>
  bars.map(({ kind, from, to, attempt }) => [kind, (from - BEGIN) / 1_000, (to - BEGIN) / 1_000, attempt]);

describe('the bars of a task run', () => {
  it('are every attempt, side by side, with what was waited before and between', () => {
    const failure = { kind: 'APPLICATION', message: 'exit code 1' } as const;
    const first = anAttempt(1, { state: 'FAILED', assignedAt: at(1), startedAt: at(2), finishedAt: at(5), failure });
    const second = anAttempt(2, { state: 'LOST', assignedAt: at(8), finishedAt: at(9) });
    const third = anAttempt(3, { assignedAt: at(10), startedAt: at(10), finishedAt: at(20) });
    const bars = barsOf(
      { state: 'SUCCEEDED', readyAt: at(9), finishedAt: at(20), attempt: third },
      [first, second, third],
      0,
    );
    expect(plain(bars)).toEqual([
      ['starting', 1, 2, 1],
      ['running', 2, 5, 1],
      ['waiting', 5, 8, null],
      ['starting', 8, 9, 2],
      ['waiting', 9, 10, null],
      ['running', 10, 20, 3],
    ]);
    expect(bars.map(({ tone }) => tone)).toEqual(['bad', 'bad', 'idle', 'bad', 'idle', 'good']);
    expect(bars[1]?.title).toMatch(/attempt 1 on n: failed, 3.*exit code 1/);
  });

  it('go on to now as long as it waits or runs', () => {
    const running = anAttempt(1, { state: 'RUNNING', assignedAt: at(1), startedAt: at(2) });
    expect(
      plain(barsOf({ state: 'RUNNING', readyAt: at(0), finishedAt: null, attempt: running }, [], BEGIN + 7_000)),
    ).toEqual([
      ['waiting', 0, 1, null],
      ['starting', 1, 2, 1],
      ['running', 2, 7, 1],
    ]);
    const failed = anAttempt(1, { state: 'FAILED', assignedAt: at(1), startedAt: at(1), finishedAt: at(2) });
    expect(
      plain(barsOf({ state: 'BACKOFF', readyAt: at(0), finishedAt: null, attempt: failed }, [], BEGIN + 7_000)),
    ).toEqual([
      ['waiting', 0, 1, null],
      ['running', 1, 2, 1],
      ['waiting', 2, 7, null],
    ]);
    expect(
      plain(barsOf({ state: 'READY', readyAt: at(3), finishedAt: null, attempt: null }, [], BEGIN + 7_000)),
    ).toEqual([['waiting', 3, 7, null]]);
  });

  it('end where it was cancelled in the queue, and bear clocks that differ', () => {
    expect(
      plain(barsOf({ state: 'CANCELLED', readyAt: at(3), finishedAt: at(4), attempt: null }, [], BEGIN + 9_000)),
    ).toEqual([['waiting', 3, 4, null]]);
    const early = anAttempt(1, { assignedAt: at(5), startedAt: at(4), finishedAt: at(6) });
    expect(plain(barsOf({ state: 'SUCCEEDED', readyAt: at(5), finishedAt: at(6), attempt: early }, [], 0))).toEqual([
      ['waiting', 5, 5, null],
      ['running', 5, 6, 1],
    ]);
  });
});
