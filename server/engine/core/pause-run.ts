import { watchGang } from './gang-timer.ts';
import type { EngineRun, PoolState } from './pool-state.ts';
import type { Step } from './step.ts';

/** Lets what runs run on, and holds back everything else. A second pause changes nothing. */
export function pauseRun(step: Step, run: EngineRun): void {
  if (run.state !== 'RUNNING' && run.state !== 'QUEUED') return;
  if (run.state === 'QUEUED') {
    run.startedAt = step.now;
    step.runState(run, 'RUNNING');
  }
  step.runState(run, 'PAUSED');
  for (const taskRun of run.taskRuns) if (taskRun.state === 'READY') step.taskRunState(taskRun, 'BLOCKED');
}

/** Undoes a pause. */
export function resumeRun(pool: PoolState, step: Step, run: EngineRun): void {
  if (run.state !== 'PAUSED') return;
  step.runState(run, 'RUNNING');
  for (const taskRun of run.taskRuns) {
    if (taskRun.state !== 'BLOCKED') continue;
    taskRun.readyAt = step.now;
    step.taskRunState(taskRun, 'READY');
    if (taskRun.mapIndex === null || taskRun.mapIndex === 0) watchGang(pool, step, run, taskRun.taskIndex);
  }
}
