import type { KeptRuns, RetentionLimits, RetentionRule, RetentionScope } from '../domain/retention.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** What is kept where nobody says otherwise. */
export const DEFAULT_RUNS: RetentionRule = { age: 30 * DAY_MS, runs: 10_000 };
export const DEFAULT_AUDIT_MS = 365 * DAY_MS;
/** So many event batches of a pool at most, whatever their age. */
export const MAX_BATCHES = 50_000;
/** Commands without an idempotency key are of no use once their receipt has been read. Milliseconds. */
export const PLAIN_COMMANDS_MS = 60 * 60 * 1_000;

/** What the configuration says; null where it says nothing. Ages in milliseconds. */
export interface ConfiguredRetention {
  readonly age: number | 'NEVER' | null;
  readonly runs: number | 'NEVER' | null;
  readonly audit: number | 'NEVER' | null;
  /** How long an idempotency key counts. */
  readonly keys: number;
  readonly events: number;
  /** Between two sweeps. */
  readonly interval: number;
}

/** Puts the configuration, the database's own setting and the defaults together, in this order. */
export function limitsOf(
  { age, runs, audit, keys, events }: ConfiguredRetention,
  settings: readonly (KeptRuns & { readonly scope: RetentionScope })[],
): RetentionLimits {
  const upgraded = settings.find(({ scope }) => scope === 'SERVER');
  return {
    runs: {
      age: age ?? upgraded?.age ?? DEFAULT_RUNS.age,
      runs: runs ?? upgraded?.runs ?? DEFAULT_RUNS.runs,
    },
    audit: audit ?? (upgraded?.age === 'NEVER' ? 'NEVER' : DEFAULT_AUDIT_MS),
    keys,
    events,
    keepsAllByUpgrade: upgraded !== undefined && age === null && runs === null,
  };
}
