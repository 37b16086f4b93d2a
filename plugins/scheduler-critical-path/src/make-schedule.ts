import type { Order, Problem } from './problem.ts';
import { LargestFirst } from './largest-first.ts';

/** A schedule: how long it takes, and when each task begins. Milliseconds from now. */
export interface Schedule {
  readonly lengthMs: number;
  readonly starts: Float64Array;
}

/** One class outweighs every difference of urgencies within one. */
const CLASS = 1e13;

/**
 * Simulates list scheduling: whenever something ends, the most urgent task that fits is started, until none does.
 *
 * @param urgencies By task; higher goes first within its class.
 * @param isBackward Whether to schedule from the end: everything after what waits for it, and nothing runs yet.
 */
export function makeSchedule(problem: Problem, urgencies: Float64Array, isBackward: boolean): Schedule {
  const { count, runningCount, durations, kinds, classes, order } = problem;
  const { before, after }: Order = isBackward ? { before: order.after, after: order.before } : order;
  const waits = Int32Array.from(before, ({ length }) => length);
  const starts = new Float64Array(count);
  const nodes = new Int32Array(count);
  const machines = new Machines(problem);
  const ready = problem.kindNeeds.map(() => new LargestFirst());
  const running = new LargestFirst();
  let now = 0;
  let left = count;

  const start = (task: number, node: number): void => {
    machines.take(kinds[task]!, node);
    nodes[task] = node;
    starts[task] = now;
    // What ends first is the largest.
    running.push(task, -(now + durations[task]! / machines.speedOf(node)));
  };
  const becomesReady = (task: number): void =>
    ready[kinds[task]!]!.push(task, urgencies[task]! + classes[task]! * CLASS);

  for (let task = 0; task < count; task++) {
    if (!isBackward && task < runningCount) start(task, problem.kindNodes[kinds[task]!]![0]!);
    else if (waits[task] === 0) becomesReady(task);
  }
  while (left > 0) {
    for (;;) {
      const kind = mostUrgent(ready, machines);
      if (kind < 0) break;
      start(ready[kind]!.pop(), machines.nodeFor(kind));
    }
    now = -running.largest;
    while (running.size > 0 && -running.largest <= now) {
      const task = running.pop();
      left--;
      machines.give(kinds[task]!, nodes[task]!);
      for (const next of after[task]!) if (--waits[next]! === 0) becomesReady(next);
    }
  }
  return { lengthMs: now, starts };
}

/** The kind whose first task is the most urgent of those that fit; −1 when nothing fits. */
function mostUrgent(ready: readonly LargestFirst[], machines: Machines): number {
  let best = -1;
  for (let kind = 0; kind < ready.length; kind++) {
    const line = ready[kind]!;
    if (line.size === 0 || (best >= 0 && line.largest <= ready[best]!.largest)) continue;
    if (machines.nodeFor(kind) >= 0) best = kind;
  }
  return best;
}

/** What is left on the nodes at a moment of a schedule. */
class Machines {
  readonly #problem: Problem;
  readonly #room: Float64Array;
  /** By kind, the nodes that may take it, fastest first, and the first of them that may have room. */
  readonly #hints: Int32Array;

  constructor(problem: Problem) {
    this.#problem = problem;
    this.#room = problem.room.slice();
    this.#hints = new Int32Array(problem.kindNeeds.length);
  }

  speedOf(node: number): number {
    return this.#problem.speeds[node]!;
  }

  /** The first node that has room for a kind; −1 when none has. */
  nodeFor(kind: number): number {
    const nodes = this.#problem.kindNodes[kind]!;
    const needs = this.#problem.kindNeeds[kind]!;
    for (let at = this.#hints[kind]!; at < nodes.length; at++) {
      if (this.#fits(nodes[at]!, needs)) {
        this.#hints[kind] = at;
        return nodes[at]!;
      }
    }
    this.#hints[kind] = nodes.length;
    return -1;
  }

  take(kind: number, node: number): void {
    this.#move(kind, node, -1);
  }

  give(kind: number, node: number): void {
    this.#move(kind, node, 1);
    this.#hints.fill(0);
  }

  #fits(node: number, needs: readonly number[]): boolean {
    const from = node * this.#problem.columnCount;
    for (let column = 0; column < needs.length; column++) {
      if (needs[column]! > 0 && needs[column]! > this.#room[from + column]!) return false;
    }
    return true;
  }

  #move(kind: number, node: number, sign: 1 | -1): void {
    const needs = this.#problem.kindNeeds[kind]!;
    const from = node * this.#problem.columnCount;
    for (let column = 0; column < needs.length; column++) this.#room[from + column]! += sign * needs[column]!;
  }
}
