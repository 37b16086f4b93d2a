import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { formatDuration } from '../../domain/time.ts';
import { waitingGang } from './gang-timer.ts';
import type { EngineRun, PoolState } from './pool-state.ts';
import { endWithoutAttempt } from './end-task-run.ts';
import type { Step } from './step.ts';

/** Ends a gang that has waited too long. One that has started, or waits anew after a pause, is left alone. */
export function gangDue(pool: PoolState, step: Step, run: EngineRun, taskIndex: number, readyAt: number): void {
  const gang = waitingGang(run, taskIndex);
  if (gang === null || gang.readyAt !== readyAt) return;
  const waiting = run.instancesOf(taskIndex).filter(({ state }) => state === 'READY');
  const reason = timedOut(waiting.length, gang.timeoutMs);
  for (const taskRun of waiting) endWithoutAttempt(pool, step, taskRun, 'FAILED', reason);
}

const timedOut = (count: number, timeoutMs: number): Reason => ({
  code: 'GANG_TIMED_OUT',
  message: `There was not room for all ${count} instances at once within ${formatDuration(timeoutMs)}.`,
  remedy: 'Give the gang a longer timeout, let its instances ask for less, or add nodes.',
});
