import type { Reason } from '@gantry/plugin-kit/vocabulary';

/**
 * Why an attempt did not succeed, and so who pays for the next try: APPLICATION, OOM and TIMEOUT spend the user's
 * retries; INFRASTRUCTURE and PREEMPTED have a budget of their own; CANCELLED is never tried again.
 * UNKNOWN is a fault of a plugin and counts as APPLICATION.
 */
export const FAILURE_KINDS = [
  'APPLICATION',
  'OOM',
  'TIMEOUT',
  'INFRASTRUCTURE',
  'PREEMPTED',
  'CANCELLED',
  'UNKNOWN',
] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** What is kept of a failure, on the attempt and on the task run it ended. */
export interface Failure {
  readonly kind: FailureKind;
  readonly reason: Reason;
  readonly exitCode?: number;
  /** The signal's name, `SIGKILL`. */
  readonly signal?: string;
}
