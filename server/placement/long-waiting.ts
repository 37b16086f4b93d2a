import { isInVain, mostHeld } from '@gantry/plugin-kit/reservations';
import { byWaiting, chooseAmong, type Line, type Pending, type PlacementQueue } from './queue.ts';
import type { Scheduler } from './scheduler.ts';

/** For each node that may be held so many are offered for whom it could be: their order is the scheduler's affair. */
const OFFERED_PER_HELD = 4;
const LEAST_OFFERED = 16;

/** Who is offered although no node has room for it. */
export interface LongWaiting {
  readonly entries: readonly Pending[];
  /** Whether a node may have to be chosen for one of them, which takes a look at what runs. */
  readonly isNews: boolean;
}

const NOBODY: LongWaiting = { entries: [], isNews: false };

/**
 * Those for whom a scheduler may hold nodes, because they have waited long and no node has room for them: those that it
 * holds some for already, and others in the order of an offer. Gangs are not among them: a node is held for one task.
 */
export function longWaitingIn(
  queue: PlacementQueue,
  { reserves, held }: Pick<Scheduler, 'reserves' | 'held'>,
  nodeCount: number,
  now: number,
): LongWaiting {
  if (reserves === null || nodeCount === 0 || queue.resting.size === 0) return NOBODY;
  const before = now - reserves.afterMs;
  const lines: Line[] = [];
  for (const group of queue.resting) {
    if ((group.rest !== 'FULL' && group.rest !== 'HELD') || group.gangSize > 0) continue;
    for (const line of group.lines) if (line.size > 0 && line.head.readySince <= before) lines.push(line);
  }
  if (lines.length === 0) return NOBODY;
  const most = mostHeld(nodeCount, reserves);
  const chosen = new Set<Pending>();
  let keptCount = 0;
  for (const reservation of held) {
    const entry = queue.get(reservation.taskRun);
    if (entry?.group.rest !== 'FULL' && entry?.group.rest !== 'HELD') continue;
    chosen.add(entry);
    if (!isInVain(reservation, entry, now)) keptCount++;
  }
  for (const entry of chooseAmong(lines, Math.max(LEAST_OFFERED, OFFERED_PER_HELD * most))) {
    if (entry.readySince <= before) chosen.add(entry);
  }
  return { entries: [...chosen].sort(byWaiting), isNews: keptCount < most && keptCount < chosen.size };
}

/** What is offered together with who has waited long, in the order of an offer. */
export const together = (offered: readonly Pending[], { entries }: LongWaiting): readonly Pending[] =>
  entries.length === 0 ? offered : [...offered, ...entries].sort(byWaiting);
