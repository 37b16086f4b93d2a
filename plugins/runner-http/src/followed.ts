import type { Outcome } from '@gantry/plugin-kit/runner';
import { excerptOf, type Answer } from './answer.ts';
import { failure, type Failed } from './failure.ts';

/** How following a job ended: the job itself with it, or only the following. */
export type Followed =
  | { readonly isJobOver: true; readonly outcome: Outcome }
  /** Null when the attempt was stopped. */
  | { readonly isJobOver: false; readonly why: Failed | null };

/** The failure of a job that says itself that it has failed. */
export function jobFailed(answer: Answer): Failed {
  return failure('JOB_FAILED', `The job has failed: ${excerptOf(answer) || 'it says nothing more'}`);
}
