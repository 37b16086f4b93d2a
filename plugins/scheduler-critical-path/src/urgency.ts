import type { PendingTask, PlacementInput } from '@gantry/plugin-kit/scheduler';
import type { Config } from './config.ts';

/** What a task counts as of which no rank is known: as one of which nothing is known and for which nothing waits. */
const UNKNOWN_RANK_MS = 1_000;

/** How long it takes from a task's start to the end of its run. Milliseconds. */
export const rankOf = ({ rankMs }: Pick<PendingTask, 'rankMs'>): number => rankMs ?? UNKNOWN_RANK_MS;

/** Compares tasks: who has lost patience, longest waiting first; then higher priority; then higher rank; then waiting. */
export function urgencyOf({
  config: { patienceMs },
  now,
}: Pick<PlacementInput<Config>, 'config' | 'now'>): (one: PendingTask, other: PendingTask) => number {
  const isImpatient = ({ readySince }: PendingTask): boolean => patienceMs !== null && now - readySince > patienceMs;
  return (one, other) => {
    const isOne = isImpatient(one);
    if (isOne !== isImpatient(other)) return isOne ? -1 : 1;
    if (isOne) return one.readySince - other.readySince;
    return other.priority - one.priority || rankOf(other) - rankOf(one) || one.readySince - other.readySince;
  };
}
