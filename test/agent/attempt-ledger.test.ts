import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AttemptLedger, SETTLE_MS, type Actions, type JournaledAttempt } from '../../server/agent/attempt-ledger.ts';
import { isTerminalAttempt } from '../../server/domain/attempt.ts';
import type { AttemptSpec, StopCause } from '../../server/domain/effect.ts';
import type { AttemptId } from '../../server/domain/ids.ts';
import type { AttemptReport } from '../../server/domain/input.ts';
import type { SyncAnswer } from '../../server/protocol/gateway.ts';
import { specOf } from './specs.ts';

const specs = [specOf(0), specOf(1, {}, { timeoutMs: 50 })];
const succeeded = { state: 'SUCCEEDED' } as const;
const failed = { state: 'FAILED', failure: { kind: 'APPLICATION', reason: { code: 'NO', message: 'No.' } } } as const;

const KINDS = ['ASSIGN', 'JOURNAL', 'END', 'FORGET', 'SYNC', 'ANSWER', 'OTHER', 'CRASH'] as const;
interface Step {
  readonly kind: (typeof KINDS)[number];
  /** Chooses an attempt, a message on its way or a time. */
  readonly index: number;
}
const step: fc.Arbitrary<Step> = fc.record({ kind: fc.constantFrom(...KINDS), index: fc.nat({ max: 1_000 }) });

/**
 * A server that keeps to the protocol, a disk, processes, and a network that delivers hints any number of times and
 * answers late, twice, in any order or not at all.
 */
class World {
  ledger = new AttemptLedger();
  readonly starts = new Map<AttemptId, number>();
  readonly #disk = new Map<AttemptId, JournaledAttempt>();
  readonly #waiting: AttemptSpec[] = [];
  readonly #alive = new Set<AttemptId>();
  readonly #heard = new Set<AttemptId>();
  readonly #ends = new Map<AttemptId, AttemptReport>();
  #answers: SyncAnswer[] = [];
  #isReportLost = false;
  #now = 0;

