import { remainingMs } from './moment.ts';
import type { EngineRun, PoolState } from './pool-state.ts';
import type { Step } from './step.ts';

/** Lets the instances of a task not wait for ever for room for all of them, where their task says so. */
export function watchGang(pool: PoolState, step: Step, run: EngineRun, taskIndex: number): void {
  const waiting = waitingGang(run, taskIndex);
  if (waiting === null) return;
  const { readyAt, timeoutMs } = waiting;
  const wait = remainingMs(readyAt + timeoutMs, timeoutMs, { at: step.now, tick: step.tick });
  pool.timers.add(step.tick + wait, { type: 'GANG', run, taskIndex, readyAt });
}

/** Since when a gang waits, and how long it may; null when it need not, or does not wait. */
export function waitingGang(
  run: EngineRun,
  taskIndex: number,
): { readonly readyAt: number; readonly timeoutMs: number } | null {
  const timeoutMs = run.plan.definition.tasks[taskIndex]!.placement?.gang?.timeoutMs ?? null;
  const [first] = run.instancesOf(taskIndex);
  if (timeoutMs === null || first!.state !== 'READY' || first!.attempt !== null) return null;
  return { readyAt: first!.readyAt!, timeoutMs };
}
