import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { formatDuration } from '../../domain/time.ts';
import type { EngineRun, PoolState } from './pool-state.ts';
import { endTaskRun, refuse } from './release-tasks.ts';
import type { Step } from './step.ts';

/** Lets the instances of a task not wait for ever for room for all of them, where their task says so. */
export function watchGang(pool: PoolState, run: EngineRun, taskIndex: number): void {
  const dueAt = dueAtOf(run, taskIndex);
  if (dueAt !== null) pool.timers.add(dueAt, { type: 'GANG', run, taskIndex });
}

/** Ends a gang that has waited too long. One that has started, or waits anew after a pause, is left alone. */
export function gangDue(pool: PoolState, step: Step, run: EngineRun, taskIndex: number): void {
  const dueAt = dueAtOf(run, taskIndex);
  if (dueAt === null || dueAt > step.now) return;
  const waiting = run.instancesOf(taskIndex).filter(({ state }) => state === 'READY');
  const reason = timedOut(waiting.length, run.plan.definition.tasks[taskIndex]!.placement!.gang!.timeoutMs!);
  for (const taskRun of waiting) endTaskRun(pool, step, taskRun, refuse(step, taskRun, reason));
}

/** When the gang has waited long enough; null when it need not, or does not wait. */
function dueAtOf(run: EngineRun, taskIndex: number): number | null {
  const timeoutMs = run.plan.definition.tasks[taskIndex]!.placement?.gang?.timeoutMs ?? null;
  const [first] = run.instancesOf(taskIndex);
  if (timeoutMs === null || first!.state !== 'READY' || first!.attempt !== null) return null;
  return first!.readyAt! + timeoutMs;
}

const timedOut = (count: number, timeoutMs: number): Reason => ({
  code: 'GANG_TIMED_OUT',
  message: `There was not room for all ${count} instances at once within ${formatDuration(timeoutMs)}.`,
  remedy: 'Give the gang a longer timeout, let its instances ask for less, or add nodes.',
});
