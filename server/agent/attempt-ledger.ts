import { isTerminalAttempt } from '../domain/attempt.ts';
import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';
import type { SyncAnswer } from '../protocol/gateway.ts';
import { Alarms } from './alarms.ts';
import {
  afterStop,
  nodeFault,
  notBegunInTime,
  outcomeUnknown,
  pluginFault,
  stoppedBeforeStart,
  type End,
  type StopReason,
} from './attempt-end.ts';
import { noActions, type Actions } from './ledger-actions.ts';
import type { JournaledAttempt } from './journaled-attempt.ts';
import { Entry } from './ledger-entry.ts';

/*
 * What an agent knows of its attempts, and what it has to do about them. A state machine without I/O, clock or
 * promises: events go in with the time, `take` hands out what is to be done. The agent does it for real; a simulation
 * may do it on a virtual disk with virtual processes.
 *
 *   assign → ACCEPTED → (accept: journal durably) → journaled → STARTED → ended → ENDED → forget → gone
 *
 * - An attempt is started at most once, ever (I5): only between `assign` of an unknown id and `journaled`, so its id is
 *   durable before. What a journal holds after a restart *may* have been started: acceptance and start are one record,
 *   flushed for a whole batch at once. So the runner of an attempt without an end is asked for it, by its checkpoint or
 *   by its id; where the runner cannot be asked, the outcome is unknown. It is never started again.
 * - An end is told until the server says that it holds it durably (I6), and then its id is remembered until no answer
 *   can be under way that assigns it again.
 * - Stopping is a ladder: soft stop, after the attempt's grace the hard one, after SETTLE_MS the runner is given up. What
 *   ends after the soft stop was sent was stopped, also when a restart lies between: where a restart can find the
 *   attempt again, the stop is journaled before it is sent.
 * - A timeout counts from the moment in which the work began; before, from the start of its runner. What is being
 *   prepared has PREPARING_MS instead.
 */

/** After the hard stop a runner has this long to settle. Milliseconds. */
export const SETTLE_MS = 5_000;

/** What precedes the work, such as the pull of an image, may take this long. Milliseconds. */
export const PREPARING_MS = 30 * 60_000;

/** So many forgotten ids are kept before the server is asked for an answer that lets them go. */
const REMEMBERED_IDS = 50_000;

/** What a ledger asks of runners by their names. */
export interface RunnerAbilities {
  /** Whether it follows work of before a restart when it is given its handle. */
  reattaches(runner: string): boolean;
  /** Whether it finds that work by the attempt's id alone. */
  finds(runner: string): boolean;
}
const NO_ABILITIES: RunnerAbilities = { reattaches: () => false, finds: () => false };

/** Times: `at` is the wall clock, for reports; `tick` only grows, for timeouts. Milliseconds. */
export class AttemptLedger {
  readonly #entries = new Map<AttemptId, Entry>();
  readonly #alarms = new Alarms<Entry>();
  #forgotten = new Set<AttemptId>();
  #forgottenBefore = new Set<AttemptId>();
  #actions: Actions = noActions();
  #news: Entry[] = [];
  /** Started in this turn: most work is short, and what ends in the turn that it began in needs no alarm. */
  #fresh: Entry[] = [];
  #liveCount = 0;
  #isClosing = false;
  readonly #abilities: RunnerAbilities;
  #sentSeq = 0;
  #heardSeq = 0;

  constructor(abilities: RunnerAbilities = NO_ABILITIES) {
    this.#abilities = abilities;
  }

  /** Nothing is about to start and nothing runs, but for what was left running. */
  get isIdle(): boolean {
    return this.#liveCount === 0;
  }

  /** Attempts that are known and not forgotten. */
  get size(): number {
    return this.#entries.size;
  }

  /** When `wake` wants to be called, by the clock that only grows; null for never. */
  get wakeAt(): number | null {
    return this.#alarms.first?.wakeAt ?? null;
  }

  /** So many ids wait for an answer that lets them go: sync soon. */
  get wantsSync(): boolean {
    return this.#forgotten.size > REMEMBERED_IDS;
  }

