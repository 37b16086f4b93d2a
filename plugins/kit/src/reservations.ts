import type { Cluster } from './cluster.ts';
import { GPU } from './gpus.ts';
import { fitsWithout } from './room-without.ts';
import type { PendingTask, PlacementInput, Reservation, ReservePolicy, RunningAttempt, Shape } from './scheduler.ts';

/*
 * A large task that fits nowhere now can wait for ever although it is the next: as long as small ones come, they fill
 * every gap. So a node is held for it: nothing that comes after it goes there, what runs there ends in time, and then
 * there is room. This is how batch systems back-fill (D. Lifka, The ANL/IBM SP Scheduling System, 1995; A. Mu'alem,
 * D. Feitelson, Utilization, Predictability, Workloads, and User Runtime Estimates, 2001), but for one thing: there, what
 * is sure to end before the room is needed may still go ahead. Here nothing is sure of that, because the forecast of a
 * duration is a median and no limit.
 */

/** Of so many nodes one is held at most; and one in any case. */
const NODES_PER_HELD = 8;

/** How many nodes may be held at once in a pool of so many. */
export const mostHeld = (nodeCount: number, { atOnce }: ReservePolicy): number =>
  Math.min(atOnce, Math.max(1, Math.floor(nodeCount / NODES_PER_HELD)), nodeCount);

/** What nodes are held in: `BestNodes`, or something like it. */
export interface HoldableRoom {
  readonly cluster: Cluster;
  /** Keeps a node for a task of a shape, so that no more fits there, see `Cluster.hold`. */
  hold(shape: number, node: number): void;
}

/**
 * Holds nodes in a call for those of its tasks that have waited long enough. The scheduler goes through its tasks in the
 * order of its rule, and tells of each that fits nowhere when its turn comes; whatever it asks for after that finds no
 * room on a held node. A task that comes before may still go there.
 *
 * A task keeps its node from call to call, so it begins at the latest when all that ran there at first has ended. If
 * that has not come to pass when it has waited twice as long as when the node was first held, somebody there runs on and
 * on, and a node is chosen anew. So with attempts that take at most L it begins after at most L more if it has waited L
 * before, and else after less than 3 L in all.
 */
export class Reservations {
  readonly #input: PlacementInput;
  readonly #room: HoldableRoom;
  /** Who is READY since then or earlier. */
  readonly #before: number;
  readonly #most: number;
  readonly #made: Reservation[] = [];
  readonly #held = new Set<number>();
  #byNode: ReadonlyMap<number, readonly RunningAttempt[]> | null = null;

  constructor(input: PlacementInput, room: HoldableRoom, policy: ReservePolicy | null) {
    this.#input = input;
    this.#room = room;
    this.#before = policy === null ? -Infinity : input.now - policy.afterMs;
    this.#most = policy === null ? 0 : mostHeld(input.nodes.length, policy);
  }

  /** Whether a node may still be held for a task, should it fit nowhere when it is its turn. */
  isFor({ readySince }: PendingTask): boolean {
    return readySince <= this.#before && this.#made.length < this.#most;
  }

  /** A task fits nowhere, and it is its turn. Says whether a node is held for it from now on. */
  passOver(task: PendingTask): boolean {
    if (!this.isFor(task)) return false;
    const { reservations = [], shapes, now } = this.#input;
    const shape = shapes[task.shape]!;
    const kept = reservations.find(({ task: key }) => key === task.key);
    const isKept = kept !== undefined && this.#mayKeep(kept, task, shape);
    const node = isKept ? kept.node : this.#choose(shape);
    if (node < 0) return false;
    this.#made.push({ task: task.key, node, since: isKept ? kept.since : now });
    this.#held.add(node);
    this.#room.hold(task.shape, node);
    return true;
  }

  /** Whether a node is held in this call. */
  isHeld(node: number): boolean {
    return this.#held.has(node);
  }

