import type { Reason } from '@gantry/plugin-kit/vocabulary';
import type { TerminalTaskRunState } from '../../domain/task-run.ts';
import { handedDown, outcomeOf } from './outcome-of-task.ts';
import type { EngineRun, EngineTaskRun, PoolState } from './pool-state.ts';
import { releaseTask, type EndWithoutAttempt } from './release-tasks.ts';
import { settleRun } from './settle-run.ts';
import type { Step } from './step.ts';

/**
 * Ends a task run and lets everything follow that follows from it, without recursion: chains may be long.
 *
 * @param reason Why it ends so; null where its state, its latest attempt or its run tells.
 */
export function endTaskRun(
  pool: PoolState,
  step: Step,
  taskRun: EngineTaskRun,
  state: TerminalTaskRunState,
  reason: Reason | null = null,
): void {
  const run = taskRun.owner;
  const ended: number[] = [];
  finish(step, taskRun, state, reason, ended);
  // Why tasks ended that got no attempt in this very chain, for those that need them. Most ends have nothing to tell.
  let causes: Map<number, Reason> | null = null;
  const tell = (index: number, cause: Reason) => (causes ??= new Map()).set(index, cause);
  if (reason !== null) tell(taskRun.taskIndex, reason);
  while (ended.length > 0) {
    const index = ended.pop()!;
    const outcome = outcomeOf(run, index);
    const cause = outcome === null ? null : handedDown(run, index, outcome, causedBy(causes, index));
    for (const downstream of run.plan.graph.downstream[index]!) {
      const waiting = run.taskRuns[downstream]!;
      if (outcome === null) {
        const end = released(pool, step, run, downstream);
        if (end === null) continue;
        tell(downstream, end.reason);
        finish(step, waiting, end.state, end.reason, ended);
      } else if (waiting.state === 'WAITING') {
        if (cause !== null) tell(downstream, cause);
        finish(step, waiting, outcome, cause, ended);
      }
    }
  }
  settleRun(pool, step, run);
}

const causedBy = (causes: ReadonlyMap<number, Reason> | null, index: number): Reason | null =>
  causes?.get(index) ?? null;

/** Takes one off the needs of a task, and releases it when that was the last; how it ends at once, if it does. */
function released(pool: PoolState, step: Step, run: EngineRun, index: number): EndWithoutAttempt | null {
  run.needsLeft[index]!--;
  const waiting = run.taskRuns[index]!;
  // A cancelling run releases nothing more: what waits has been cancelled, or is being.
  if (run.needsLeft[index] !== 0 || waiting.state !== 'WAITING' || run.state === 'CANCELLING') return null;
  const end = releaseTask(pool, step, run, index);
  if (end !== null) refuse(step, waiting, end.state, end.reason);
  return end;
}

/** Ends a task run that gets no attempt. */
export function endWithoutAttempt(
  pool: PoolState,
  step: Step,
  taskRun: EngineTaskRun,
  state: 'SKIPPED' | 'FAILED',
  reason: Reason,
): void {
  refuse(step, taskRun, state, reason);
  endTaskRun(pool, step, taskRun, state, reason);
}

/** A failure without an attempt is the reason of the run, too, unless there is one or the task tolerates it. */
function refuse(step: Step, { owner, taskKey, task }: EngineTaskRun, state: string, reason: Reason): void {
  if (state !== 'FAILED' || task.allowFailure) return;
  owner.reason ??= { ...reason, message: `${taskKey}: ${reason.message}` };
  step.runTouched(owner);
}

/** Ends a task run of a task whose followers the caller sees to. */
export function finish(
  step: Step,
  taskRun: EngineTaskRun,
  state: TerminalTaskRunState,
  reason: Reason | null,
  ended: number[],
): void {
  const run = taskRun.owner;
  step.taskRunState(taskRun, state);
  if (reason !== null) step.taskRunReason(taskRun, reason);
  taskRun.finishedAt = step.now;
  taskRun.dueAt = null;
  run.finishedCount++;
  if (state === 'FAILED' && !taskRun.task.allowFailure) run.failedCount++;
  step.runTouched(run);
  if (--run.instancesLeft[taskRun.taskIndex]! === 0) ended.push(taskRun.taskIndex);
}

/** Takes an ended task off the needs of those that come after it. */
export function metNeed(run: EngineRun, index: number): void {
  for (const downstream of run.plan.graph.downstream[index]!) run.needsLeft[downstream]!--;
}