  /** What is to be done since the last call. */
  take(): Actions {
    const actions = this.#actions;
    this.#actions = noActions();
    for (const entry of this.#news) {
      entry.isNews = false;
      if (entry.phase !== 'FORGOTTEN') actions.report.push(entry.report);
    }
    this.#news = [];
    return actions;
  }

  /** The server assigns. What is known already, or was not long ago, changes nothing. */
  assign(specs: readonly AttemptSpec[], at: number): void {
    if (this.#isClosing) return;
    for (const spec of specs) {
      const { attempt } = spec;
      if (this.#entries.has(attempt) || this.#forgotten.has(attempt) || this.#forgottenBefore.has(attempt)) continue;
      this.#entries.set(attempt, new Entry(spec, at));
      this.#liveCount++;
      this.#actions.accept.push(spec);
    }
  }

  /** The journal holds these durably: they may be started now, and never again. */
  journaled(specs: readonly AttemptSpec[], at: number, tick: number): void {
    for (const spec of specs) {
      const entry = this.#entries.get(spec.attempt);
      if (entry?.phase !== 'ACCEPTED') continue;
      if (entry.stop !== null) {
        this.#end(entry, stoppedBeforeStart(entry.stop), at);
        continue;
      }
      this.#begin(entry, at, tick);
      this.#actions.start.push(spec);
    }
  }

  /** The journal could not be written, or the disk is full: nothing is started, another node should try. */
  notJournaled(
    specs: readonly AttemptSpec[],
    message: string,
    at: number,
    code: 'JOURNAL_UNWRITABLE' | 'DISK_FULL' = 'JOURNAL_UNWRITABLE',
  ): void {
    for (const { attempt } of specs) {
      const entry = this.#entries.get(attempt);
      if (entry?.phase === 'ACCEPTED') this.#end(entry, nodeFault('REJECTED', code, message), at);
    }
  }

  /** Takes in what a journal holds, once, before anything else. */
  recover(journaled: readonly JournaledAttempt[], at: number, tick: number): void {
    for (const known of journaled) {
      const entry = new Entry(known, known.acceptedAt);
      entry.isOfBefore = true;
      this.#entries.set(known.attempt, entry);
      if (known.end !== undefined) {
        entry.phase = 'ENDED';
        entry.report = known.end;
        this.#tell(entry);
        continue;
      }
      this.#liveCount++;
      const { runner, handle, stop, acceptedAt, startedAt = acceptedAt } = known;
      this.#begin(entry, startedAt, tick - Math.max(at - startedAt, 0));
      if (handle === undefined ? !this.#abilities.finds(runner) : !this.#abilities.reattaches(runner)) {
        const message = `The agent was restarted when the attempt may have been at work, and the runner ${runner} cannot tell what became of it.`;
        this.#end(entry, outcomeUnknown(message), at);
        continue;
      }
      entry.hasCheckpoint = handle !== undefined;
      // Without one it may never have begun: its runner says so when it has found it at work.
      if (entry.hasCheckpoint) this.#run(entry, at, startedAt);
      this.#actions.reattach.push(known);
      if (stop !== undefined) this.#stopAgain(entry, stop.reason, tick - Math.max(at - stop.at, 0), tick);
    }
  }

  /** An agent before has stopped it, or was about to: the ladder goes on from where it was. */
  #stopAgain(entry: Entry, reason: StopReason, stoppedTick: number, tick: number): void {
    entry.stop = reason;
    entry.isStopSent = true;
    entry.isStopOfBefore = true;
    this.#actions.stop.push({ attempt: entry.attempt, reason });
    this.#alarms.set(entry, Math.max(stoppedTick + entry.killGraceMs, tick));
  }

  /** A turn is over: what still runs is told, and gets its alarm. */
  turned(at: number): void {
    for (const entry of this.#fresh) {
      entry.isFresh = false;
      if (entry.phase !== 'STARTED') continue;
      if (entry.report.state === 'ASSIGNED') {
        entry.report = { attempt: entry.attempt, state: 'STARTING', at };
        this.#tell(entry);
      }
      if (entry.stop === null && entry.deadline !== Infinity) this.#alarms.set(entry, entry.deadline);
    }
    this.#fresh = [];
  }

  /** What precedes the work has begun: its timeout does not count yet. */
  preparing(attempt: AttemptId, tick: number): void {
    const entry = this.#entries.get(attempt);
    if (entry?.phase !== 'STARTED' || entry.report.state === 'RUNNING' || entry.isOfBefore) return;
    if (entry.isPreparing) return;
    entry.isPreparing = true;
    this.#postpone(entry, tick + PREPARING_MS);
  }

  /** The work proper has begun: its timeout counts from now on. */
  running(attempt: AttemptId, at: number, tick: number): void {
    const entry = this.#entries.get(attempt);
    if (entry?.phase !== 'STARTED' || entry.report.state === 'RUNNING') return;
    // Of work that an agent before has started, nobody can say more than when that was at the latest.
    if (entry.isOfBefore) return this.#run(entry, at, entry.startedAt);
    this.#run(entry, at, at);
    entry.isPreparing = false;
    this.#postpone(entry, entry.timeoutMs === null ? Infinity : tick + entry.timeoutMs);
  }

  /** A restart may find the attempt again. */
  checkpointed(attempt: AttemptId): void {
    const entry = this.#entries.get(attempt);
    if (entry) entry.hasCheckpoint = true;
  }

  /** A runner has settled, and the end will follow when its output is stored: there is nothing left to stop. */
  settled(attempt: AttemptId): void {
    const entry = this.#entries.get(attempt);
    if (entry?.phase !== 'STARTED') return;
    entry.phase = 'SETTLED';
    this.#alarms.cancel(entry);
  }

  /** An attempt has ended. Only the first end of a started attempt counts. */
  ended(attempt: AttemptId, end: End, at: number): void {
    const entry = this.#entries.get(attempt);
    if (entry?.phase !== 'STARTED' && entry?.phase !== 'SETTLED') return;
    this.#end(entry, this.#truthOf(entry, end), at);
  }

  /** What is to be reported of an end, after all that was done to the attempt. */
  #truthOf(entry: Entry, end: End): End {
    if (entry.stop === null || !entry.isStopSent) return end;
    const hasNotBegun = end.state === 'REJECTED' || (end.state === 'FAILED' && end.failure?.kind !== 'UNKNOWN');
    if (entry.stop === 'TIMED_OUT' && entry.isPreparing && hasNotBegun) return notBegunInTime(PREPARING_MS);
    return afterStop(entry.isStopOfBefore ? { ...end, endedBeforeStop: false } : end, entry.stop);
  }

