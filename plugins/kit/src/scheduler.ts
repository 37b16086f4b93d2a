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
  /**
   * What it asks for beyond the necessary: `running` fills `input.running` (listing it costs as much as there are
   * attempts), `tenants` fills `input.tenants`, `forecast` fills the tasks' and the attempts' `durationMs` and `rankMs`,
   * `upcoming` fills `input.upcoming`; `preempt` offers tasks for which no node has room, too: others may make some.
   */
  wants?(config: Config): readonly SchedulerWish[];
  /**
   * When it holds nodes for tasks that have waited long and fit nowhere; null or absent: never. Such tasks are offered
   * although no node has room for them, some more than may be held for, and `running` is filled when there is a new one and not too much runs.
   */
  reserves?(config: Config): ReservePolicy | null;
}

/** For whom nodes are held. */
export interface ReservePolicy {
  /** So long a task has waited. Milliseconds. */
  readonly afterMs: number;
  /** How many nodes at once, at most; see also `mostHeld`. */
  readonly atOnce: number;
}

/** A node on which nothing is placed that comes after a task, until there is room for the task. */
export interface Reservation {
  /** The key of a pending task. */
  readonly task: string;
  readonly node: number;
  /** Since when this node is held for it. */
  readonly since: Instant;
}

export type SchedulerWish = 'running' | 'tenants' | 'forecast' | 'upcoming' | 'preempt';

/** Plain data: it crosses a thread, a pipe to another language, a log and a test fixture unchanged. */
export interface PlacementInput<Config = unknown, Memory extends Json = Json> {
  readonly config: Config;
  /** What the last call returned; null at first; stored with the pool. At most 16 KiB as JSON. */
  readonly memory: Memory | null;
  readonly seed: number;
  readonly now: Instant;
  /** Names of the columns of every amount below. One that holds a space is a limit, see `resourceColumns`. */
  readonly resources: readonly string[];
  /** Eligible ones, sorted by name; below, a node is its index here. */
  readonly nodes: readonly NodeView[];
  /** Tasks with the same needs share one; feasibility is worked out per shape. */
  readonly shapes: readonly Shape[];
  /** Longest waiting first; at most the host's batch of them. */
  readonly tasks: readonly PendingTask[];
  readonly running: readonly RunningAttempt[];
  /** Everybody who has something pending or running, sorted by name. */
  readonly tenants: readonly TenantView[];
  /**
   * The key of a task whose decision should say in `considered` what else there was. Only when a call is made again to
   * be explained; it must change nothing else.
   */
  readonly explain?: string;
  /**
   * What waits for other tasks of its run, to plan with; absent or short where nobody asks or there is too much of it.
   * Each after everything that it waits for.
   */
  readonly upcoming?: readonly UpcomingTask[];
  /** What the last call returned, of tasks that are offered again and nodes that are still there; absent when nothing. */
  readonly reservations?: readonly Reservation[];
}

/** A task whose turn has not come: it cannot be decided on, but what is decided now may serve it well or badly. */
export interface UpcomingTask {
  readonly key: string;
  /** Index into `shapes`. */
  readonly shape: number;
  readonly priority: number;
  /** What has to end first: keys of pending, running or upcoming tasks. One that is none of these is not known of. */
  readonly after: readonly string[];
  /** As in PendingTask. */
  readonly durationMs?: number | null;
  /** As in PendingTask. */
  readonly rankMs?: number;
}

/** On whose behalf work is done, and what it holds now. */
export interface TenantView {
  readonly name: string;
  /** What its attempts hold, by column. */
  readonly used: readonly number[];
}

export interface NodeView {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: readonly number[];
  readonly free: readonly number[];
  /**
   * What is free of each of its GPUs, in thousandths; absent when it has none. Up to 1,000 of `gpu` come from a single
   * one, more are whole ones: `Cluster` and `chooseGpus` know how.
   */
  readonly gpus?: readonly number[];
}

export interface Shape {
  readonly needs: readonly number[];
  /** Indexes of the nodes that pass every filter but free capacity, ascending. */
  readonly feasible: ArrayLike<number> & Iterable<number>;
  /**
   * By node: how much its tasks would like to be there, from −100 (anywhere else) to 100; absent when they do not care.
   * Of two nodes that are equally right, the better liked one should be taken; how much more it weighs is the
   * scheduler's to say.
   */
  readonly preference?: ArrayLike<number>;
}

export interface PendingTask {
  readonly key: string;
  /** Index into `shapes`. */
  readonly shape: number;
  /** The run's priority; higher goes first. */
  readonly priority: number;
  readonly readySince: Instant;
  readonly tenant: string;
  /** How long it will probably run: the median of its task's last successes. Null while there are none. Milliseconds. */
  readonly durationMs?: number | null;
  /**
   * Its upward rank (HEFT, Topcuoglu et al. 2002): the longest way from its start to the end of its run, over the tasks
   * that need it. A task without a forecast counts as the mean of its run's others, or as 1 s. Milliseconds.
   */
  readonly rankMs?: number;
}

export interface RunningAttempt {
  /** The task run's key, as in PendingTask. */
  readonly key: string;
  readonly node: number;
  readonly needs: readonly number[];
  readonly priority: number;
  readonly startedAt: Instant;
  /** Since when it had waited for its node. */
  readonly readySince?: Instant;
  /** How long it will probably run in all, as in PendingTask. */
  readonly durationMs?: number | null;
  /** It has been asked to end to make room: it cannot be asked again, and its room, which `free` of the node does not
   *  hold yet, is for those that others are ended for. */
  readonly isEnding?: boolean;
}

export interface PlacementOutput<Memory extends Json = Json> {
  readonly decisions: readonly Decision[];
  readonly memory: Memory | null;
  /**
   * Nodes that are held from now on, each for one task that this call was offered and has not decided on, and that would
   * fit there if the node were empty; absent when none is. The host tells people of it; to keep others from these nodes
   * is the scheduler's own affair.
   */
  readonly reservations?: readonly Reservation[];
}

/** Verified and reserved by the host in the order given. A task without a decision stays pending. */
export type Decision =
  | {
      readonly task: string;
      readonly node: number;
      /**
       * Keys of running attempts on that node that are to end first, all of lower priority: they are asked to stop, and
       * go back to the queue without paying for it. The task is placed when they have ended.
       */
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
