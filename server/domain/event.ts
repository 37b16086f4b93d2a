import type { Receipt } from './command.ts';
import type { NodeConnection, NodeEligibility } from './node.ts';
import type { RunState } from './run.ts';
import type { TaskRunState } from './task-run.ts';

/** The name that an event bears for a run's new state. */
export const runEventTypes = {
  QUEUED: 'run.created',
  RUNNING: 'run.started',
  PAUSED: 'run.paused',
  CANCELLING: 'run.cancelling',
  SUCCEEDED: 'run.succeeded',
  FAILED: 'run.failed',
  CANCELLED: 'run.cancelled',
} as const satisfies Record<RunState, string>;

/** The name that an event bears for a task run's new state. */
export const taskRunEventTypes = {
  WAITING: 'taskRun.created',
  READY: 'taskRun.queued',
  ASSIGNED: 'taskRun.assigned',
  RUNNING: 'taskRun.started',
  BACKOFF: 'taskRun.backedOff',
  BLOCKED: 'taskRun.blocked',
  CANCELLING: 'taskRun.cancelling',
  SUCCEEDED: 'taskRun.succeeded',
  FAILED: 'taskRun.failed',
  SKIPPED: 'taskRun.skipped',
  UPSTREAM_FAILED: 'taskRun.upstreamFailed',
  CANCELLED: 'taskRun.cancelled',
  CACHED: 'taskRun.cached',
} as const satisfies Record<TaskRunState, string>;

/** What is told of a task run that has come further. Not in the log: its cursor is that of the event before. */
export const PROGRESSED = 'taskRun.progressed';

/** Task runs of a run have changed; told at most once a second to who watches many runs, and in no log. */
export const RUN_PROGRESSED = 'run.progressed';
/** The run was deleted: told to who watches many runs, and in no log. */
export const RUN_DELETED = 'run.deleted';

/**
 * What one commit made true: the last state of everything it changed, so a burst is coalesced by construction.
 * One row of the event log, and what the hub hands on. Tuples, because a batch holds thousands of them.
 */
export interface EventBatch {
  readonly pool: string;
  /** Gap-free per pool, from 1. */
  readonly seq: number;
  readonly at: number;
  /** Run id, pipeline, state. The index of a run in this list is what `taskRuns` refers to. */
  readonly runs: readonly RunEventTuple[];
  /** Index into `runs`, ordinal, state, attempt number (0 for none). */
  readonly taskRuns: readonly TaskRunEventTuple[];
  /** Name, connection, eligibility. */
  readonly nodes: readonly NodeEventTuple[];
  readonly receipts: readonly (readonly [command: number, receipt: Receipt])[];
}
/** A run is listed when it or one of its task runs changed; `changed` is 1 when its own state did. */
export type RunEventTuple = readonly [run: string, pipeline: string, state: RunState, changed: 0 | 1];
export type TaskRunEventTuple = readonly [run: number, ordinal: number, state: TaskRunState, attempt: number];
export type NodeEventTuple = readonly [name: string, connection: NodeConnection, eligibility: NodeEligibility];
