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
}

type ExitDetails = Pick<Failure, 'exitCode' | 'signal'>;

/**
 * What is reported of an attempt that was stopped: who stopped it knows why it ended, its runner does not. Work that
 * was done before the stop took effect is done.
 */
export function afterStop(end: End, stop: StopReason): End {
  if (end.state === 'SUCCEEDED') return end;
  const { exitCode, signal } = end.failure ?? {};
  const told = stopped(stop, {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
  });
  return end.usage === undefined ? told : { ...told, usage: end.usage };
}

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
