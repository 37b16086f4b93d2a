import type { JsonObject, Reason } from '@gantry/plugin-kit/vocabulary';
import type { Failure } from './failure.ts';
import type { Task } from './task.ts';

/** Whether work whose outcome nobody knows may be done again, and who says so. */
export interface Idempotency {
  readonly isIdempotent: boolean;
  /** TASK: the task, or its pipeline for it. */
  readonly saidBy: 'TASK' | 'POOL' | 'RUNNER';
}

/** What a runner says of a config: whether what it asks for may be done twice. Must not throw. */
export type RunnerIdempotency = (runner: string, config: JsonObject) => boolean;

/**
 * The first of task (with its pipeline's default), pool and runner that says anything; the runner always does.
 *
 * @param pool The pool's default; null for none.
 * @param askRunner What the task's runner says of this very attempt.
 */
export function idempotencyOf(
  { idempotent }: Pick<Task, 'idempotent'>,
  pool: boolean | null,
  askRunner: () => boolean,
): Idempotency {
  if (idempotent !== null) return { isIdempotent: idempotent, saidBy: 'TASK' };
  if (pool !== null) return { isIdempotent: pool, saidBy: 'POOL' };
  return { isIdempotent: askRunner(), saidBy: 'RUNNER' };
}

/** The failure of an attempt whose outcome nobody knows and that is not repeated: what it was, in words, and what to do. */
export function unknownForGood(
  { reason, ...rest }: Failure,
  task: Pick<Task, 'key' | 'runner'>,
  { saidBy }: Idempotency,
): Failure {
  const because = {
    TASK: 'idempotent is false, so it is not repeated.',
    POOL: 'idempotent is false in its pool, so it is not repeated.',
    RUNNER: `The runner ${task.runner} does not count this as idempotent, so it is not repeated.`,
  }[saidBy];
  const remedy =
    saidBy === 'RUNNER'
      ? 'Check what was done, then retry the run. Write idempotent: true in the task if doing it twice does no harm.'
      : 'Check what was done, then retry the run.';
  return {
    ...rest,
    kind: 'UNKNOWN',
    reason: {
      code: 'OUTCOME_UNKNOWN',
      message: `Nobody knows whether ${task.key} finished: ${reason.message} ${because}`,
      remedy,
    } satisfies Reason,
  };
}
