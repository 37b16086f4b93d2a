/** Something that is to be woken. It keeps its own place, so that it is found without a search. */
export interface Sleeper {
  /** When; in the unit of whoever uses it. */
  wakeAt: number;
  /** Where it is kept; −1 when it is not to be woken. */
  place: number;
}

/** Who is to be woken when, earliest first: a binary heap from which anything can be taken in O(log n). */
export class Alarms<Kind extends Sleeper> {
  readonly #heap: Kind[] = [];

  get first(): Kind | undefined {
    return this.#heap[0];
  }

  /** Sets or moves the one alarm of a sleeper. */
  set(sleeper: Kind, wakeAt: number): void {
    this.cancel(sleeper);
    sleeper.wakeAt = wakeAt;
    this.#heap.push(sleeper);
    this.#up(this.#heap.length - 1);
  }

  cancel(sleeper: Kind): void {
    const { place } = sleeper;
    if (place < 0) return;
    sleeper.place = -1;
    const last = this.#heap.pop()!;
    if (last === sleeper) return;
    this.#put(place, last);
    this.#up(place);
    this.#down(last.place);
  }

  #put(place: number, sleeper: Kind): void {
    this.#heap[place] = sleeper;
    sleeper.place = place;
  }

  #up(from: number): void {
    const sleeper = this.#heap[from]!;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (this.#heap[above]!.wakeAt <= sleeper.wakeAt) break;
      this.#put(place, this.#heap[above]!);
      place = above;
    }
    this.#put(place, sleeper);
  }

  #down(from: number): void {
    const sleeper = this.#heap[from]!;
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#heap.length) break;
      if (below + 1 < this.#heap.length && this.#heap[below + 1]!.wakeAt < this.#heap[below]!.wakeAt) below++;
      if (this.#heap[below]!.wakeAt >= sleeper.wakeAt) break;
      this.#put(place, this.#heap[below]!);
      place = below;
    }
    this.#put(place, sleeper);
  }
}
