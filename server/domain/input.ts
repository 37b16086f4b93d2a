import type { Json, Usage } from '@gantry/plugin-kit/vocabulary';
import type { AttemptState } from './attempt.ts';
import type { PreparedCommand } from './command.ts';
import type { Failure } from './failure.ts';
import type { HeldGpus } from './change.ts';
import type { AttemptId, RunId } from './ids.ts';
import type { Node, NodeFacts } from './node.ts';
import type { PipelineDefinition } from './pipeline.ts';
import type { Run } from './run.ts';
import type { TaskRun } from './task-run.ts';

/** What an agent says of one attempt. Repeats are harmless: a report is taken only when its rank is higher. */
export interface AttemptReport {
  readonly attempt: AttemptId;
  readonly state: AttemptState;
  /** The agent's clock. */
  readonly at: number;
  /** When the work began, by the agent's clock; told again with a terminal report. */
  readonly startedAt?: number;
  readonly outputs?: Readonly<Record<string, Json>>;
  readonly failure?: Failure;
  /** With a terminal report, where the runner knows. */
  readonly usage?: Usage;
}

/** A run with everything that is stored of it, for recovery and for retries. */
export interface RecoveredRun {
  readonly run: Run;
  readonly definition: PipelineDefinition;
  /** By ordinal. */
  readonly taskRuns: readonly TaskRun[];
}

/** A run of which something cannot be read, or does not fit together: it is set aside, and the others go on. */
export interface DamagedRun {
  readonly id: RunId;
  readonly key: number;
  readonly pipeline: string;
  /** What is wrong, and where. */
  readonly message: string;
}

/** Task runs that a scheduler placed and the host verified; reserved in this order. */
export interface Placement {
  readonly taskRun: string;
  readonly node: string;
  /** The node's GPUs that it gets, by index; none when absent. */
  readonly gpus?: readonly number[];
}

/** Anything that may change a pool's state. */
export type Input =
  | { readonly type: 'COMMAND'; readonly command: PreparedCommand }
  | { readonly type: 'REPORT'; readonly node: string; readonly incarnation: number; readonly report: AttemptReport }
  /** An agent has started (again): what it is, and every attempt that it still knows. */
  | {
      readonly type: 'NODE_HELLO';
      readonly facts: NodeFacts;
      readonly incarnation: number;
      readonly known: readonly AttemptId[];
    }
  /** A sync came in; the node is alive. */
  | { readonly type: 'NODE_HEARD'; readonly node: string; readonly incarnation: number; readonly facts?: NodeFacts }
  | { readonly type: 'PLACEMENT'; readonly placements: readonly Placement[] }
  /** A task run is to make room for another (both by id): it is stopped, and queues again without paying for it. */
  | { readonly type: 'PREEMPT'; readonly taskRun: string; readonly by: string };

/** Everything a reload starts from. */
export interface RecoveredPool {
  readonly nodes: readonly Node[];
  readonly runs: readonly RecoveredRun[];
  /** Assignments that are logged after the last written sequence, oldest first. */
  readonly assigned: readonly LoggedAssignment[];
  /** Which GPUs attempts have that are not known to have ended. */
  readonly gpus: readonly HeldGpus[];
  /** The pool's default of `idempotent`; null or absent for none. */
  readonly idempotent?: boolean | null;
}

/** One assignment out of the event log (change.ts, AssignedLog). */
export interface LoggedAssignment {
  readonly runKey: number;
  readonly ordinal: number;
  readonly node: string;
  readonly at: number;
}
