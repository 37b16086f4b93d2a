import type { TerminalAttemptState } from './attempt.ts';
import { isPluginFault, type Failure } from './failure.ts';
import type { RetryPolicy } from './task.ts';

/** Losses that a task run may suffer through no fault of its own before it is given up as poison (I11). */
export const MAX_LOSSES = 3;

/** How an attempt ended that did not succeed, as far as it matters for the next one. */
export interface AttemptEnd {
  readonly state: Exclude<TerminalAttemptState, 'SUCCEEDED'>;
  readonly failure: Failure;
  /** Whether its node had reported that the work was begun. */
  readonly wasAtWork: boolean;
}

/**
 * Who pays for an attempt that did not succeed. USER: a failure, of which `retry` allows so many. INFRASTRUCTURE: a
 * loss, of which MAX_LOSSES are tolerated. NOBODY: the work was never begun, or was stopped for the sake of others.
 */
export type Payer = 'USER' | 'INFRASTRUCTURE' | 'NOBODY';

/** Whether an attempt was stopped for the sake of others: nobody pays, and it queues again at once. */
export const isDisplacement = ({ kind }: Pick<Failure, 'kind'>): boolean => kind === 'PREEMPTED';

/** Who pays for an attempt that ended like this. */
export function payerOf({ state, failure, wasAtWork }: AttemptEnd): Payer {
  if (state === 'REJECTED' || isDisplacement(failure)) return 'NOBODY';
  if (failure.kind !== 'INFRASTRUCTURE' && (failure.kind !== 'UNKNOWN' || isPluginFault(failure))) return 'USER';
  // A node that went away with an attempt of which it had never reported a start was not brought down by it.
  return state === 'LOST' && !wasAtWork ? 'NOBODY' : 'INFRASTRUCTURE';
}

/**
 * Whether nobody knows what the attempt has done. A lost one may have begun unheard; work that the platform ended may
 * have been done in part or in whole. One that was rejected has certainly done nothing, and one that was stopped on
 * purpose was stopped by somebody who knew that it may be repeated.
 */
export function isOutcomeUnknown({ state, failure }: Pick<AttemptEnd, 'state' | 'failure'>): boolean {
  if (state === 'REJECTED' || isDisplacement(failure)) return false;
  return state === 'LOST' || failure.kind === 'UNKNOWN' || failure.kind === 'INFRASTRUCTURE';
}

/** What a task run has spent, the attempt that has just ended included. */
export interface Spent {
  /** Attempts that USER paid for. */
  readonly failures: number;
  /** Attempts that INFRASTRUCTURE paid for. */
  readonly losses: number;
  /** All attempts, those that cost nothing included. */
  readonly attempts: number;
}

/** Why a task run is not tried again. UNKNOWN: it may have been done, and may not be done twice. */
export type GivenUp = 'RETRIES_SPENT' | 'POISON' | 'UNKNOWN' | 'CANCELLED';

/** What follows an attempt that did not succeed. */
export type RetryVerdict =
  { readonly again: true; readonly delayMs: number } | { readonly again: false; readonly because: GivenUp };

/** Milliseconds to wait before try `failures + 1`; `failures` counts the failed ones, from 1. */
export function backoffDelay(policy: RetryPolicy, failures: number): number {
  const factor = policy.backoff === 'exponential' ? 2 ** Math.min(failures - 1, 30) : 1;
  return Math.min(policy.delayMs * factor, policy.maxDelayMs);
}

/** Between attempts that the user does not pay for: 1 s, doubled up to 30 s. */
const INFRASTRUCTURE_BACKOFF: RetryPolicy = {
  max: MAX_LOSSES,
  backoff: 'exponential',
  delayMs: 1_000,
  maxDelayMs: 30_000,
};

/**
 * How long the wait for the next attempt lasts at most, of a task run that waits for it and has spent this. For a wait
 * that is resumed after a restart. Milliseconds.
 */
export function longestDelay(policy: RetryPolicy, { failures, losses, attempts }: Spent): number {
  const free = Math.max(attempts - failures - losses, losses, 1);
  return Math.max(backoffDelay(policy, Math.max(failures, 1)), backoffDelay(INFRASTRUCTURE_BACKOFF, free));
}

/** What a task run has spent once one more attempt has ended. */
export function spentWith(end: AttemptEnd, { failures, losses, attempts }: Spent): Spent {
  const payer = payerOf(end);
  return {
    failures: failures + (payer === 'USER' ? 1 : 0),
    losses: losses + (payer === 'INFRASTRUCTURE' ? 1 : 0),
    attempts,
  };
}

/**
 * Decides whether there is another attempt, and when. `spent` counts this attempt already. An attempt that cost nothing
 * is always followed by another one, unless its outcome is unknown and must not be repeated.
 *
 * @param mayRepeat Whether work whose outcome nobody knows may be done again; asked only where it matters.
 */
export function afterEnd(policy: RetryPolicy, end: AttemptEnd, spent: Spent, mayRepeat: () => boolean): RetryVerdict {
  if (end.failure.kind === 'CANCELLED' && end.state !== 'REJECTED') return { again: false, because: 'CANCELLED' };
  if (isOutcomeUnknown(end) && !mayRepeat()) return { again: false, because: 'UNKNOWN' };
  const { failures, losses, attempts } = spent;
  const payer = payerOf(end);
  switch (payer) {
    case 'NOBODY': {
      const free = Math.max(attempts - failures - losses, 1);
      return { again: true, delayMs: isDisplacement(end.failure) ? 0 : backoffDelay(INFRASTRUCTURE_BACKOFF, free) };
    }
    case 'INFRASTRUCTURE':
      if (losses > MAX_LOSSES) return { again: false, because: 'POISON' };
      return { again: true, delayMs: backoffDelay(INFRASTRUCTURE_BACKOFF, losses) };
    case 'USER':
      if (failures > policy.max) return { again: false, because: 'RETRIES_SPENT' };
      return { again: true, delayMs: backoffDelay(policy, failures) };
    default:
      return payer satisfies never;
  }
}
