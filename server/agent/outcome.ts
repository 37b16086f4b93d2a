import type { Outcome, StopReason } from '@gantry/plugin-kit/runner';
import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import * as z from 'zod';
import type { AttemptState } from '../domain/attempt.ts';
import type { Failure } from '../domain/failure.ts';

/** The most that the outputs of one attempt may take as JSON. Bytes, by UTF-16 length. */
export const MAX_OUTPUT_CHARACTERS = 1024 * 1024;

/** How an attempt ended, as it is reported. */
export interface End {
  readonly state: AttemptState;
  readonly failure?: Failure;
  readonly outputs?: Readonly<Record<string, Json>>;
}

const reason = z.object({ code: z.string(), message: z.string(), remedy: z.string().optional() });
const failed = z.object({
  ok: z.literal(false),
  kind: z.enum(['APPLICATION', 'OOM', 'INFRASTRUCTURE', 'REJECTED']),
  reason,
  exitCode: z.number().int().optional(),
  signal: z.string().optional(),
});

/**
 * From what a runner says, and what was asked of it, to what is reported. A runner cannot claim to have been cancelled
 * or timed out: who stopped it knows. Work that was done before the stop took effect is done.
 */
export function endOf(runner: string, outcome: Outcome, stop: StopReason | null): End {
  if (outcome?.ok === true) return succeeded(runner, outcome.outputs);
  const parsed = failed.safeParse(outcome);
  if (!parsed.success) return fault(runner, 'OUTCOME_MALFORMED', 'returned something that is no outcome');
  const { kind, exitCode, signal } = parsed.data;
  const extra = { ...(exitCode === undefined ? {} : { exitCode }), ...(signal === undefined ? {} : { signal }) };
  const plain: Failure['reason'] = {
    code: parsed.data.reason.code,
    message: parsed.data.reason.message,
    ...(parsed.data.reason.remedy === undefined ? {} : { remedy: parsed.data.reason.remedy }),
  };
  if (stop !== null) return stopped(stop, { ...extra });
  if (kind === 'REJECTED') return { state: 'REJECTED', failure: { kind: 'INFRASTRUCTURE', reason: plain } };
  return { state: 'FAILED', failure: { kind, reason: plain, ...extra } };
}

function succeeded(runner: string, outputs: unknown): End {
  if (typeof outputs !== 'object' || outputs === null || Array.isArray(outputs)) {
    return fault(runner, 'OUTCOME_MALFORMED', 'returned outputs that are no object');
  }
  for (const _ in outputs) {
    let text: string;
    try {
      text = JSON.stringify(outputs);
    } catch (error) {
      return fault(runner, 'OUTPUTS_NOT_JSON', `returned outputs that are no JSON: ${(error as Error).message}`);
    }
    if (text.length > MAX_OUTPUT_CHARACTERS) {
      const message = `Its outputs take ${text.length} bytes; ${MAX_OUTPUT_CHARACTERS} are allowed.`;
      return {
        state: 'FAILED',
        failure: {
          kind: 'APPLICATION',
          reason: {
            code: 'OUTPUTS_TOO_LARGE',
            message,
            remedy: 'Write large results to a file, and hand on its place.',
          },
        },
      };
    }
    // What cannot cross the wire as it is must not look different on a local node.
    return { state: 'SUCCEEDED', outputs: JSON.parse(text) as JsonObject };
  }
  return { state: 'SUCCEEDED' };
}

/** How an attempt ends that somebody stopped. */
export function stopped(stop: StopReason, extra: { readonly exitCode?: number; readonly signal?: string } = {}): End {
  switch (stop) {
    case 'CANCELLED':
      return {
        state: 'CANCELLED',
        failure: { kind: 'CANCELLED', reason: { code: 'CANCELLED', message: 'It was cancelled.' }, ...extra },
      };
    case 'TIMED_OUT':
      return {
        state: 'TIMED_OUT',
        failure: {
          kind: 'TIMEOUT',
          reason: { code: 'TIMED_OUT', message: 'It ran longer than its timeout.' },
          ...extra,
        },
      };
    case 'DRAINED':
      return {
        state: 'CANCELLED',
        failure: { kind: 'DRAINED', reason: { code: 'DRAINED', message: 'Its node was drained.' }, ...extra },
      };
    case 'PREEMPTED':
      return {
        state: 'CANCELLED',
        failure: {
          kind: 'PREEMPTED',
          reason: { code: 'PREEMPTED', message: 'It made room for work of higher priority.' },
          ...extra,
        },
      };
    case 'SHUTDOWN':
      return {
        state: 'FAILED',
        failure: {
          kind: 'INFRASTRUCTURE',
          reason: { code: 'AGENT_STOPPED', message: 'Its node agent was stopped.' },
          ...extra,
        },
      };
    default:
      return stop satisfies never;
  }
}

/** A fault of the plugin, named: it counts as the task's failure, because nobody knows what was done. */
export const fault = (runner: string, code: string, what: string): End => ({
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
