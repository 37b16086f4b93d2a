import type { PendingTask } from '@gantry/plugin-kit/scheduler';

/** What decides whose turn it is. */
export type Urgency = Pick<PendingTask, 'priority' | 'readySince'>;

/**
 * Compares by urgency, the more urgent first: by priority alone, or with one step of it for each `agingMs` of waiting.
 * All age at the same pace, so who goes before whom does not depend on the time.
 */
export function rankBy(agingMs: number | null): (one: Urgency, other: Urgency) => number {
  if (agingMs === null) return (one, other) => other.priority - one.priority;
  const rank = ({ readySince, priority }: Urgency): number => readySince - priority * agingMs;
  return (one, other) => rank(one) - rank(other);
}
