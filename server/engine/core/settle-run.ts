import type { TerminalRunState } from '../../domain/run.ts';
import type { EngineRun, PoolState } from './pool-state.ts';
import type { Step } from './step.ts';

/** Ends a run whose last task run has ended, in the same step (I3), and lets go of it. */
export function settleRun(pool: PoolState, step: Step, run: EngineRun): void {
  if (run.finishedCount < run.taskRuns.length || run.finishedAt !== null) return;
  run.finishedAt = step.now;
  step.runState(run, outcomeOf(run));
  pool.runs.delete(run.id);
}

/** Any failure that its task did not declare tolerable fails the run, not only a leaf's. */
function outcomeOf(run: EngineRun): TerminalRunState {
  if (run.state === 'CANCELLING' && run.taskRuns.some((taskRun) => taskRun.state === 'CANCELLED')) return 'CANCELLED';
  if (run.failedCount === 0) return 'SUCCEEDED';
  if (run.reason === null) {
    const failed = run.taskRuns.find((taskRun) => taskRun.state === 'FAILED' && !taskRun.task.allowFailure)!;
    const others = run.failedCount > 1 ? ` and ${run.failedCount - 1} more` : '';
    run.reason = {
      code: 'TASK_FAILED',
      message: `${failed.taskKey}${others} failed: ${failed.attempt?.failure?.reason.message ?? 'it never started'}`,
    };
  }
  return 'FAILED';
}
