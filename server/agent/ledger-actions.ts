import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';
import type { StopReason } from './attempt-end.ts';
import type { JournaledAttempt } from './journaled-attempt.ts';

/** What is to be done, in this order. */
export interface Actions {
  /** Journal these durably, then call `journaled` or `notJournaled`. */
  readonly accept: AttemptSpec[];
  readonly start: AttemptSpec[];
  readonly reattach: JournaledAttempt[];
  /** Journal these stops durably, then call `stopJournaled`. */
  readonly journalStop: { readonly attempt: AttemptId; readonly reason: StopReason }[];
  readonly stop: { readonly attempt: AttemptId; readonly reason: StopReason }[];
  readonly kill: AttemptId[];
  /** Their runners did not settle: nobody listens to them any more. */
  readonly abandon: AttemptId[];
  /** Tell the server, and journal the ends among them. */
  readonly report: AttemptReport[];
  /** Journal that these are forgotten. */
  readonly forget: AttemptId[];
}

/** Nothing is to be done. */
export function noActions(): Actions {
  return {
    accept: [],
    start: [],
    reattach: [],
    journalStop: [],
    stop: [],
    kill: [],
    abandon: [],
    report: [],
    forget: [],
  };
}
