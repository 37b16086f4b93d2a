import type { EngineRun, PoolState } from './pool-state.ts';

/** Lets the instances of a task not wait for ever for room for all of them, where their task says so. */
export function watchGang(pool: PoolState, run: EngineRun, taskIndex: number): void {
  const dueAt = gangDueAt(run, taskIndex);
  if (dueAt !== null) pool.timers.add(dueAt, { type: 'GANG', run, taskIndex });
}

/** When the gang has waited long enough; null when it need not, or does not wait. */
export function gangDueAt(run: EngineRun, taskIndex: number): number | null {
  const timeoutMs = run.plan.definition.tasks[taskIndex]!.placement?.gang?.timeoutMs ?? null;
  const [first] = run.instancesOf(taskIndex);
  if (timeoutMs === null || first!.state !== 'READY' || first!.attempt !== null) return null;
  return first!.readyAt! + timeoutMs;
}
