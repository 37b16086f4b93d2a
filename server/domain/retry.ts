import type { Failure } from './failure.ts';
import type { RetryPolicy } from './task.ts';

/** Losses that a task run may suffer through no fault of its own before it is given up as poison (I11). */
export const MAX_LOSSES = 3;

/** What follows a failed attempt. `NONE`: the task run has failed for good. */
export type RetryVerdict =
  { readonly pays: 'USER' | 'INFRASTRUCTURE'; readonly delayMs: number } | { readonly pays: 'NONE' };

/** Whether a failure is the infrastructure's and so never spends the user's retries. */
export const isInfrastructureFailure = (failure: Failure): boolean =>
  failure.kind === 'INFRASTRUCTURE' || failure.kind === 'PREEMPTED';

/** Milliseconds to wait before try `failures + 1`; `failures` counts the failed ones, from 1. */
export function backoffDelay(policy: RetryPolicy, failures: number): number {
  const factor = policy.backoff === 'exponential' ? 2 ** Math.min(failures - 1, 30) : 1;
  return Math.min(policy.delayMs * factor, policy.maxDelayMs);
}

const INFRASTRUCTURE_BACKOFF: RetryPolicy = {
  max: MAX_LOSSES,
  backoff: 'exponential',
  delayMs: 1_000,
  maxDelayMs: 30_000,
};

/** Whether an attempt was stopped for the sake of others: nobody pays, and it queues again at once. */
export const isDisplacement = ({ kind }: Failure): boolean => kind === 'PREEMPTED';

/** Decides who pays for the next try. `failures` and `losses` count this failure already. */
export function afterFailure(policy: RetryPolicy, failure: Failure, failures: number, losses: number): RetryVerdict {
  if (failure.kind === 'CANCELLED') return { pays: 'NONE' };
  if (isDisplacement(failure)) return { pays: 'INFRASTRUCTURE', delayMs: 0 };
  if (isInfrastructureFailure(failure)) {
    return losses > MAX_LOSSES
      ? { pays: 'NONE' }
      : { pays: 'INFRASTRUCTURE', delayMs: backoffDelay(INFRASTRUCTURE_BACKOFF, losses) };
  }
  return failures > policy.max ? { pays: 'NONE' } : { pays: 'USER', delayMs: backoffDelay(policy, failures) };
}
