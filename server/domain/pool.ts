import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';

/** A named group of nodes with one scheduler and its config. */
export interface Pool {
  readonly name: string;
  /** A scheduler plugin's name. */
  readonly scheduler: string;
  readonly schedulerConfig: Json;
  /** What the scheduler asked to be remembered; committed with the placements that it made. */
  readonly schedulerMemory: Json;
  /** Decides beside the scheduler, to be compared; null for none. */
  readonly shadow: SchedulerChoice | null;
  /** Whether tasks that do not say so themselves may be repeated when their outcome is unknown; null: ask the runner. */
  readonly idempotent: boolean | null;
}

/** A scheduler and its config, as somebody chose them. */
export interface SchedulerChoice {
  /** The plugin's name. */
  readonly scheduler: string;
  readonly config: JsonObject;
}

/** What a pool is to be from now on. */
export interface PoolUpdate extends SchedulerChoice {
  /** Decides beside the scheduler, and nothing comes of it; null for none. */
  readonly shadow: SchedulerChoice | null;
}

export const DEFAULT_POOL = 'default';
