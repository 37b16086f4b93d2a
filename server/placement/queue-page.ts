import { byUrgency, byWaiting, type Pending, type PlacementQueue } from './queue.ts';

/** A place in the order of a queue: good also when what stood there has gone. */
export type QueuePlace = Pick<Pending, 'priority' | 'readySince' | 'sequence'>;

/** Which part of a queue is asked for. */
export interface QueueRange {
  /** So many at most. */
  readonly first: number;
  /** Begins behind this place; null for the head of the queue. */
  readonly after: QueuePlace | null;
  /** Leaves out so many more of those that are wanted. */
  readonly skip: number;
}

/** Some of a queue in its order. */
export interface QueuePage {
  readonly entries: readonly Pending[];
  /** For each of them: how many of the whole queue go before it. */
  readonly before: readonly number[];
  readonly hasMore: boolean;
  /** How many of the queue are wanted, on this page or not. */
  readonly total: number;
}

/**
 * A part of a queue, as a person would order it: by priority, then by waiting. One look at each that waits. Only the
 * priorities that the page is made of are sorted, and these hardly need it: they wait in the order of their coming.
 *
 * @param isWanted What is left out when it says so; null for everything.
 */
export function queuePage(
  queue: PlacementQueue,
  { first, after, skip }: QueueRange,
  isWanted: ((entry: Pending) => boolean) | null = null,
): QueuePage {
  const byPriority = new Map<number, Pending[]>();
  let total = 0;
  let passed = 0;
  for (const entry of queue.entries()) {
    if (isWanted !== null && !isWanted(entry)) continue;
    total++;
    if (after !== null && byUrgency(entry, after) <= 0) {
      passed++;
      continue;
    }
    const same = byPriority.get(entry.priority);
    if (same === undefined) byPriority.set(entry.priority, [entry]);
    else same.push(entry);
  }
  const found: Pending[] = [];
  let toSkip = skip;
  for (const priority of [...byPriority.keys()].sort((one, other) => other - one)) {
    const same = byPriority.get(priority)!;
    if (toSkip < same.length) same.sort(byWaiting);
    for (let at = toSkip; at < same.length && found.length <= first; at++) found.push(same[at]!);
    toSkip = Math.max(0, toSkip - same.length);
    if (found.length > first) break;
  }
  const entries = found.slice(0, first);
  const before = isWanted === null ? entries.map((_, at) => passed + skip + at) : countBefore(entries, queue);
  return { entries, before, hasMore: found.length > first, total };
}

/** How many of the queue go before each of these, which are in its order. */
function countBefore(entries: readonly Pending[], queue: PlacementQueue): number[] {
  const counts = entries.map(() => 0);
  for (const other of queue.entries()) {
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (byUrgency(other, entries[middle]!) < 0) high = middle;
      else low = middle + 1;
    }
    if (low < counts.length) counts[low]!++;
  }
  let sum = 0;
  return counts.map((count) => (sum += count));
}
