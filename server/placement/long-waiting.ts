import { isInVain, mostHeld } from '@gantry/plugin-kit/reservations';
import type { ClusterModel } from './cluster-model.ts';
import { byWaiting, chooseAmong, type Group, type Line, type Pending, type PlacementQueue } from './queue.ts';
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
 * holds some for already, and others in the order of an offer; once it holds as many as it may, only others of a higher
 * priority. Gangs are not among them: a node is held for one task.
 */
export function longWaitingIn(
  queue: PlacementQueue,
  { reserves, held }: Pick<Scheduler, 'reserves' | 'held'>,
  model: ClusterModel,
  now: number,
): LongWaiting {
  const nodeCount = model.eligible.length;
  if (reserves === null || nodeCount === 0 || queue.resting.size === 0) return NOBODY;
  const most = mostHeld(nodeCount, reserves);
  const chosen = new Set<Pending>();
  let keptCount = 0;
  let above = Infinity;
  for (const reservation of held) {
    const entry = queue.get(reservation.taskRun);
    if (entry === undefined || !isBlocked(entry.group, model)) continue;
    chosen.add(entry);
    above = Math.min(above, entry.priority);
    if (!isInVain(reservation, entry, now)) keptCount++;
  }
  if (chosen.size < most) above = -Infinity;
  const before = now - reserves.afterMs;
  const lines: Line[] = [];
  for (const group of queue.resting) {
    if (!isBlocked(group, model)) continue;
    for (const line of group.lines) {
      if (line.size > 0 && line.priority > above && line.head.readySince <= before) lines.push(line);
    }
  }
  if (lines.length > 0) {
    for (const entry of chooseAmong(lines, Math.max(LEAST_OFFERED, OFFERED_PER_HELD * most))) {
      if (entry.readySince <= before) chosen.add(entry);
    }
  }
  if (chosen.size === 0) return NOBODY;
  return { entries: [...chosen].sort(byWaiting), isNews: keptCount < most && keptCount < chosen.size };
}

/** Whether nothing but other work keeps it waiting: not a resource that no node has ever had. */
const isBlocked = ({ rest, gangSize, shape }: Group, model: ClusterModel): boolean =>
  gangSize === 0 && (rest === 'FULL' || rest === 'HELD') && model.needsOf(shape) !== null;

/** What is offered together with who has waited long, in the order of an offer. */
export const together = (offered: readonly Pending[], { entries }: LongWaiting): readonly Pending[] =>
  entries.length === 0 ? offered : [...offered, ...entries].sort(byWaiting);
