import { attemptId } from '../../domain/ids.ts';
import { isTerminalTaskRun } from '../../domain/task-run.ts';
import { endTaskRun } from './end-task-run.ts';
import type { EngineRun, PoolState } from './pool-state.ts';
import { settleRun } from './settle-run.ts';
import type { Step } from './step.ts';

/** Ends what has not begun, and asks the nodes to stop what has. A second cancel changes nothing. */
export function cancelRun(
  pool: PoolState,
  step: Step,
  run: EngineRun,
  message: string | undefined,
  actor: string,
): void {
  if (run.state === 'CANCELLING') return;
  run.reason = { code: 'CANCELLED', message: `Cancelled by ${actor}${message === undefined ? '.' : `: ${message}`}` };
  step.runState(run, 'CANCELLING');
  for (const taskRun of run.taskRuns) {
    if (isTerminalTaskRun(taskRun.state)) continue;
    const { attempt } = taskRun;
    if (taskRun.state === 'ASSIGNED' || taskRun.state === 'RUNNING') {
      step.taskRunState(taskRun, 'CANCELLING');
      step.effects.push({
        type: 'STOP',
        node: attempt!.node,
        attempt: attemptId(run.id, taskRun.ordinal, attempt!.number),
        cause: 'CANCELLED',
      });
    } else {
      endTaskRun(pool, step, taskRun, 'CANCELLED');
    }
  }
  settleRun(pool, step, run);
}
