import type { Reason } from '@gantry/plugin-kit/vocabulary';

/**
 * Why an attempt did not succeed, and so who pays for the next try (retry.ts): APPLICATION, OOM and TIMEOUT spend the
 * user's retries; INFRASTRUCTURE has a budget of its own; PREEMPTED costs nothing; CANCELLED is never tried
 * again. UNKNOWN: nobody knows what was done. It is repeated only where the work is idempotent, at the expense of the
 * infrastructure, unless a fault of a plugin is to blame, which spends the user's retries.
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

/** The codes with which an agent reports that a runner broke its contract. */
const PLUGIN_FAULTS: ReadonlySet<string> = new Set(['RUNNER_THREW', 'OUTCOME_MALFORMED', 'RUNNER_DID_NOT_SETTLE']);

/** Whether the runner itself is to blame for a failure: it threw, answered nonsense or did not settle. */
export const isPluginFault = ({ kind, reason }: Failure): boolean =>
  kind === 'UNKNOWN' && PLUGIN_FAULTS.has(reason.code);
