import type { PlacementInput, PlacementOutput } from '@gantry/plugin-kit/scheduler';
import type { Json } from '@gantry/plugin-kit/vocabulary';

/** How a scheduler is doing. */
export interface SchedulerStatus {
  readonly name: string;
  readonly version: string;
  readonly decisions: number;
  /** Decisions that were not followed. */
  readonly refusals: number;
  readonly faults: number;
  readonly lastFault: string | null;
}

/** What placement needs of a scheduler's host: answers, whatever the plugin does. */
export interface Scheduler {
  /** What it wants remembered, to be committed with the pool. */
  readonly memory: Json;
  readonly status: SchedulerStatus;
  /** Decisions for the input. `memoryChanged`: there is something to commit. Never throws. */
  place(input: Omit<PlacementInput, 'config' | 'memory' | 'seed'>): {
    readonly output: PlacementOutput;
    readonly memoryChanged: boolean;
  };
  /** Counts decisions that were not followed against the scheduler. */
  refused(count: number): void;
}