  perform({ kind, index }: Step): void {
    const spec = specs[index % specs.length]!;
    const { attempt } = spec;
    switch (kind) {
      case 'ASSIGN':
        if (!this.#heard.has(attempt)) this.ledger.assign([spec], this.#now);
        break;
      case 'JOURNAL': {
        const batch = this.#waiting.splice(0);
        for (const { attempt: id, runner, taskKey, timeoutMs, killGraceMs } of batch)
          this.#disk.set(id, { attempt: id, runner, taskKey, timeoutMs, killGraceMs, acceptedAt: this.#now });
        this.ledger.journaled(batch, this.#now, this.#now);
        break;
      }
      case 'END':
        if (!this.#alive.delete(attempt)) break;
        this.ledger.ended(attempt, index % 4 < 2 ? succeeded : failed, this.#now);
        // Reports get lost, too.
        this.#isReportLost = index % 3 === 0;
        break;
      case 'FORGET':
        if (this.#heard.has(attempt)) this.ledger.forget(attempt);
        break;
      case 'OTHER':
        this.#other(spec, index);
        break;
      case 'SYNC':
        this.#sync();
        break;
      case 'ANSWER': {
        // Not taken away: it may come again. An answer never comes over a restart: the incarnation is another.
        const answer = this.#answers.at(index % 2 ? -1 : index % Math.max(this.#answers.length, 1));
        if (answer) this.ledger.answered(answer, this.#now, this.#now);
        break;
      }
      case 'CRASH':
        this.#crash();
        break;
      default:
        kind satisfies never;
    }
    this.#act(this.ledger.take());
    this.#check();
  }

  #other({ attempt }: AttemptSpec, index: number): void {
    const isAlive = this.#alive.has(attempt);
    switch (index % 5) {
      case 0:
        if (isAlive) this.ledger.running(attempt, this.#now);
        break;
      case 1:
        if (!isAlive) break;
        // The journal does not take a handle for what it was told to forget.
        if (this.#disk.has(attempt)) this.#disk.get(attempt)!.handle = 'here';
        this.ledger.checkpointed(attempt);
        break;
      case 2:
        if (isAlive) this.ledger.settled(attempt);
        break;
      case 3:
        this.ledger.stop(attempt, 'CANCELLED', this.#now);
        break;
      default:
        this.#now += index * 10;
        this.ledger.turned(this.#now);
        this.ledger.wake(this.#now, this.#now);
    }
  }

  #act({ accept, start, reattach, report, forget }: Actions): void {
    this.#waiting.push(...accept);
    for (const { attempt } of start) {
      if (!this.#disk.has(attempt)) throw new Error(`${attempt} was started before it was durable.`);
      this.starts.set(attempt, (this.starts.get(attempt) ?? 0) + 1);
      this.#alive.add(attempt);
    }
    for (const { attempt, handle } of reattach) {
      if (handle !== 'here') throw new Error(`${attempt} is to be found again without a handle.`);
      this.#alive.add(attempt);
    }
    for (const each of report) {
      if (!isTerminalAttempt(each.state)) continue;
      const known = this.#disk.get(each.attempt);
      if (known) known.end = each;
      if ((this.#ends.get(each.attempt) ?? each) !== each) throw new Error(`${each.attempt} ended twice.`);
      this.#ends.set(each.attempt, each);
      if (!this.#isReportLost) this.#heard.add(each.attempt);
    }
    for (const attempt of forget) this.#disk.delete(attempt);
  }

  #sync(): void {
    const { seq, known } = this.ledger.syncMessage();
    const names = new Set(known.map(({ attempt }) => attempt));
    for (const { attempt, state } of known) if (isTerminalAttempt(state)) this.#heard.add(attempt);
    this.#answers.push({
      status: 'OK',
      seq,
      assign: specs.filter(({ attempt }) => !names.has(attempt) && !this.#heard.has(attempt)),
      stop: [],
      forget: [...this.#heard].filter((attempt) => names.has(attempt)),
    });
  }

  #crash(): void {
    this.ledger = new AttemptLedger();
    this.#answers = [];
    this.#waiting.length = 0;
    this.#alive.clear();
    const journaled = [...this.#disk.values()].map((each) => ({ ...each }));
    this.ledger.recover(journaled, () => true, this.#now, this.#now);
  }

  #check(): void {
    for (const [attempt, count] of this.starts)
      if (count > 1) throw new Error(`${attempt} was started ${count} times.`);
    const told = new Map(this.ledger.syncMessage().known.map((report) => [report.attempt, report]));
    for (const [attempt, end] of this.#ends)
      if (!this.#heard.has(attempt) && told.get(attempt) !== end) throw new Error(`The end of ${attempt} is not told.`);
  }
}

/** A ledger with one attempt that has been started, and what was to be done so far taken away. */
function started(rest: Partial<AttemptSpec> = {}) {
  const ledger = new AttemptLedger();
  const spec = specOf(0, {}, rest);
  ledger.assign([spec], 0);
  ledger.journaled([spec], 1, 1);
  ledger.take();
  return { ledger, attempt: spec.attempt };
}
const end = (ledger: AttemptLedger) => ledger.take().report.at(-1);

describe('the ledger', () => {
  it('starts an attempt at most once and tells its end until it is forgotten, whatever happens to messages and agents', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 100 }), (steps) => {
        const world = new World();
        for (const each of steps) world.perform(each);
      }),
      { numRuns: 5_000 },
    );
  });

  it('starts nothing before the journal holds it', () => {
    const ledger = new AttemptLedger();
    ledger.assign(specs, 0);
    expect(ledger.take()).toMatchObject({ accept: specs, start: [], report: [] });
    ledger.journaled(specs, 1, 1);
    expect(ledger.take()).toMatchObject({ accept: [], start: specs });
  });

  it('rejects what the journal cannot hold', () => {
    const ledger = new AttemptLedger();
    ledger.assign([specOf(0)], 0);
    ledger.notJournaled([specOf(0)], 'The disk is full.', 5);
    expect(ledger.take()).toMatchObject({
      start: [],
      report: [{ state: 'REJECTED', failure: { kind: 'INFRASTRUCTURE', reason: { message: 'The disk is full.' } } }],
    });
    expect(ledger.isIdle).toBe(true);
  });

  it('does not start what was stopped while it was journaled', () => {
    const ledger = new AttemptLedger();
    ledger.assign([specOf(0)], 0);
    ledger.stop(specOf(0).attempt, 'CANCELLED', 1);
    ledger.journaled([specOf(0)], 2, 2);
    expect(ledger.take()).toMatchObject({ start: [], stop: [], report: [{ state: 'CANCELLED' }] });
  });

  it('tells only the end of what ends in the turn that it began in', () => {
    const { ledger, attempt } = started();
    ledger.running(attempt, 2);
    ledger.ended(attempt, succeeded, 3);
    ledger.turned(4);
    expect(ledger.take().report).toEqual([{ attempt, state: 'SUCCEEDED', at: 3, startedAt: 2 }]);
  });

  it('tells that an attempt is starting when it outlives the turn, and then that it runs', () => {
    const { ledger, attempt } = started();
    ledger.turned(5);
    expect(ledger.take().report).toEqual([{ attempt, state: 'STARTING', at: 5 }]);
    ledger.running(attempt, 9);
    ledger.running(attempt, 12);
    expect(ledger.take().report).toEqual([{ attempt, state: 'RUNNING', at: 9, startedAt: 9 }]);
  });

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

  it('lets work succeed that was done before its stop took effect', () => {
    const { ledger, attempt } = started();
    ledger.stop(attempt, 'CANCELLED', 2);
    ledger.ended(attempt, succeeded, 3);
    expect(end(ledger)).toMatchObject({ state: 'SUCCEEDED' });
    expect(ledger.wakeAt).toBeNull();
  });

  it('has nothing left to stop when a runner has settled and only its output is on its way', () => {
    const { ledger, attempt } = started({ killGraceMs: 1 });
    ledger.stop(attempt, 'CANCELLED', 2);
    ledger.settled(attempt);
    ledger.wake(1_000_000, 1_000_000);
    ledger.ended(attempt, failed, 1_000_001);
    expect(ledger.take()).toMatchObject({ kill: [], abandon: [], report: [{ state: 'CANCELLED' }] });
  });

  it('lets the first end stand', () => {
    const { ledger, attempt } = started();
    ledger.ended(attempt, succeeded, 2);
    ledger.ended(attempt, failed, 3);
    ledger.running(attempt, 4);
    expect(ledger.syncMessage().known).toEqual([{ attempt, state: 'SUCCEEDED', at: 2, startedAt: 1 }]);
  });

  it('keeps what has not ended, though it is told to forget it', () => {
    const { ledger, attempt } = started();
    ledger.forget(attempt);
    expect(ledger.take().forget).toEqual([]);
    expect(ledger.size).toBe(1);
  });

  it('discards an answer to an older sync', () => {
    const { ledger, attempt } = started();
    const [old, fresh] = [ledger.syncMessage().seq, ledger.syncMessage().seq];
    const nothing = { status: 'OK', assign: [], stop: [], forget: [] } as const;
    ledger.answered({ ...nothing, seq: fresh }, 2, 2);
    ledger.answered({ ...nothing, seq: old, stop: [{ attempt, cause: 'CANCELLED' }] }, 3, 3);
    expect(ledger.take().stop).toEqual([]);
  });

  it('asks for a sync before the ids of forgotten attempts become many', () => {
    const ledger = new AttemptLedger();
    for (let ordinal = 0; ordinal <= 50_000; ordinal++) {
      const spec = specOf(ordinal);
      ledger.assign([spec], 0);
      ledger.journaled([spec], 0, 0);
      ledger.ended(spec.attempt, succeeded, 1);
      ledger.forget(spec.attempt);
    }
    expect(ledger.wantsSync).toBe(true);
    ledger.answered({ status: 'OK', seq: ledger.syncMessage().seq, assign: [], stop: [], forget: [] }, 1, 1);
    expect(ledger.wantsSync).toBe(false);
    expect(ledger.size).toBe(0);
  });

  it('finds again after a restart what its runner can, and says honestly what became of the rest', () => {
    const ledger = new AttemptLedger();
    const known = (ordinal: number, rest: Partial<JournaledAttempt> = {}): JournaledAttempt => {
      const { attempt, taskKey, timeoutMs, killGraceMs } = specOf(ordinal);
      return {
        attempt,
        runner: ordinal === 2 ? 'forgetful' : 'mock',
        taskKey,
        timeoutMs,
        killGraceMs,
        acceptedAt: 5,
        ...rest,
      };
    };
    const told = { attempt: specOf(3).attempt, state: 'SUCCEEDED', at: 7 } as const;
    const journaled = [known(0, { handle: 1 }), known(1), known(2, { handle: 1 }), known(3, { end: told })];
    ledger.recover(journaled, (runner) => runner === 'mock', 100, 3);
    const { start, reattach, report } = ledger.take();
    expect(start).toEqual([]);
    expect(reattach).toEqual([journaled[0]]);
    const lost = {
      state: 'FAILED',
      startedAt: 5,
      failure: { kind: 'INFRASTRUCTURE', reason: { code: 'START_UNKNOWN' } },
    };
    expect(report).toMatchObject([{ state: 'RUNNING', startedAt: 5 }, lost, lost, told]);
  });

  it('counts a timeout over a restart', () => {
    const ledger = new AttemptLedger();
    const { attempt, taskKey, killGraceMs } = specOf(0);
    // Accepted at 1,000 and now it is 1,600: of 1,000 ms there are 400 left, and the clock that only grows says 50.
    const journaled = { attempt, runner: 'mock', taskKey, timeoutMs: 1_000, killGraceMs, acceptedAt: 1_000, handle: 1 };
    ledger.recover([journaled], () => true, 1_600, 50);
    ledger.turned(1_600);
    expect(ledger.wakeAt).toBe(450);
  });

  it('leaves running at a shutdown what a restart can find again, stops the rest, and takes nothing on', () => {
    const ledger = new AttemptLedger();
    const [one, two, three] = [specOf(0), specOf(1), specOf(2)];
    ledger.assign([one, two], 0);
    ledger.journaled([one, two], 0, 0);
    ledger.checkpointed(one.attempt);
    ledger.take();
    ledger.shutDown(() => true, 1);
    ledger.assign([three], 2);
    expect(ledger.take()).toMatchObject({ accept: [], stop: [{ attempt: two.attempt, reason: 'SHUTDOWN' }] });
    expect(ledger.isIdle).toBe(false);
    ledger.ended(two.attempt, failed, 3);
    expect(ledger.isIdle).toBe(true);
    expect(end(ledger)).toMatchObject({ state: 'FAILED', failure: { kind: 'INFRASTRUCTURE' } });
  });
});
