import type { Json, Usage } from '@gantry/plugin-kit/vocabulary';
import type { TerminalAttemptState } from '../domain/attempt.ts';
import type { StopCause } from '../domain/effect.ts';
import type { Failure } from '../domain/failure.ts';

/** Why an agent stops an attempt: the server wants it, or the agent itself stops. */
export type StopReason = StopCause | 'SHUTDOWN';

/** How an attempt ended, as it is reported. */
export interface End {
  readonly state: TerminalAttemptState;
  readonly failure?: Failure;
  readonly outputs?: Readonly<Record<string, Json>>;
  readonly usage?: Usage;
  /** Its runner knows that it had ended by itself before a stop reached it. */
  readonly endedBeforeStop?: boolean;
}

type ExitDetails = Pick<Failure, 'exitCode' | 'signal'>;

/**
 * What is reported of an attempt that ended after it was told to stop: who stopped it knows why, its runner does not. A
 * command that ends with 0 when it is told to has not done its work. What had ended before is reported as it ended.
 */
export function afterStop(end: End, stop: StopReason): End {
  if (end.endedBeforeStop) return end;
  // The platform stops it for reasons of its own, and has it done again: not where nobody knows what was done already.
  if (isForOthers(stop) && end.failure?.kind === 'UNKNOWN') return end;
  if (stop === 'SHUTDOWN' && end.state === 'REJECTED') return end;
  // A request that may not be sent twice has timed out, and whether it was acted on is still for its author to find out.
  if (stop === 'TIMED_OUT' && end.failure?.kind === 'UNKNOWN') return { ...end, state: 'TIMED_OUT' };
  const { exitCode, signal } = end.failure ?? {};
  const told = stopped(stop, {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
  });
  return end.usage === undefined ? told : { ...told, usage: end.usage };
}

/** Whether the reason has nothing to do with the task itself. */
const isForOthers = (stop: StopReason): boolean => stop === 'PREEMPTED' || stop === 'SHUTDOWN';

/** How an attempt ends that was stopped before it was handed to its runner. */
export const stoppedBeforeStart = (stop: StopReason): End =>
  stop === 'SHUTDOWN'
    ? nodeFault('REJECTED', 'AGENT_STOPPED', 'Its node agent was stopped before it had started it.')
    : stopped(stop);

/** How an attempt ends that has prepared for so long that it was stopped. Milliseconds. */
export const notBegunInTime = (ms: number): End =>
  nodeFault(
    'REJECTED',
    'NOT_BEGUN_IN_TIME',
    `It was still being prepared after ${ms / 60_000} minutes, and never began.`,
  );

/** How an attempt ends that an agent before may have started, and of which nobody knows more. */
export const outcomeUnknown = (message: string): End => ({
  state: 'FAILED',
  failure: {
    kind: 'UNKNOWN',
    reason: {
      code: 'OUTCOME_UNKNOWN',
      message,
      remedy: 'Look at what it has done before it is run again. A runner with handleOf and reattach would know.',
    },
  },
});

/** How an attempt ends that was stopped for a reason. */
export function stopped(stop: StopReason, details: ExitDetails = {}): End {
  const ended = (state: TerminalAttemptState, kind: Failure['kind'], code: string, message: string): End => ({
    state,
    failure: { kind, reason: { code, message }, ...details },
  });
  switch (stop) {
    case 'CANCELLED':
      return ended('CANCELLED', 'CANCELLED', 'CANCELLED', 'It was cancelled.');
    case 'TIMED_OUT':
      return ended('TIMED_OUT', 'TIMEOUT', 'TIMED_OUT', 'It ran longer than its timeout.');
    case 'PREEMPTED':
      return ended('CANCELLED', 'PREEMPTED', 'PREEMPTED', 'It made room for work of higher priority.');
    case 'SHUTDOWN':
      return ended('FAILED', 'INFRASTRUCTURE', 'AGENT_STOPPED', 'Its node agent was stopped.');
    default:
      return stop satisfies never;
  }
}

/** A fault of the plugin, named. It counts as the task's failure, because nobody knows what was done. */
export const pluginFault = (runner: string, code: string, what: string): End => ({
  state: 'FAILED',
  failure: {
    kind: 'UNKNOWN',
    reason: {
      code,
      message: `The runner ${runner} ${what}.`,
      remedy: 'This is a bug of the plugin: report it to its author.',
    },
  },
});

/** A fault of the node, before anything was done or after nobody can say any more what was: tried again elsewhere. */
export const nodeFault = (state: 'FAILED' | 'REJECTED', code: string, message: string): End => ({
  state,
  failure: { kind: 'INFRASTRUCTURE', reason: { code, message } },
});
