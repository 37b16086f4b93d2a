import type { PoolState } from './pool-state.ts';
import type { Step } from './step.ts';

/** How long an assignment may be in the event log only before its row is written. Milliseconds. */
const UNWRITTEN_MS = 100;

/** The tick at which the oldest assignment that is only logged must be written; Infinity when there is none. */
export const unwrittenDueAt = (pool: PoolState): number => (pool.unwritten[0]?.tick ?? Infinity) + UNWRITTEN_MS;

/**
 * Writes the rows of task runs that are still ASSIGNED a little after they were; with that they become visible as such.
 * Whatever has changed since its assignment has been written with that change.
 */
export function writeOverdue(pool: PoolState, step: Step): void {
  let count = 0;
  for (const { seq, tick, taskRuns } of pool.unwritten) {
    if (tick + UNWRITTEN_MS > step.tick) break;
    for (const taskRun of taskRuns) if (taskRun.revision === seq) step.taskRunTouched(taskRun);
    count++;
  }
  if (count > 0) pool.unwritten.splice(0, count);
}
