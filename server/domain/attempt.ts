import type { Failure } from './failure.ts';
import { terminalStates, transitions, type Terminal } from './transitions.ts';

/** An attempt's states. The rank only rises, and a terminal state sticks (I2). */
export const attemptTransitions = transitions({
  ASSIGNED: ['STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'LOST', 'REJECTED'],
  STARTING: ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'LOST', 'REJECTED'],
  RUNNING: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED', 'LOST'],
  SUCCEEDED: [],
  FAILED: [],
  TIMED_OUT: [],
  CANCELLED: [],
  LOST: [],
  REJECTED: [],
});
export type AttemptState = keyof typeof attemptTransitions;
export type TerminalAttemptState = Terminal<typeof attemptTransitions>;

const terminal = terminalStates(attemptTransitions);
export const isTerminalAttempt = (state: AttemptState): state is TerminalAttemptState => terminal.has(state);

/** One try of a task run on one node. Never overwritten: a retry is a new attempt. */
export interface Attempt {
  /** 1 for the first try; only grows. */
  readonly number: number;
  readonly node: string;
  readonly state: AttemptState;
  readonly assignedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly failure: Failure | null;
}
