import type { Json, Reason } from '@gantry/plugin-kit/vocabulary';
import type { TerminalAttemptState } from '../../domain/attempt.ts';
import type { Failure } from '../../domain/failure.ts';
import { unknownForGood, type Idempotency } from '../../domain/idempotency.ts';
import { attemptId } from '../../domain/ids.ts';
import { afterEnd, MAX_LOSSES, spentWith, type AttemptEnd } from '../../domain/retry.ts';
import { idempotencyOfTaskRun } from './idempotency.ts';
import type { EngineTaskRun, PoolState } from './pool-state.ts';
import { endTaskRun } from './end-task-run.ts';
import { letGo } from './reservation.ts';
import type { Step } from './step.ts';

/** How an attempt that did not succeed ended. */
export type Unsuccessful = Exclude<TerminalAttemptState, 'SUCCEEDED'>;

/** Ends the live attempt of a task run, and the task run with it: it is done. The node is let go in the same step (I4). */
export function attemptSucceeded(
  pool: PoolState,
  step: Step,
  taskRun: EngineTaskRun,
  outputs: Readonly<Record<string, Json>> | null,
): void {
  close(pool, step, taskRun, 'SUCCEEDED', null);
  taskRun.outputs = outputs;
  endTaskRun(pool, step, taskRun, 'SUCCEEDED');
}

/**
 * Ends the live attempt of a task run and decides what becomes of the task run: another attempt that the right side
 * pays for, or its end. The node is let go in the same step (I4).
 *
 * @param options.isFinal No retry can help.
 */
export function endAttempt(
  pool: PoolState,
  step: Step,
  taskRun: EngineTaskRun,
  state: Unsuccessful,
  failure: Failure,
  options: { readonly isFinal?: boolean } = {},
): void {
  const attempt = taskRun.attempt!;
  const wasAtWork = attempt.state === 'STARTING' || attempt.state === 'RUNNING';
  close(pool, step, taskRun, state, failure);
  if (taskRun.state === 'CANCELLING') {
    endTaskRun(pool, step, taskRun, 'CANCELLED');
    return;
  }
  const end: AttemptEnd = { state, failure, wasAtWork };
  const { failures, losses } = taskRun;
  const spent = spentWith(end, { failures, losses, attempts: attempt.number });
  taskRun.failures = spent.failures;
  taskRun.losses = spent.losses;
  let idempotency: Idempotency | null = null;
  const mayRepeat = () => (idempotency ??= idempotencyOfTaskRun(pool, taskRun)).isIdempotent;
  const verdict = afterEnd(taskRun.task.retry, end, spent, mayRepeat);
  if (verdict.again && options.isFinal !== true) {
    taskRun.dueAt = step.now + verdict.delayMs;
    step.taskRunState(taskRun, 'BACKOFF');
    pool.timers.add(step.tick + verdict.delayMs, { type: 'BACKOFF', taskRun, dueAt: taskRun.dueAt });
    return;
  }
  if (!verdict.again && verdict.because === 'UNKNOWN')
    attempt.failure = unknownForGood(failure, taskRun.task, idempotency!);
  const isPoison = !verdict.again && verdict.because === 'POISON';
  endTaskRun(pool, step, taskRun, 'FAILED', isPoison ? poison(taskRun.losses, failure) : null);
}

function close(
  pool: PoolState,
  step: Step,
  taskRun: EngineTaskRun,
  state: TerminalAttemptState,
  failure: Failure | null,
): void {
  const attempt = taskRun.attempt!;
  step.attemptState(taskRun, attempt, state);
  attempt.finishedAt = step.now;
  attempt.failure = failure;
  letGo(step, pool.nodes.get(attempt.node)!, taskRun);
  step.effects.push({
    type: 'FORGET',
    node: attempt.node,
    attempt: attemptId(taskRun.run, taskRun.ordinal, attempt.number),
  });
}

/** Why a task run is given up that costs too many nodes or servers. */
const poison = (losses: number, { reason }: Failure): Reason => ({
  code: 'POISON',
  message: `It was lost ${losses} times while it was at work, and ${MAX_LOSSES} times are tolerated. The last time: ${reason.message}`,
  remedy:
    'See whether the task itself brings its node down, by the memory that it takes for instance. Then retry the run.',
});
