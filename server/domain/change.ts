import type { Json, Reason, Usage } from '@gantry/plugin-kit/vocabulary';
import type { Attempt } from './attempt.ts';
import type { Receipt } from './command.ts';
import type { DecisionRow } from './decision.ts';
import type { EventBatch } from './event.ts';
import type { RunId } from './ids.ts';
import type { Node } from './node.ts';
import type { NodeRecord } from './node-record.ts';
import type { PoolUpdate } from './pool.ts';
import type { Run } from './run.ts';
import type { TaskRun } from './task-run.ts';

/** An attempt that a later one of the same task run has replaced: moved to the history, never changed again. */
export interface SupersededAttempt {
  readonly runKey: number;
  readonly ordinal: number;
  readonly attempt: Attempt;
}

/** A late report of an attempt that had ended: kept to be shown, changes nothing (I2). */
export interface Evidence {
  readonly runKey: number;
  readonly ordinal: number;
  readonly number: number;
  readonly at: number;
  readonly node: string;
  readonly report: Json;
}

/** Which of its node's GPUs an attempt has. */
export interface HeldGpus {
  readonly runKey: number;
  readonly ordinal: number;
  readonly number: number;
  /** By index. */
  readonly gpus: readonly number[];
}

/** Why a task run ended as it did, where its state, its attempt and its run do not tell. Written once. */
export interface TaskRunReason {
  readonly runKey: number;
  readonly ordinal: number;
  readonly reason: Reason;
}

/** What an attempt used up, told when it ended. */
export interface AttemptUsage {
  readonly runKey: number;
  readonly ordinal: number;
  readonly number: number;
  readonly usage: Usage;
}

/** A task run with its database key. */
export interface StoredTaskRun extends TaskRun {
  readonly runKey: number;
}

/**
 * Assignments in the event log: enough to restore an ASSIGNED task run whose row still says READY or WAITING. Short
 * tasks come and go between two commits, and need one row written instead of two.
 */
export interface AssignedLog {
  readonly nodes: readonly string[];
  /** Flat triples: run key, ordinal, index into `nodes`. */
  readonly tasks: readonly number[];
}

/**
 * The new images of every row that one step changed, written in one transaction under the lease's epoch.
 * `created` rows are inserted, `changed` and `counted` rows updated by key; a row is in one of them only.
 */
export interface Change {
  readonly at: number;
  readonly createdRuns: readonly Run[];
  readonly changedRuns: readonly Run[];
  /** Runs of which nothing but the counts of task runs has changed: most of them, whenever tasks end. */
  readonly countedRuns: readonly Run[];
  readonly createdTaskRuns: readonly StoredTaskRun[];
  readonly changedTaskRuns: readonly StoredTaskRun[];
  /** First attempts that this step assigned: logged here, written as rows only if they are still ASSIGNED a little later. */
  readonly assigned: AssignedLog;
  /** Up to this sequence every logged assignment is in its row, too. */
  readonly writtenSeq: number;
  readonly supersededAttempts: readonly SupersededAttempt[];
  readonly evidence: readonly Evidence[];
  /** Of attempts that this step assigned. */
  readonly gpus: readonly HeldGpus[];
  /** Of attempts that ended in this step. */
  readonly usages: readonly AttemptUsage[];
  /** Of task runs that ended in this step. */
  readonly reasons: readonly TaskRunReason[];
  readonly nodes: readonly Node[];
  /** What happened to nodes in this step, in its order. Mostly nothing. */
  readonly nodeRecords: readonly NodeRecord[];
  readonly receipts: readonly { readonly command: number; readonly receipt: Receipt; readonly run?: RunId }[];
  /** The pool's scheduler memory when it changed. */
  readonly schedulerMemory?: Json;
  /** Another scheduler for the pool, from the next step on. Its memory begins anew. */
  readonly poolUpdate?: PoolUpdate;
  /** The pool's default of `idempotent` from the next step on; null for none. */
  readonly poolIdempotent?: boolean | null;
  /** How the placements of this step were decided. */
  readonly decision?: DecisionRow;
  readonly events: Omit<EventBatch, 'pool' | 'seq' | 'at'>;
}
