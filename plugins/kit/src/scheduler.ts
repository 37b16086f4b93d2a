import type { PluginHeader } from './plugin.ts';
import { CONTRACT, type Instant, type Json, type Reason } from './vocabulary.ts';

export * from './vocabulary.ts';
export * from './config.ts';

/**
 * Decides which pending task goes to which node. A pure function of its input: no I/O, no clock but `now`, no chance
 * but `seed`, no memory but `memory`. It may be wrong (the host verifies every decision before it reserves anything),
 * but it may not be different the second time.
 */
export interface SchedulerPlugin<Config = unknown, Memory extends Json = Json> extends PluginHeader<
  'scheduler',
  Config
> {
  place(input: PlacementInput<Config, Memory>): PlacementOutput<Memory>;
  /** Asks for `input.running`, which is empty otherwise: listing it costs as much as there are attempts. */
  readonly wantsRunning?: boolean;
}

/** Plain data: it crosses a thread, a pipe to another language, a log and a test fixture unchanged. */
export interface PlacementInput<Config = unknown, Memory extends Json = Json> {
  readonly config: Config;
  /** What the last call returned; null at first; stored with the pool. At most 16 KiB as JSON. */
  readonly memory: Memory | null;
  readonly seed: number;
  readonly now: Instant;
  /** Names of the columns of every amount below. */
  readonly resources: readonly string[];
  /** Eligible ones, sorted by name; below, a node is its index here. */
  readonly nodes: readonly NodeView[];
  /** Tasks with the same needs share one; feasibility is worked out per shape. */
  readonly shapes: readonly Shape[];
  /** Longest waiting first; at most the host's batch of them. */
  readonly tasks: readonly PendingTask[];
  readonly running: readonly RunningAttempt[];
}

export interface NodeView {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: readonly number[];
  readonly free: readonly number[];
}

export interface Shape {
  readonly needs: readonly number[];
  /** Indexes of the nodes that pass every filter but free capacity, ascending. */
  readonly feasible: ArrayLike<number> & Iterable<number>;
}

export interface PendingTask {
  readonly key: string;
  /** Index into `shapes`. */
  readonly shape: number;
  /** The run's priority; higher goes first. */
  readonly priority: number;
  readonly readySince: Instant;
  readonly tenant: string;
}

export interface RunningAttempt {
  readonly key: string;
  readonly node: number;
  readonly needs: readonly number[];
  readonly priority: number;
  readonly startedAt: Instant;
}

export interface PlacementOutput<Memory extends Json = Json> {
  readonly decisions: readonly Decision[];
  readonly memory: Memory | null;
}

/** Verified and reserved by the host in the order given. A task without a decision stays pending. */
export type Decision =
  | {
      readonly task: string;
      readonly node: number;
      readonly preempt?: readonly string[];
      readonly considered?: readonly Candidate[];
    }
  | { readonly task: string; readonly hold: Reason };

export interface Candidate {
  readonly node: number;
  readonly score: number;
  readonly parts?: Readonly<Record<string, number>>;
}

/** Stamps the contract version into a scheduler. */
export function defineScheduler<Config, Memory extends Json = Json>(
  plugin: Omit<SchedulerPlugin<Config, Memory>, 'kind' | 'contract'>,
): SchedulerPlugin<Config, Memory> {
  return { ...plugin, kind: 'scheduler', contract: CONTRACT };
}
