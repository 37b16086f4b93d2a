import { attemptId, parseTaskRunId } from '../../domain/ids.ts';
import { isActiveTaskRun } from '../../domain/task-run.ts';
import { idempotencyOfTaskRun } from './idempotency.ts';
import type { PoolState } from './pool-state.ts';
import type { Step } from './step.ts';

/**
 * Asks the node of a task run to stop it, because it is to make room. Nothing else changes until the node reports: the
 * attempt may still succeed. One that has ended meanwhile has made room already. Should the wish be lost in a restart,
 * the task run just goes on. Work that must not be done twice is not stopped half-way: what is to take its place waits
 * for its end.
 */
export function preemptTask(pool: PoolState, step: Step, taskRun: string): void {
  const id = parseTaskRunId(taskRun);
  const victim = id && pool.taskRun(id.run, id.ordinal);
  if (!victim || !isActiveTaskRun(victim.state) || victim.attempt === null) return;
  if (!idempotencyOfTaskRun(pool, victim).isIdempotent) return;
  const attempt = attemptId(victim.run, victim.ordinal, victim.attempt.number);
  step.effects.push({ type: 'STOP', node: victim.attempt.node, attempt, cause: 'PREEMPTED' });
}
