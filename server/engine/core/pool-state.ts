import type { Json, JsonObject, Reason } from '@gantry/plugin-kit/vocabulary';
import type { AttemptState } from '../../domain/attempt.ts';
import type { StoredTaskRun } from '../../domain/change.ts';
import type { Failure } from '../../domain/failure.ts';
import type { RunnerIdempotency } from '../../domain/idempotency.ts';
import type { RunId } from '../../domain/ids.ts';
import type { Node, NodeConnection, NodeEligibility, NodeRunner, Taint } from '../../domain/node.ts';
import type { Run, RunState, Trigger } from '../../domain/run.ts';
import type { Task } from '../../domain/task.ts';
import type { TaskRunState } from '../../domain/task-run.ts';
import type { Plan } from './plan.ts';
import { Timers } from './timers.ts';

/** The images that the engine keeps in memory: the rows of the store, writable. Only Step may write their states. */
export type Mutable<Row> = { -readonly [Field in keyof Row]: Row[Field] };

/** An attempt in memory. */
export interface EngineAttempt {
  readonly number: number;
  readonly node: string;
  state: AttemptState;
  readonly assignedAt: number;
  /** The node's GPUs that it has. */
  readonly gpus?: readonly number[];
  startedAt: number | null;
  finishedAt: number | null;
  failure: Failure | null;
}

/** A task run in memory: one object with fixed fields, because there may be a million of them. */
export class EngineTaskRun implements StoredTaskRun {
  readonly owner: EngineRun;
  readonly ordinal: number;
  /** Index of its task in the definition. */
  readonly taskIndex: number;
  mapIndex: number | null = null;
  state: TaskRunState;
  attempt: EngineAttempt | null = null;
  readyAt: number | null = null;
  dueAt: number | null = null;
  finishedAt: number | null = null;
  failures = 0;
  losses = 0;
  outputs: Readonly<Record<string, Json>> | null = null;
  revision = 0;

  constructor(owner: EngineRun, ordinal: number, taskIndex: number, state: TaskRunState) {
    this.owner = owner;
    this.ordinal = ordinal;
    this.taskIndex = taskIndex;
    this.state = state;
  }

  get run(): RunId {
    return this.owner.id;
  }
  get runKey(): number {
    return this.owner.key;
  }
  get task(): Task {
    return this.owner.plan.definition.tasks[this.taskIndex]!;
  }
  get taskKey(): string {
    return this.task.key;
  }
}

/** A run in memory, with the progress of its tasks. */
export class EngineRun implements Run {
  readonly id: RunId;
  readonly key: number;
  readonly pool: string;
  readonly pipeline: string;
  readonly version: number;
  readonly params: Readonly<Record<string, Json>>;
  readonly priority: number;
  readonly trigger: Trigger;
  readonly createdBy: string;
  readonly retryOf: RunId | null;
  readonly createdAt: number;
  state: RunState;
  startedAt: number | null;
  finishedAt: number | null;
  reason: Reason | null;
  finishedCount: number;
  failedCount: number;
  revision: number;

  readonly plan: Plan;
  /** By ordinal. The first ones are one per task, in the definition's order; fan-outs are appended. */
  readonly taskRuns: EngineTaskRun[] = [];
  /** Per task: upstream tasks that have not ended well yet. */
  readonly needsLeft: Int32Array;
  /** Per task: instances that have not ended yet; 0 means that the task has ended. */
  readonly instancesLeft: Int32Array;
  /** Per task that has fanned out: its instances by map index. */
  readonly instances = new Map<number, EngineTaskRun[]>();
  /** Per task that has fanned out: its items. */
  readonly items = new Map<number, readonly Json[]>();
  /** What attempts of a task may read, made when first asked for. */
  readonly scopes = new Map<number, JsonObject>();
  /** The params as environment variables, made when first asked for. */
  paramEnv: Readonly<Record<string, string>> | null = null;