  /** Somebody wants an attempt stopped. The first reason stays; repeats change nothing. */
  stop(attempt: AttemptId, reason: StopReason, tick: number): void {
    const entry = this.#entries.get(attempt);
    if (!entry || entry.stop !== null || (entry.phase !== 'ACCEPTED' && entry.phase !== 'STARTED')) return;
    entry.stop = reason;
    if (entry.phase === 'ACCEPTED') return;
    this.#alarms.set(entry, tick + entry.killGraceMs);
    if (entry.hasCheckpoint || this.#abilities.finds(entry.runner)) this.#actions.journalStop.push({ attempt, reason });
    else this.#sendStop(entry);
  }

  /** It is durable that these are stopped, or cannot be made so: their runners may hear of it. */
  stopJournaled(attempts: readonly AttemptId[]): void {
    for (const attempt of attempts) {
      const entry = this.#entries.get(attempt);
      if (entry?.phase === 'STARTED') this.#sendStop(entry);
    }
  }

  #sendStop(entry: Entry): void {
    if (entry.isStopSent || entry.stop === null) return;
    entry.isStopSent = true;
    this.#actions.stop.push({ attempt: entry.attempt, reason: entry.stop });
  }

  /** Climbs the ladder for all whose time has come. */
  wake(at: number, tick: number): void {
    for (let entry = this.#alarms.first; entry && entry.wakeAt <= tick; entry = this.#alarms.first) {
      this.#alarms.cancel(entry);
      if (entry.stop === null) {
        this.stop(entry.attempt, 'TIMED_OUT', tick);
      } else if (!entry.isKilled) {
        entry.isKilled = true;
        // A disk that takes longer than the grace holds nothing up.
        this.#sendStop(entry);
        this.#actions.kill.push(entry.attempt);
        this.#alarms.set(entry, tick + SETTLE_MS);
      } else {
        this.#actions.abandon.push(entry.attempt);
        const what = `did not settle within ${SETTLE_MS / 1_000} s of the hard stop: something of it may still run`;
        this.#end(entry, pluginFault(entry.runner, 'RUNNER_DID_NOT_SETTLE', what), at);
      }
    }
  }

