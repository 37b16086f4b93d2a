import type { Cluster } from '@gantry/plugin-kit/greedy';
import type { Reservations } from '@gantry/plugin-kit/reservations';
import { fitsWithout } from '@gantry/plugin-kit/room-without';
import type { PendingTask, PlacementInput, RunningAttempt } from '@gantry/plugin-kit/scheduler';
import type { Urgency } from './rank.ts';
import { fewestThatWillDo } from './victims.ts';

/** One call makes room for so many tasks at most: a wave of urgent work is not to end everything at once. */
const MAX_PER_CALL = 64;

/** Where a task can go, and who has to end first. */
export interface Room {
  readonly node: number;
  /** Keys of running attempts. */
  readonly victims: readonly string[];
}

/** Makes room for tasks that fit nowhere, by ending what is less urgent. */
export class Preemption {
  readonly #input: PlacementInput;
  readonly #cluster: Cluster;
  readonly #rank: (one: Urgency, other: Urgency) => number;
  readonly #reservations: Reservations;
  /** By node, those who may be ended: the lowest in priority first, of these the youngest. */
  readonly #running = new Map<number, RunningAttempt[]>();
  readonly #gpuColumn: number;
  /** By node, those who have been asked to end: what they hold is free for whom room is made next. */
  readonly #ending = new Map<number, RunningAttempt[]>();
  /** Per shape: the most urgent for whom nothing was found. Nobody less urgent need look again. */
  readonly #inVain: (PendingTask | undefined)[] = [];
  #made = 0;

  /**
   * @param cluster What is left as the call goes on; the caller takes what it gives away.
   * @param rank Who goes before whom, negative when the first does.
   * @param reservations What ends on a node that is held is for the one that it is held for.
   */
  constructor(
    input: PlacementInput,
    cluster: Cluster,
    rank: (one: Urgency, other: Urgency) => number,
    reservations: Reservations,
  ) {
    this.#reservations = reservations;
    this.#input = input;
    this.#cluster = cluster;
    this.#rank = rank;
    this.#gpuColumn = input.resources.indexOf('gpu');
    for (const attempt of input.running) {
      const all = attempt.isEnding === true ? this.#ending : this.#running;
      const onNode = all.get(attempt.node);
      if (onNode === undefined) all.set(attempt.node, [attempt]);
      else onNode.push(attempt);
    }
    for (const onNode of this.#running.values()) {
      onNode.sort((one, other) => one.priority - other.priority || other.startedAt - one.startedAt);
    }
  }

  /**
   * The node where the fewest attempts have to end for a task, of these the lowest in priority, of these the youngest;
   * null when no node will do. They are nobody else's victims any more. Nobody when those who are ending already leave
   * room enough: the task has only to wait.
   */
  makeRoomFor(task: PendingTask): Room | null {
    const tried = this.#inVain[task.shape];
    if (this.#made === MAX_PER_CALL) return null;
    if (tried !== undefined && task.priority <= tried.priority && this.#rank(tried, task) <= 0) return null;
    let best: { readonly node: number; readonly victims: readonly RunningAttempt[] } | null = null;
    for (const node of this.#input.shapes[task.shape]!.feasible) {
      if (this.#reservations.isHeld(node)) continue;
      const victims = this.#victimsOn(node, task, best?.victims.length ?? Infinity);
      if (victims?.length === 0) return { node, victims: [] };
      if (victims !== null && (best === null || isLessHarm(victims, best.victims))) best = { node, victims };
    }
    if (best === null) {
      this.#inVain[task.shape] = task;
      return null;
    }
    this.#made++;
    this.#ending.set(best.node, [...(this.#ending.get(best.node) ?? []), ...best.victims]);
    const ended = new Set(best.victims);
    this.#running.set(
      best.node,
      this.#running.get(best.node)!.filter((attempt) => !ended.has(attempt)),
    );
    return { node: best.node, victims: best.victims.map(({ key }) => key) };
  }

  #victimsOn(node: number, task: PendingTask, most: number): readonly RunningAttempt[] | null {
    const onNode = this.#running.get(node) ?? [];
    const able = onNode.filter((attempt) => this.#mayEnd(attempt, task));
    const ending = this.#ending.get(node) ?? [];
    if (able.length === 0 && ending.length === 0) return null;
    const { needs } = this.#input.shapes[task.shape]!;
    const willDo = (ended: readonly RunningAttempt[]): boolean =>
      fitsWithout({ cluster: this.#cluster, node, gpuColumn: this.#gpuColumn }, needs, [...ending, ...ended]);
    if (ending.length > 0 && willDo([])) return [];
    return fewestThatWillDo(able, willDo, most);
  }

  /** Whether it has a lower priority and would come later in the queue, too. */
  #mayEnd({ priority, readySince, startedAt }: RunningAttempt, task: PendingTask): boolean {
    return priority < task.priority && this.#rank(task, { priority, readySince: readySince ?? startedAt }) < 0;
  }
}

/** Fewer, else lower in priority, else younger; both hold the one to be spared most at their end. */
function isLessHarm(one: readonly RunningAttempt[], other: readonly RunningAttempt[]): boolean {
  if (one.length !== other.length) return one.length < other.length;
  const mine = one.at(-1)!;
  const theirs = other.at(-1)!;
  return mine.priority === theirs.priority ? mine.startedAt > theirs.startedAt : mine.priority < theirs.priority;
}
