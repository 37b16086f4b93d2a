import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';
import type { Sleeper } from './alarms.ts';
import type { StopReason } from './attempt-end.ts';
import type { JournaledAttempt } from './journaled-attempt.ts';

/**
 * Where an attempt is: its journal record is being written; its runner has it; its runner has settled and its output is
 * being stored; it is left running for the next agent; its end is being reported; the server holds its end.
 */
export type Phase = 'ACCEPTED' | 'STARTED' | 'SETTLED' | 'LEFT' | 'ENDED' | 'FORGOTTEN';

/** One attempt, as the ledger knows it. */
export class Entry implements Sleeper {
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
  /** Whether its runner may have heard of the stop. */
  isStopSent = false;
  /** Sent by an agent before: what its runner knows of the order of things does not reach back to that. */
  isStopOfBefore = false;
  isKilled = false;
  /** What precedes the work is going on. */
  isPreparing = false;
  hasCheckpoint = false;
  /** Begun in this turn. */
  isFresh = false;
  /** An agent before has accepted it. */
  isOfBefore = false;
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
