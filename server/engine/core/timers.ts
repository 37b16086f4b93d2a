/** Something to be looked at again at a time, by whatever clock its owner reads. Whether it still matters is checked when it is due. */
export interface Timer<What> {
  readonly at: number;
  readonly what: What;
}

/** A binary heap by time; equal times keep no order of their own beyond the heap's, which is deterministic. */
export class Timers<What> {
  readonly #heap: Timer<What>[] = [];

  /** When the earliest is due; Infinity when there is none. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  add(at: number, what: What): void {
    const heap = this.#heap;
    const timer = { at, what };
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.at <= at) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = timer;
  }

  /** Takes the earliest that is due, or null. */
  takeDue(now: number): What | null {
    const heap = this.#heap;
    const first = heap[0];
    if (!first || first.at > now) return null;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sinkFromTop(last);
    return first.what;
  }

  #sinkFromTop(timer: Timer<What>): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= timer.at) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = timer;
  }
}
