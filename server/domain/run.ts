import type { Json, Reason } from '@gantry/plugin-kit/vocabulary';
import type { RunId } from './ids.ts';
import { terminalStates, transitions, type Terminal } from './transitions.ts';

/** A run's states. It becomes terminal once, in the commit that ends its last task run. */
export const runTransitions = transitions({
  QUEUED: ['RUNNING', 'CANCELLING', 'FAILED', 'SUCCEEDED'],
  RUNNING: ['PAUSED', 'CANCELLING', 'SUCCEEDED', 'FAILED'],
  PAUSED: ['RUNNING', 'CANCELLING', 'SUCCEEDED', 'FAILED'],
  CANCELLING: ['CANCELLED', 'FAILED', 'SUCCEEDED'],
  SUCCEEDED: [],
  FAILED: [],
  CANCELLED: [],
});
export type RunState = keyof typeof runTransitions;
export type TerminalRunState = Terminal<typeof runTransitions>;

const terminal = terminalStates(runTransitions);
export const isTerminalRun = (state: RunState): state is TerminalRunState => terminal.has(state);

/** What set a run going. */
export type Trigger = 'MANUAL' | 'RETRY';

/** One execution of a pipeline version with its params, in one pool. */
export interface Run {
  readonly id: RunId;
  /** The database's short key: the command that asked for the run. Never shown. */
  readonly key: number;
  readonly pool: string;
  readonly pipeline: string;
  /** The pipeline version that the run pins. */
  readonly version: number;
  readonly params: Readonly<Record<string, Json>>;
  /** Higher goes first. */
  readonly priority: number;
  readonly trigger: Trigger;
  /** The token's name that asked for it. */
  readonly createdBy: string;
  /** The run that this one repeats. */
  readonly retryOf: RunId | null;
  readonly createdAt: number;
  readonly state: RunState;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Why it failed or was cancelled. */
  readonly reason: Reason | null;
  /** How many task runs it has, how many have ended, and how many of those failed. */
  readonly taskRunCount: number;
  readonly finishedCount: number;
  readonly failedCount: number;
  /** The event-log sequence of the batch that changed it last. */
  readonly revision: number;
}
