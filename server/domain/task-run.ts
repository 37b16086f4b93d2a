import type { Json } from '@gantry/plugin-kit/vocabulary';
import type { Attempt } from './attempt.ts';
import type { RunId } from './ids.ts';
import { terminalStates, transitions, type Terminal } from './transitions.ts';

/**
 * A task run's states. WAITING: needs unmet. READY: in the pool's queue. ASSIGNED: a node is reserved and that is
 * durable. BACKOFF: a retry at a time. BLOCKED: held by the run's pause. A test finds every transition in a history.
 */
export const taskRunTransitions = transitions({
  WAITING: ['READY', 'BLOCKED', 'UPSTREAM_FAILED', 'SKIPPED', 'CANCELLED', 'CACHED', 'FAILED'],
  READY: ['ASSIGNED', 'BLOCKED', 'CANCELLED', 'FAILED'],
  ASSIGNED: ['RUNNING', 'BACKOFF', 'CANCELLING', 'SUCCEEDED', 'FAILED'],
  RUNNING: ['BACKOFF', 'CANCELLING', 'SUCCEEDED', 'FAILED'],
  BACKOFF: ['READY', 'BLOCKED', 'CANCELLED'],
  BLOCKED: ['READY', 'CANCELLED'],
  CANCELLING: ['SUCCEEDED', 'CANCELLED'],
  SUCCEEDED: [],
  FAILED: [],
  SKIPPED: [],
  UPSTREAM_FAILED: [],
  CANCELLED: [],
  CACHED: [],
});
export type TaskRunState = keyof typeof taskRunTransitions;
export type TerminalTaskRunState = Terminal<typeof taskRunTransitions>;

const terminal = terminalStates(taskRunTransitions);
export const isTerminalTaskRun = (state: TaskRunState): state is TerminalTaskRunState => terminal.has(state);

/** Whether an attempt of it is on a node. */
export const isActiveTaskRun = (state: TaskRunState): boolean =>
  state === 'ASSIGNED' || state === 'RUNNING' || state === 'CANCELLING';

/** One task in one run: one per map index where the task fans out. */
export interface TaskRun {
  readonly run: RunId;
  /** Its place in the run, for ever. */
  readonly ordinal: number;
  readonly taskKey: string;
  /** Its place in the task's fan-out; null where the task has none (or has not fanned out yet). */
  readonly mapIndex: number | null;
  readonly state: TaskRunState;
  /** The latest attempt, alive or ended; null before the first. At most one can be alive, because there is room for one. */
  readonly attempt: Attempt | null;
  /** Since when it has been READY (again). */
  readonly readyAt: number | null;
  /** When its BACKOFF ends. */
  readonly dueAt: number | null;
  readonly finishedAt: number | null;
  /** Failed tries that spent the user's retries, and losses that did not. */
  readonly failures: number;
  readonly losses: number;
  readonly outputs: Readonly<Record<string, Json>> | null;
  /** The event-log sequence of the batch that changed it last. */
  readonly revision: number;
}

/** How long a task of a pipeline took once. */
export interface Duration {
  readonly pipeline: string;
  readonly taskKey: string;
  readonly durationMs: number;
}
