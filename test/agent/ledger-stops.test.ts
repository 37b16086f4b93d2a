import { describe, expect, it } from '@jest/globals';
import { AttemptLedger, PREPARING_MS, SETTLE_MS } from '../../server/agent/attempt-ledger.ts';
import type { StopCause } from '../../server/domain/effect.ts';
import { ABLE, aJournaled, end, failed, started, succeeded } from './ledger-under-test.ts';
import { specOf } from './specs.ts';

describe('the ledger, when attempts are to stop,', () => {
  it('climbs the ladder: soft stop at the timeout, hard stop after the grace, given up after that', () => {
    const { ledger, attempt } = started({ timeoutMs: 100, killGraceMs: 30 });
    ledger.turned(1);
    // Started at 1: 1 + 100 = 101, and 101 + 30 = 131.
    expect(ledger.wakeAt).toBe(101);
    ledger.wake(100, 100);
    expect(ledger.take().stop).toEqual([]);
    ledger.wake(101, 101);
    expect(ledger.take().stop).toEqual([{ attempt, reason: 'TIMED_OUT' }]);
    expect(ledger.wakeAt).toBe(131);
    ledger.wake(131, 131);
    expect(ledger.take().kill).toEqual([attempt]);
    ledger.wake(131 + SETTLE_MS, 131 + SETTLE_MS);
    expect(ledger.take()).toMatchObject({
      abandon: [attempt],
      report: [{ state: 'FAILED', failure: { kind: 'UNKNOWN', reason: { code: 'RUNNER_DID_NOT_SETTLE' } } }],
    });
    expect(ledger.wakeAt).toBeNull();
  });

  it.each([
    ['CANCELLED', 'CANCELLED', 'CANCELLED'],
    ['TIMED_OUT', 'TIMED_OUT', 'TIMEOUT'],
    ['PREEMPTED', 'CANCELLED', 'PREEMPTED'],
    ['SHUTDOWN', 'FAILED', 'INFRASTRUCTURE'],
  ] as const)('says why an attempt ended that was stopped: %s', (reason, state, kind) => {
    const { ledger, attempt } = started();
    ledger.stop(attempt, reason as StopCause, 2);
    ledger.ended(attempt, { ...failed, failure: { ...failed.failure, exitCode: 143, signal: 'SIGTERM' } }, 3);
    expect(end(ledger)).toMatchObject({ state, failure: { kind, exitCode: 143, signal: 'SIGTERM' } });
  });

  it.each([
    ['CANCELLED', 'CANCELLED', 'CANCELLED'],
    ['TIMED_OUT', 'TIMED_OUT', 'TIMEOUT'],
    ['PREEMPTED', 'CANCELLED', 'PREEMPTED'],
    ['SHUTDOWN', 'FAILED', 'INFRASTRUCTURE'],
  ] as const)('does not take for success what ends well after it was stopped: %s', (reason, state, kind) => {
    const { ledger, attempt } = started();
    ledger.stop(attempt, reason as StopCause, 2);
    ledger.ended(attempt, { ...succeeded, outputs: { half: 1 }, usage: { cpuMs: 5 } }, 3);
    const report = end(ledger)!;
    expect(report).toMatchObject({ state, failure: { kind }, usage: { cpuMs: 5 } });
    expect(report.outputs).toBeUndefined();
    expect(ledger.wakeAt).toBeNull();
  });

  it('lets an end stand of which its runner knows that it came before the stop, good or bad', () => {
    for (const each of [succeeded, failed]) {
      const { ledger, attempt } = started();
      ledger.stop(attempt, 'CANCELLED', 2);
      ledger.ended(attempt, { ...each, endedBeforeStop: true }, 3);
      expect(end(ledger)).toEqual({ attempt, at: 3, startedAt: 1, ...each });
    }
  });

  it('leaves it unknown what nobody knows, unless somebody has cancelled it', () => {
    const unknown = { state: 'FAILED', failure: { kind: 'UNKNOWN', reason: { code: 'X', message: 'x' } } } as const;
    for (const [reason, kind] of [
      ['SHUTDOWN', 'UNKNOWN'],
      ['PREEMPTED', 'UNKNOWN'],
      ['CANCELLED', 'CANCELLED'],
      // That it took too long does not tell what it has done.
      ['TIMED_OUT', 'UNKNOWN'],
    ] as const) {
      const { ledger, attempt } = started();
      ledger.stop(attempt, reason, 2);
      ledger.ended(attempt, unknown, 3);
      expect(end(ledger)).toMatchObject({ failure: { kind } });
    }
  });

  it('sends a stop only when it is durable, where a restart can find the attempt; what ends before was not stopped', () => {
    const [first, second] = [started({}, ABLE), started({}, ABLE)];
    for (const { ledger, attempt } of [first, second]) {
      ledger.stop(attempt, 'CANCELLED', 2);
      expect(ledger.take()).toMatchObject({ journalStop: [{ attempt, reason: 'CANCELLED' }], stop: [] });
    }
    first.ledger.ended(first.attempt, succeeded, 3);
    expect(end(first.ledger)).toMatchObject({ state: 'SUCCEEDED' });
    second.ledger.stopJournaled([second.attempt]);
    expect(second.ledger.take().stop).toEqual([{ attempt: second.attempt, reason: 'CANCELLED' }]);
    second.ledger.ended(second.attempt, succeeded, 3);
    expect(end(second.ledger)).toMatchObject({ state: 'CANCELLED' });
  });

  it('does not wait for its disk longer than the grace', () => {
    const { ledger, attempt } = started({ killGraceMs: 30 }, ABLE);
    ledger.stop(attempt, 'CANCELLED', 2);
    ledger.wake(32, 32);
    expect(ledger.take()).toMatchObject({ stop: [{ attempt, reason: 'CANCELLED' }], kill: [attempt] });
    ledger.ended(attempt, succeeded, 33);
    expect(end(ledger)).toMatchObject({ state: 'CANCELLED' });
  });

  it('goes on with the ladder after a restart: what was stopped before is stopped, whatever its runner finds', () => {
    const ledger = new AttemptLedger(ABLE);
    const { attempt } = specOf(0);
    // Stopped at 10 with a grace of 1,000, found again at 400, which is 50 on the other clock: 50 − 390 + 1,000 = 660.
    ledger.recover([aJournaled(0, { stop: { reason: 'TIMED_OUT', at: 10 } })], 400, 50);
    expect(ledger.take()).toMatchObject({ reattach: [{ attempt }], stop: [{ attempt, reason: 'TIMED_OUT' }] });
    ledger.turned(400);
    expect(ledger.wakeAt).toBe(660);
    ledger.ended(attempt, { ...succeeded, endedBeforeStop: true }, 500);
    expect(end(ledger)).toMatchObject({ state: 'TIMED_OUT', failure: { kind: 'TIMEOUT' } });
  });

  it('rejects what it was about to start when it was stopped itself', () => {
    const ledger = new AttemptLedger();
    const spec = specOf(0);
    ledger.assign([spec], 0);
    ledger.shutDown(true, 1);
    ledger.journaled([spec], 2, 2);
    expect(ledger.take()).toMatchObject({ start: [], report: [{ state: 'REJECTED' }] });
  });

  it('counts the timeout from the moment in which the work began', () => {
    const { ledger, attempt } = started({ timeoutMs: 100 });
    ledger.turned(1);
    expect(ledger.wakeAt).toBe(101);
    ledger.running(attempt, 60, 60);
    expect(ledger.wakeAt).toBe(160);
    ledger.running(attempt, 90, 90);
    expect(ledger.wakeAt).toBe(160);
  });

  it('does not count what has to be prepared, which has a limit of its own and then never began', () => {
    const { ledger, attempt } = started({ timeoutMs: 100 });
    ledger.preparing(attempt, 5);
    ledger.turned(6);
    expect(ledger.wakeAt).toBe(5 + PREPARING_MS);
    const other = started({ timeoutMs: 100 });
    other.ledger.preparing(other.attempt, 5);
    other.ledger.turned(6);
    other.ledger.running(other.attempt, 5_000, 5_000);
    expect(other.ledger.wakeAt).toBe(5_100);
    ledger.wake(5 + PREPARING_MS, 5 + PREPARING_MS);
    expect(ledger.take().stop).toEqual([{ attempt, reason: 'TIMED_OUT' }]);
    ledger.ended(attempt, failed, 5 + PREPARING_MS);
    expect(end(ledger)).toMatchObject({
      state: 'REJECTED',
      failure: { kind: 'INFRASTRUCTURE', reason: { code: 'NOT_BEGUN_IN_TIME' } },
    });
  });
});