  /** The server holds the end durably. Changes nothing before there is one. */
  forget(attempt: AttemptId): void {
    const entry = this.#entries.get(attempt);
    if (entry?.phase !== 'ENDED') return;
    entry.phase = 'FORGOTTEN';
    this.#entries.delete(attempt);
    this.#forgotten.add(attempt);
    this.#actions.forget.push(attempt);
  }

  /** Everything that is known, to be sent. */
  syncMessage(): { readonly seq: number; readonly known: readonly AttemptReport[] } {
    const known: AttemptReport[] = [];
    for (const { report } of this.#entries.values()) known.push(report);
    return { seq: ++this.#sentSeq, known };
  }

  /** Does what an answer says, unless a later one was heard. */
  answered({ seq, assign, stop, forget }: SyncAnswer, at: number, tick: number): void {
    if (seq <= this.#heardSeq) return;
    this.#heardSeq = seq;
    for (const each of stop) this.stop(each.attempt, each.cause, tick);
    for (const attempt of forget) this.forget(attempt);
    this.assign(assign, at);
    // Answers come in order: one that was written before these were forgotten cannot follow the next.
    this.#forgottenBefore = this.#forgotten;
    this.#forgotten = new Set();
  }

  /**
   * The agent stops. What a restart can find again is left running, everything else is stopped.
   *
   * @param mayLeave False when nothing is to go on.
   */
  shutDown(mayLeave: boolean, tick: number): void {
    this.#isClosing = true;
    for (const entry of this.#entries.values()) {
      if (mayLeave && entry.phase === 'STARTED' && this.#canBeFoundAgain(entry)) {
        entry.phase = 'LEFT';
        this.#liveCount--;
        this.#alarms.cancel(entry);
      } else {
        this.stop(entry.attempt, 'SHUTDOWN', tick);
      }
    }
  }

  #canBeFoundAgain({ runner, hasCheckpoint }: Entry): boolean {
    return this.#abilities.reattaches(runner) && (hasCheckpoint || this.#abilities.finds(runner));
  }

  /** Moves the time at which it is stopped. */
  #postpone(entry: Entry, deadline: number): void {
    entry.deadline = deadline;
    // What has just begun gets its alarm at the end of the turn; of what is stopped the ladder decides.
    if (entry.isFresh || entry.stop !== null) return;
    if (deadline === Infinity) this.#alarms.cancel(entry);
    else this.#alarms.set(entry, deadline);
  }

  #begin(entry: Entry, at: number, tick: number): void {
    entry.phase = 'STARTED';
    entry.startedAt = at;
    if (entry.timeoutMs !== null) entry.deadline = tick + entry.timeoutMs;
    entry.isFresh = true;
    this.#fresh.push(entry);
  }

  #run(entry: Entry, at: number, startedAt: number): void {
    entry.startedAt = startedAt;
    entry.report = { attempt: entry.attempt, state: 'RUNNING', at, startedAt };
    this.#tell(entry);
  }

  #end(entry: Entry, { state, failure, outputs, usage }: End, at: number): void {
    const { attempt } = entry;
    // One that was never started has no start to tell of.
    const hasStarted = entry.phase !== 'ACCEPTED' && state !== 'REJECTED';
    entry.phase = 'ENDED';
    if (entry.place >= 0) this.#alarms.cancel(entry);
    const report: { -readonly [Key in keyof AttemptReport]: AttemptReport[Key] } = { attempt, state, at };
    if (hasStarted) report.startedAt = Math.min(entry.startedAt, at);
    if (failure !== undefined) report.failure = failure;
    if (outputs !== undefined) report.outputs = outputs;
    if (usage !== undefined) report.usage = usage;
    entry.report = report;
    this.#liveCount--;
    this.#tell(entry);
  }

  #tell(entry: Entry): void {
    if (entry.isNews) return;
    entry.isNews = true;
    this.#news.push(entry);
  }
}

/** Whether a report is to be journaled. */
export const isEnd = (report: AttemptReport): boolean => isTerminalAttempt(report.state);
