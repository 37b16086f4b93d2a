import type { Json } from '@gantry/plugin-kit/vocabulary';

/** A named group of nodes with one scheduler and its config. */
export interface Pool {
  readonly name: string;
  /** A scheduler plugin's name. */
  readonly scheduler: string;
  readonly schedulerConfig: Json;
  /** What the scheduler asked to be remembered; committed with the placements that it made. */
  readonly schedulerMemory: Json;
}

export const DEFAULT_POOL = 'default';
