import type { Json, JsonObject, Resources } from '@gantry/plugin-kit/vocabulary';
import type { PlacementRules } from './placement-rules.ts';

/** How often and when a failed task is tried again. */
export interface RetryPolicy {
  /** Tries after the first that the user's own failures may spend. */
  readonly max: number;
  readonly backoff: 'constant' | 'exponential';
  readonly delayMs: number;
  readonly maxDelayMs: number;
}

export interface Toleration {
  readonly key: string;
  /** Any value when absent. */
  readonly value?: string;
}

/** A step of a pipeline version, checked and with every default filled in. */
export interface Task {
  readonly key: string;
  readonly description: string;
  readonly runner: string;
  /** The runner's config. Strings may hold `${{ … }}`, rendered when the attempt is assigned. */
  readonly with: JsonObject;
  readonly env: Readonly<Record<string, string>>;
  readonly needs: readonly string[];
  /** A list, or one `${{ … }}` that yields a list when the needs are met; null for a task that does not fan out. */
  readonly forEach: readonly Json[] | string | null;
  readonly resources: Resources;
  /** Labels that the node must have. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  /** What else it asks of where it runs; null for nothing. */
  readonly placement: PlacementRules | null;
  readonly retry: RetryPolicy;
  /** For one attempt, from its start; null for none. */
  readonly timeoutMs: number | null;
  /** Between the soft and the hard stop. */
  readonly killGraceMs: number;
  /** A failure of this task neither fails the run nor its downstream tasks. */
  readonly allowFailure: boolean;
  readonly onNodeLost: 'RETRY';
  /**
   * Whether it may be done again when nobody knows what an attempt of it has done; null where neither the task nor its
   * pipeline says so.
   */
  readonly idempotent: boolean | null;
}
