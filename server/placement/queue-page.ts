import { byUrgency, type Pending, type PlacementQueue } from './queue.ts';

/** A place in the order of a queue: good also when what stood there has gone. */
export type QueuePlace = Pick<Pending, 'priority' | 'readySince' | 'sequence'>;

/** Some of a queue in its order. */
export interface QueuePage {
  readonly entries: readonly Pending[];
  /** How many go before the first of them. */
  readonly before: number;
  readonly hasMore: boolean;
}

/** So many times the page are collected before the least urgent are dropped again. */
const SLACK = 4;

/**
 * The most urgent of a queue behind a place, as a person would order them: by priority, then by waiting. One look at
 * each that waits; only about a page of them is ever sorted.
 */
export function queuePage(queue: PlacementQueue, first: number, after: QueuePlace | null): QueuePage {
  let before = 0;
  let kept: Pending[] = [];
  /** The last of a full page: what is less urgent is of no interest. */
  let worst: Pending | null = null;
  const wanted = first + 1;
  const narrow = (): void => {
    kept = kept.sort(byUrgency).slice(0, wanted);
    if (kept.length === wanted) worst = kept.at(-1)!;
  };
  for (const entry of queue.entries()) {
    if (after !== null && byUrgency(entry, after) <= 0) {
      before++;
      continue;
    }
    if (worst !== null && byUrgency(entry, worst) > 0) continue;
    kept.push(entry);
    if (kept.length >= SLACK * wanted) narrow();
  }
  narrow();
  return { entries: kept.slice(0, first), before, hasMore: kept.length > first };
}
