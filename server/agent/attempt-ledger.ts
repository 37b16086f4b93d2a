import type { Json, JsonObject, Resources } from '@gantry/plugin-kit/vocabulary';
import { isTerminalAttempt } from '../domain/attempt.ts';
import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';
import type { SyncAnswer } from '../protocol/gateway.ts';
import { Alarms, type Sleeper } from './alarms.ts';
import { afterStop, nodeFault, pluginFault, stopped, type End, type StopReason } from './attempt-end.ts';

/*
 * What an agent knows of its attempts, and what it has to do about them. A state machine without I/O, clock or
 * promises: events go in with the time, `take` hands out what is to be done. The agent does it for real; a simulation
 * may do it on a virtual disk with virtual processes.
 *
 *   assign → ACCEPTED → (accept: journal durably) → journaled → STARTED → ended → ENDED → forget → gone
 *
 * - An attempt is started at most once, ever (I5): only between `assign` of an unknown id and `journaled`, so its id is
 *   durable before. What a journal holds after a restart *may* have been started: acceptance and start are one record,
 *   flushed for a whole batch at once, and so an attempt without an end is either found again by its runner or reported
 *   as START_UNKNOWN. It is never started again.
 * - An end is told until the server says that it holds it durably (I6), and then its id is remembered until no answer
 *   can be under way that assigns it again.
 * - Stopping is a ladder: soft stop, after the attempt's grace the hard one, after SETTLE_MS the runner is given up.
 */

/** After the hard stop a runner has this long to settle. Milliseconds. */
export const SETTLE_MS = 5_000;

/** So many forgotten ids are kept before the server is asked for an answer that lets them go. */
const REMEMBERED_IDS = 50_000;

/** What a restart knows of an attempt. Its environment and inputs, which may hold secrets, are not kept. */
export interface JournaledAttempt {
  readonly attempt: AttemptId;
  readonly runner: string;
  readonly taskKey: string;
  readonly timeoutMs: number | null;
  readonly killGraceMs: number;
  readonly acceptedAt: number;
  /** What its runner asked to be kept (`checkpoint`); undefined before. */
  handle?: Json;
  /** Kept with the first handle. */
  config?: JsonObject;
  resources?: Resources;
  /** Where secrets belong, by their names. */
  secrets?: AttemptSpec['secrets'];
  /** How it ended; undefined while it may still run. */
  end?: AttemptReport;
}

/** What is to be done, in this order. */
export interface Actions {
  /** Journal these durably, then call `journaled` or `notJournaled`. */
  readonly accept: AttemptSpec[];
  readonly start: AttemptSpec[];
  readonly reattach: JournaledAttempt[];
  readonly stop: { readonly attempt: AttemptId; readonly reason: StopReason }[];
  readonly kill: AttemptId[];
  /** Their runners did not settle: nobody listens to them any more. */
  readonly abandon: AttemptId[];
  /** Tell the server, and journal the ends among them. */
  readonly report: AttemptReport[];
  /** Journal that these are forgotten. */
  readonly forget: AttemptId[];
}

type Phase = 'ACCEPTED' | 'STARTED' | 'SETTLED' | 'LEFT' | 'ENDED' | 'FORGOTTEN';

/** One attempt. */
class Entry implements Sleeper {
  readonly attempt: AttemptId;
  readonly runner: string;
  readonly timeoutMs: number | null;
  readonly killGraceMs: number;
  phase: Phase = 'ACCEPTED';
  report: AttemptReport;
  startedAt = 0;
  /** When its timeout ends, by the clock that only grows. */
  deadline = Infinity;
  stop: StopReason | null = null;
  isKilled = false;
  hasCheckpoint = false;
  /** Whether its report is among those to be told. */
  isNews = false;
  wakeAt = 0;
  place = -1;