  constructor(run: Run, plan: Plan) {
    this.id = run.id;
    this.key = run.key;
    this.pool = run.pool;
    this.pipeline = run.pipeline;
    this.version = run.version;
    this.params = run.params;
    this.priority = run.priority;
    this.trigger = run.trigger;
    this.createdBy = run.createdBy;
    this.retryOf = run.retryOf;
    this.createdAt = run.createdAt;
    this.state = run.state;
    this.startedAt = run.startedAt;
    this.finishedAt = run.finishedAt;
    this.reason = run.reason;
    this.finishedCount = run.finishedCount;
    this.failedCount = run.failedCount;
    this.revision = run.revision;
    this.plan = plan;
    const count = plan.definition.tasks.length;
    this.needsLeft = Int32Array.from(plan.graph.needs, (needs) => needs.length);
    this.instancesLeft = new Int32Array(count).fill(1);
  }

  get taskRunCount(): number {
    return this.taskRuns.length;
  }

  /** All instances of a task. */
  instancesOf(taskIndex: number): readonly EngineTaskRun[] {
    return this.instances.get(taskIndex) ?? [this.taskRuns[taskIndex]!];
  }
}

/** A node in memory. */
export interface EngineNode extends Mutable<Omit<Node, 'reserved'>> {
  /** By resource; what live attempts hold. */
  reserved: Record<string, number>;
  /** When it was last heard, by the clock that only grows. */
  heardTick: number;
  /** Task runs with a live attempt on it. */
  readonly live: Set<EngineTaskRun>;
  connection: NodeConnection;
  eligibility: NodeEligibility;
  runners: readonly NodeRunner[];
  taints: readonly Taint[];
}

/** The first attempts that one step assigned, whose rows have not been written since. */
export interface UnwrittenStep {
  readonly seq: number;
  readonly tick: number;
  readonly taskRuns: readonly EngineTaskRun[];
}

/** What a due timer is about. It counts only while what it was set for is as it was then. */
export type Due =
  | { readonly type: 'BACKOFF'; readonly taskRun: EngineTaskRun; readonly dueAt: number }
  | { readonly type: 'GANG'; readonly run: EngineRun; readonly taskIndex: number; readonly readyAt: number }
  | { readonly type: 'SILENCE'; readonly node: string };

/** Everything that a pool's engine knows: its unfinished runs and its nodes. */
export class PoolState {
  readonly name: string;
  /** The sequence of the last step; the next one writes `seq + 1`. */
  seq: number;
  readonly runs = new Map<RunId, EngineRun>();
  readonly nodes = new Map<string, EngineNode>();
  /** By the clock that only grows. */
  readonly timers = new Timers<Due>();
  /** Assignments that are only in the event log so far, oldest step first (unwritten.ts). */
  readonly unwritten: UnwrittenStep[] = [];
  /** Silence of nodes counts from here at the earliest: while the engine did not listen, nobody could be heard. Ticks. */
  listeningSince: number;
  lastAdvanceAt: number;
  readonly silence: SilenceLimits;
  /** The default of `idempotent` for tasks that do not say so themselves; null for none. */
  idempotent: boolean | null = null;
  /** What runners say of the work that they are asked for. */
  readonly askRunner: RunnerIdempotency;

  /**
   * @param tick Now, by the clock that only grows.
   * @param askRunner Without it, every runner counts as idempotent.
   */
  constructor(
    name: string,
    seq: number,
    tick: number,
    silence: SilenceLimits,
    askRunner: RunnerIdempotency = () => true,
  ) {
    this.askRunner = askRunner;
    this.name = name;
    this.seq = seq;
    this.listeningSince = tick;
    this.lastAdvanceAt = tick;
    this.silence = silence;
  }

  taskRun(run: RunId, ordinal: number): EngineTaskRun | null {
    return this.runs.get(run)?.taskRuns[ordinal] ?? null;
  }
}

/** After how long a silent node is doubted and given up. Milliseconds. */
export interface SilenceLimits {
  readonly suspectMs: number;
  readonly lostMs: number;
  /** The engine looks at least this often; a longer gap between two looks was a gap of the engine's own. */
  readonly gapMs: number;
}
export const DEFAULT_SILENCE: SilenceLimits = { suspectMs: 15_000, lostMs: 45_000, gapMs: 10_000 };
