/** A binary heap of tasks by key: the largest first, of equals the lower task. */
export class LargestFirst {
  #tasks: number[] = [];
  #keys: number[] = [];

  get size(): number {
    return this.#tasks.length;
  }

  /** The key of the first; −Infinity when there is none. */
  get largest(): number {
    return this.#keys[0] ?? -Infinity;
  }

  push(task: number, key: number): void {
    let place = this.#tasks.push(task) - 1;
    this.#keys.push(key);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(place, parent)) break;
      this.#swap(place, parent);
      place = parent;
    }
  }

  /** Takes out the first; there is one. */
  pop(): number {
    const first = this.#tasks[0]!;
    const task = this.#tasks.pop()!;
    const key = this.#keys.pop()!;
    if (this.#tasks.length === 0) return first;
    this.#tasks[0] = task;
    this.#keys[0] = key;
    for (let place = 0; ;) {
      const child = 2 * place + 1;
      if (child >= this.#tasks.length) return first;
      const larger = child + 1 < this.#tasks.length && this.#isBefore(child + 1, child) ? child + 1 : child;
      if (!this.#isBefore(larger, place)) return first;
      this.#swap(place, larger);
      place = larger;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const difference = this.#keys[one]! - this.#keys[other]!;
    return difference > 0 || (difference === 0 && this.#tasks[one]! < this.#tasks[other]!);
  }

  #swap(one: number, other: number): void {
    [this.#tasks[one], this.#tasks[other]] = [this.#tasks[other]!, this.#tasks[one]!];
    [this.#keys[one], this.#keys[other]] = [this.#keys[other]!, this.#keys[one]!];
  }
}