  constructor({ attempt, runner, timeoutMs, killGraceMs }: JournaledAttempt | AttemptSpec, at: number) {
    this.attempt = attempt;
    this.runner = runner;
    this.timeoutMs = timeoutMs;
    this.killGraceMs = killGraceMs;
    this.report = { attempt, state: 'ASSIGNED', at };
  }
}

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
  #sentSeq = 0;
  #heardSeq = 0;

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
        this.#end(entry, stopped(entry.stop), at);
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
  recover(
    journaled: readonly JournaledAttempt[],
    canReattach: (runner: string) => boolean,
    at: number,
    tick: number,
  ): void {
    for (const known of journaled) {
      const entry = new Entry(known, known.acceptedAt);
      this.#entries.set(known.attempt, entry);
      if (known.end !== undefined) {
        entry.phase = 'ENDED';
        entry.report = known.end;
        this.#tell(entry);
        continue;
      }
      this.#liveCount++;
      this.#begin(entry, known.acceptedAt, tick - Math.max(at - known.acceptedAt, 0));
      if (known.handle === undefined || !canReattach(known.runner)) {
        const message = `The agent was restarted while the attempt ran, and the runner ${known.runner} cannot tell what became of it.`;
        this.#end(entry, nodeFault('FAILED', 'START_UNKNOWN', message), at);
        continue;
      }
      entry.hasCheckpoint = true;
      this.#run(entry, at, known.acceptedAt);
      this.#actions.reattach.push(known);
    }
  }

  /** A turn is over: what still runs is told, and gets its alarm. */
  turned(at: number): void {
    for (const entry of this.#fresh) {
      if (entry.phase !== 'STARTED') continue;
      if (entry.report.state === 'ASSIGNED') {
        entry.report = { attempt: entry.attempt, state: 'STARTING', at };
        this.#tell(entry);
      }
      if (entry.stop === null && entry.deadline !== Infinity) this.#alarms.set(entry, entry.deadline);
    }
    this.#fresh = [];
  }

  /** The work proper has begun. */
  running(attempt: AttemptId, at: number): void {
    const entry = this.#entries.get(attempt);
    if (entry?.phase === 'STARTED' && entry.report.state !== 'RUNNING') this.#run(entry, at, at);
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
    this.#end(entry, entry.stop === null ? end : afterStop(end, entry.stop), at);
  }

  /** Somebody wants an attempt stopped. The first reason stays; repeats change nothing. */
  stop(attempt: AttemptId, reason: StopReason, tick: number): void {
    const entry = this.#entries.get(attempt);
    if (!entry || entry.stop !== null || (entry.phase !== 'ACCEPTED' && entry.phase !== 'STARTED')) return;
    entry.stop = reason;
    if (entry.phase === 'ACCEPTED') return;
    this.#actions.stop.push({ attempt, reason });
    this.#alarms.set(entry, tick + entry.killGraceMs);
  }

  /** Climbs the ladder for all whose time has come. */
  wake(at: number, tick: number): void {
    for (let entry = this.#alarms.first; entry && entry.wakeAt <= tick; entry = this.#alarms.first) {
      this.#alarms.cancel(entry);
      if (entry.stop === null) {
        this.stop(entry.attempt, 'TIMED_OUT', tick);
      } else if (!entry.isKilled) {
        entry.isKilled = true;
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
   * @param canLeave Whether work of this runner that has a checkpoint may be left.
   */
  shutDown(canLeave: (runner: string) => boolean, tick: number): void {
    this.#isClosing = true;
    for (const entry of this.#entries.values()) {
      if (entry.phase === 'STARTED' && entry.hasCheckpoint && canLeave(entry.runner)) {
        entry.phase = 'LEFT';
        this.#liveCount--;
        this.#alarms.cancel(entry);
      } else {
        this.stop(entry.attempt, 'SHUTDOWN', tick);
      }
    }
  }

  #begin(entry: Entry, at: number, tick: number): void {
    entry.phase = 'STARTED';
    entry.startedAt = at;
    if (entry.timeoutMs !== null) entry.deadline = tick + entry.timeoutMs;
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
    const hasStarted = entry.phase !== 'ACCEPTED';
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

function noActions(): Actions {
  return { accept: [], start: [], reattach: [], stop: [], kill: [], abandon: [], report: [], forget: [] };
}
