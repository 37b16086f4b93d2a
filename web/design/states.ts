import type {
  AttemptState,
  NodeConnectionState,
  NodeEligibility,
  PluginState,
  RunState,
  SchedulerState,
  TaskRunState,
} from '../client/operations.ts';

/** Whether a token lets anybody in. */
export type TokenState = 'GOOD' | 'EXPIRED' | 'REVOKED';

/** Every state that the UI shows. */
export type AnyState =
  | RunState
  | TaskRunState
  | AttemptState
  | NodeConnectionState
  | NodeEligibility
  | PluginState
  | SchedulerState
  | TokenState;

/** A colour, by what it means. */
export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'held' | 'idle';

/** A shape, told apart without colour. */
export type Shape =
  'check' | 'cross' | 'turning' | 'ring' | 'dotted' | 'target' | 'clock' | 'bars' | 'slash' | 'dash' | 'down' | 'copy';

interface Look {
  readonly tone: Tone;
  readonly shape: Shape;
  readonly word: string;
}

const look = (tone: Tone, shape: Shape, word: string): Look => ({ tone, shape, word });

const LOOKS: Readonly<Record<AnyState, Look>> = {
  SUCCEEDED: look('good', 'check', 'Succeeded'),
  CACHED: look('good', 'copy', 'Taken over'),
  FAILED: look('bad', 'cross', 'Failed'),
  TIMED_OUT: look('bad', 'clock', 'Timed out'),
  LOST: look('bad', 'dotted', 'Lost'),
  REJECTED: look('bad', 'slash', 'Rejected'),
  UPSTREAM_FAILED: look('warn', 'down', 'Upstream failed'),
  RUNNING: look('busy', 'turning', 'Running'),
  STARTING: look('busy', 'target', 'Starting'),
  ASSIGNED: look('busy', 'target', 'Assigned'),
  BACKOFF: look('warn', 'clock', 'Waits to retry'),
  BLOCKED: look('held', 'bars', 'Held back'),
  PAUSED: look('held', 'bars', 'Paused'),
  QUEUED: look('idle', 'ring', 'Queued'),
  READY: look('idle', 'ring', 'In the queue'),
  WAITING: look('idle', 'dotted', 'Waiting'),
  SKIPPED: look('idle', 'dash', 'Skipped'),
  CANCELLED: look('idle', 'slash', 'Cancelled'),
  CANCELLING: look('warn', 'slash', 'Cancelling'),
  SUSPECT: look('warn', 'dotted', 'Suspect'),
  ELIGIBLE: look('good', 'check', 'Eligible'),
  CORDONED: look('held', 'bars', 'Cordoned'),
  HEALTHY: look('good', 'check', 'Healthy'),
  FAULTY: look('bad', 'cross', 'Faulty'),
  LOADED: look('good', 'check', 'Loaded'),
  INCOMPATIBLE: look('bad', 'slash', 'Incompatible'),
  GOOD: look('good', 'check', 'Good'),
  EXPIRED: look('idle', 'clock', 'Expired'),
  REVOKED: look('idle', 'slash', 'Revoked'),
};

/** How a state looks and what it is called. */
export const lookOf = (state: AnyState): Look => LOOKS[state];

/** The order in which counts of task runs by state are drawn: what is done first. */
export const TASK_RUN_STATES: readonly TaskRunState[] = [
  'SUCCEEDED',
  'CACHED',
  'FAILED',
  'UPSTREAM_FAILED',
  'CANCELLED',
  'SKIPPED',
  'CANCELLING',
  'RUNNING',
  'ASSIGNED',
  'BACKOFF',
  'BLOCKED',
  'READY',
  'WAITING',
];

/** The states of a run, in the order of its life. */
export const RUN_STATES: readonly RunState[] = [
  'QUEUED',
  'RUNNING',
  'PAUSED',
  'CANCELLING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
];
