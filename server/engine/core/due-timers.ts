import { gangDue } from './gang-timeout.ts';
import type { EngineTaskRun, PoolState } from './pool-state.ts';
import { faultOf } from './run-fault.ts';
import type { Step } from './step.ts';
import { nodeSilent } from './watch-node.ts';

function retryIsDue(step: Step, taskRun: EngineTaskRun): void {
  taskRun.dueAt = null;
  if (taskRun.owner.state === 'PAUSED') {
    step.taskRunState(taskRun, 'BLOCKED');
  } else {
    taskRun.readyAt = step.now;
    step.taskRunState(taskRun, 'READY');
  }
}

/** Looks at everything whose time has come. A timer that no longer matters does nothing. */
export function dueTimers(pool: PoolState, step: Step): void {
  for (let due = pool.timers.takeDue(step.tick); due; due = pool.timers.takeDue(step.tick)) {
    switch (due.type) {
      case 'BACKOFF': {
        const { taskRun } = due;
        if (taskRun.state === 'BACKOFF' && taskRun.dueAt === due.dueAt)
          faultOf(taskRun.run, () => retryIsDue(step, taskRun));
        break;
      }
      case 'GANG':
        faultOf(due.run.id, () => gangDue(pool, step, due.run, due.taskIndex, due.readyAt));
        break;
      case 'SILENCE':
        nodeSilent(pool, step, due.node);
        break;
      default:
        due satisfies never;
    }
  }
}
