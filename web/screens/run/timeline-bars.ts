import type { TaskRunRow, TimedAttempt } from '../../client/operations.ts';
import { lookOf, type Tone } from '../../design/states.ts';
import { durationText } from '../../design/time.ts';

/** A stretch of time in which a task run was one thing. Milliseconds since the epoch. */
export interface Bar {
  readonly kind: 'waiting' | 'starting' | 'running';
  readonly tone: Tone;
  readonly from: number;
  readonly to: number;
  /** The attempt; null where it waited for one. */
  readonly attempt: number | null;
  /** For people: what, how long, how it ended. */
  readonly title: string;
}

type TaskRunTimes = Pick<TaskRunRow, 'state' | 'readyAt' | 'finishedAt'> & { readonly attempt: TimedAttempt | null };

const at = (time: string | null | undefined): number | null => (time ? Date.parse(time) : null);

/**
 * Everything that a task run has been, in order: each attempt from its assignment to its end, and what it waited before
 * and between. `earlier` are the attempts before its latest, as far as they are known; `now` is where what goes on ends.
 */
export function barsOf(
  { state, readyAt, finishedAt, attempt }: TaskRunTimes,
  earlier: readonly TimedAttempt[],
  now: number,
): readonly Bar[] {
  const attempts = attempt === null ? [] : [...earlier.filter(({ number }) => number < attempt.number), attempt];
  const bars: Bar[] = [];
  const isFirstKnown = attempts[0] === undefined || attempts[0].number === 1;
  // Only the last time that it became ready is known: with one attempt that is the first.
  let waitsSince = attempts.length <= 1 && isFirstKnown ? at(readyAt) : null;
  const wait = (to: number): void => {
    if (waitsSince === null || to < waitsSince) return;
    const title = `waited ${durationText(to - waitsSince)}`;
    bars.push({ kind: 'waiting', tone: 'idle', from: waitsSince, to, attempt: null, title });
  };
  for (const each of attempts) {
    wait(Date.parse(each.assignedAt));
    bars.push(...attemptBars(each, now));
    waitsSince = at(each.finishedAt);
  }
  const isWaiting = ['READY', 'BACKOFF', 'BLOCKED'].includes(state);
  if (attempts.length === 0 || isWaiting) wait(isWaiting ? now : (at(finishedAt) ?? now));
  return bars;
}

function attemptBars(attempt: TimedAttempt, now: number): readonly Bar[] {
  const { number, state, nodeName, failure } = attempt;
  const { tone, word } = lookOf(state);
  const assigned = Date.parse(attempt.assignedAt);
  const started = at(attempt.startedAt);
  const ended = Math.max(assigned, at(attempt.finishedAt) ?? now);
  const took = durationText(ended - (started ?? assigned));
  const title = `attempt ${number} on ${nodeName}: ${word.toLowerCase()}, ${took}${failure === null ? '' : ` – ${failure.message}`}`;
  const bars: Bar[] = [];
  // The clock of a node may be a little ahead of the server's, or behind it.
  const from = started === null ? null : Math.min(Math.max(started, assigned), ended);
  if (from === null || from > assigned) {
    bars.push({ kind: 'starting', tone, from: assigned, to: from ?? ended, attempt: number, title });
  }
  if (from !== null) bars.push({ kind: 'running', tone, from, to: ended, attempt: number, title });
  return bars;
}
