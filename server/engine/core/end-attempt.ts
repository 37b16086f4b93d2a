import type { Json } from '@gantry/plugin-kit/vocabulary';
import type { TerminalAttemptState } from '../../domain/attempt.ts';
import type { Failure } from '../../domain/failure.ts';
import { attemptId } from '../../domain/ids.ts';
import { afterFailure, isDisplacement, isInfrastructureFailure } from '../../domain/retry.ts';
import type { EngineTaskRun, PoolState } from './pool-state.ts';
import { endTaskRun } from './release-tasks.ts';
import { letGo } from './reservation.ts';
import type { Step } from './step.ts';

/**
 * Ends the live attempt of a task run and decides what becomes of the task run: success, a retry that the right side
 * pays for, or failure. The node is let go in the same step (I4).
 *
 * @param options.isFinal No retry can help.
 */
export function endAttempt(
  pool: PoolState,
  step: Step,
  taskRun: EngineTaskRun,
  state: TerminalAttemptState,
  failure: Failure | null,
  options: { readonly isFinal?: boolean; readonly outputs?: Readonly<Record<string, Json>> } = {},
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
  if (state === 'SUCCEEDED') {
    taskRun.outputs = options.outputs ?? null;
    endTaskRun(pool, step, taskRun, 'SUCCEEDED');
    return;
  }
  if (taskRun.state === 'CANCELLING') {
    endTaskRun(pool, step, taskRun, 'CANCELLED');
    return;
  }
  retryTask(pool, step, taskRun, failure!, options.isFinal ?? false);
}

function retryTask(pool: PoolState, step: Step, taskRun: EngineTaskRun, failure: Failure, isFinal: boolean): void {
  if (isInfrastructureFailure(failure)) taskRun.losses += isDisplacement(failure) ? 0 : 1;
  else taskRun.failures++;
  const verdict = afterFailure(taskRun.task.retry, failure, taskRun.failures, taskRun.losses);
  if (isFinal || verdict.pays === 'NONE') {
    endTaskRun(pool, step, taskRun, 'FAILED');
    return;
  }
  taskRun.dueAt = step.now + verdict.delayMs;
  step.taskRunState(taskRun, 'BACKOFF');
  pool.timers.add(step.tick + verdict.delayMs, { type: 'BACKOFF', taskRun, dueAt: taskRun.dueAt });
}