  /** As a part of what `place` returns. */
  get output(): { readonly reservations?: readonly Reservation[] } {
    return this.#made.length === 0 ? {} : { reservations: this.#made };
  }

  #mayKeep(kept: Reservation, task: PendingTask, { feasible }: Shape): boolean {
    if (isInVain(kept, task, this.#input.now) || this.#held.has(kept.node)) return false;
    return Array.prototype.includes.call(feasible, kept.node);
  }

  /** The feasible node that will probably have room first; of these where the least is missing; −1 when all are held. */
  #choose({ needs, feasible, preference }: Shape): number {
    let best = -1;
    let bestAt: Prospect = { freeInMs: Infinity, missing: Infinity, liking: -Infinity };
    for (let at = 0; at < feasible.length; at++) {
      const node = feasible[at]!;
      if (this.#held.has(node)) continue;
      const prospect = {
        freeInMs: this.#freeInMs(node, needs),
        missing: missingOn(node, needs, this.#room.cluster),
        liking: preference?.[node] ?? 0,
      };
      if (best >= 0 && !isBetter(prospect, bestAt)) continue;
      best = node;
      bestAt = prospect;
    }
    return best;
  }

  /** When enough has probably ended there, from now. Infinite when what is known to run there does not account for it. */
  #freeInMs(node: number, needs: readonly number[]): number {
    const { now, resources } = this.#input;
    const left = { cluster: this.#room.cluster, node, gpuColumn: resources.indexOf(GPU) };
    const ended: RunningAttempt[] = [];
    for (const attempt of (this.#byNode ??= byNode(this.#input)).get(node) ?? []) {
      ended.push(attempt);
      if (fitsWithout(left, needs, ended)) return remainingMs(attempt, now);
    }
    return Infinity;
  }
}

/** Whether it is time to try another node: since this one was held, its task has waited as long as it had before. */
export const isInVain = (
  { since }: Pick<Reservation, 'since'>,
  { readySince }: Pick<PendingTask, 'readySince'>,
  now: number,
): boolean => now - since > since - readySince;

interface Prospect {
  readonly freeInMs: number;
  readonly missing: number;
  readonly liking: number;
}

/** Ties go to whoever comes first: the node with the lower name. */
function isBetter(one: Prospect, other: Prospect): boolean {
  if (one.freeInMs !== other.freeInMs) return one.freeInMs < other.freeInMs;
  return one.missing === other.missing ? one.liking > other.liking : one.missing < other.missing;
}

/**
 * How long an attempt will probably go on. Where no forecast says so, or its time is over, as long as it has run so far:
 * of those whose durations differ widely, the old ones are the ones that stay.
 */
function remainingMs({ isEnding, startedAt, durationMs }: RunningAttempt, now: number): number {
  if (isEnding === true) return 0;
  const ranMs = Math.max(0, now - startedAt);
  return (durationMs ?? 0) > ranMs ? durationMs! - ranMs : ranMs;
}

/** What runs on each node, what probably ends first in front. */
function byNode({ running, now }: PlacementInput): ReadonlyMap<number, readonly RunningAttempt[]> {
  const nodes = new Map<number, RunningAttempt[]>();
  for (const attempt of running) {
    const onNode = nodes.get(attempt.node);
    if (onNode === undefined) nodes.set(attempt.node, [attempt]);
    else onNode.push(attempt);
  }
  for (const onNode of nodes.values()) {
    onNode.sort((one, other) => remainingMs(one, now) - remainingMs(other, now) || (one.key < other.key ? -1 : 1));
  }
  return nodes;
}

/** The largest part of what is needed of a resource that is not free on a node. */
function missingOn(node: number, needs: readonly number[], cluster: Cluster): number {
  let most = 0;
  for (let column = 0; column < needs.length; column++) {
    const need = needs[column]!;
    if (need > 0) most = Math.max(most, 1 - cluster.freeOf(node, column) / need);
  }
  return most;
}
