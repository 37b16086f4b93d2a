import type { PlacementRequest } from './placement.ts';
import type { TaskShape } from './shape.ts';

/** A task run that waits for a node. */
export interface Waiting {
  readonly request: PlacementRequest;
  /** Its place in the order of coming. */
  readonly order: number;
  isGone: boolean;
}

/** The task runs of one shape and one priority, longest waiting first. */
class Line {
  readonly shape: TaskShape;
  readonly priority: number;
  #waiting: Waiting[] = [];
  #head = 0;

  constructor(shape: TaskShape, priority: number) {
    this.shape = shape;
    this.priority = priority;
  }

  push(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  /** Up to `count` from the front; they stay. */
  front(count: number): readonly Waiting[] {
    while (this.#waiting[this.#head]?.isGone) this.#head++;
    if (this.#head > 1_024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    const front: Waiting[] = [];
    for (let index = this.#head; index < this.#waiting.length && front.length < count; index++) {
      const waiting = this.#waiting[index]!;
      if (!waiting.isGone) front.push(waiting);
    }
    return front;
  }
}

/** The pool's queue: who waits, by priority and shape. A shape for which nothing is free is not offered until something is. */
export class Queue {
  readonly #byKey = new Map<string, Waiting>();
  /** By priority and shape. */
  readonly #lines = new Map<string, Line>();
  readonly #blocked = new Set<string>();
  #order = 0;

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Waiting | undefined {
    return this.#byKey.get(key);
  }

  /** A request that waits already goes on waiting where it is. */
  add(request: PlacementRequest): void {
    if (this.#byKey.has(request.key)) return;
    const waiting = { request, order: this.#order++, isGone: false };
    this.#byKey.set(request.key, waiting);
    const { shape, priority } = request;
    const name = priority === 0 ? shape.key : `${priority} ${shape.key}`;
    let line = this.#lines.get(name);
    if (!line) {
      line = new Line(shape, priority);
      this.#lines.set(name, line);
    }
    line.push(waiting);
  }

  remove(key: string): void {
    const waiting = this.#byKey.get(key);
    if (!waiting) return;
    waiting.isGone = true;
    this.#byKey.delete(key);
  }

  /** Nothing is free for the shape: it is not offered again before `unblock`. */
  block(shape: TaskShape): void {
    this.#blocked.add(shape.key);
  }

  /** Something has become free, or a node has changed. */
  unblock(): void {
    if (this.#blocked.size > 0) this.#blocked.clear();
  }

  get hasOffer(): boolean {
    if (this.#byKey.size === 0) return false;
    if (this.#blocked.size === 0) return true;
    for (const line of this.#lines.values())
      if (!this.#blocked.has(line.shape.key) && line.front(1).length > 0) return true;
    return false;
  }

  /** The next to be placed: highest priority first, then longest waiting. At most `count`. */
  offer(count: number): readonly Waiting[] {
    const fronts: Waiting[] = [];
    const emptied: string[] = [];
    for (const [name, line] of this.#lines) {
      if (this.#blocked.has(line.shape.key)) continue;
      const front = line.front(count);
      if (front.length === 0) emptied.push(name);
      for (const waiting of front) fronts.push(waiting);
    }
    for (const name of emptied) this.#lines.delete(name);
    if (this.#lines.size > 1) fronts.sort((a, b) => b.request.priority - a.request.priority || a.order - b.order);
    return fronts.length > count ? fronts.slice(0, count) : fronts;
  }

  /** How many go before this one, as the queue offers them. */
  positionOf({ request, order }: Waiting): number {
    let before = 0;
    for (const other of this.#byKey.values()) {
      const { priority } = other.request;
      if (priority > request.priority || (priority === request.priority && other.order < order)) before++;
    }
    return before;
  }
}
