/**
 * What waits for one slow reader: the last event of each key, in order of their last change. When more keys wait than
 * the limit, all of it collapses into one marker: read anew, then go on.
 */
export class Backlog<Item> {
  readonly #items = new Map<string, Item>();
  readonly #limit: number;
  #overflowed: Item | null = null;
  #wake: (() => void) | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(key: string, item: Item): void {
    if (this.#overflowed === null) {
      // Deleted first, so that the key moves to the end: readers resume from the last event that they saw.
      this.#items.delete(key);
      this.#items.set(key, item);
      if (this.#items.size > this.#limit) {
        this.#items.clear();
        this.#overflowed = item;
      }
    } else {
      this.#overflowed = item;
    }
    this.#wake?.();
  }

  /** Like `push`, for what may be left out: dropped where it would not fit. */
  offer(key: string, item: Item): void {
    if (this.#overflowed === null && (this.#items.size < this.#limit || this.#items.has(key))) this.push(key, item);
  }

  /** Takes everything; `overflowed` is the last event when the rest was dropped. */
  take(): { readonly items: readonly Item[]; readonly overflowed: Item | null } {
    const taken = { items: [...this.#items.values()], overflowed: this.#overflowed };
    this.#items.clear();
    this.#overflowed = null;
    return taken;
  }

  get isEmpty(): boolean {
    return this.#items.size === 0 && this.#overflowed === null;
  }

  /** Resolves when something waits, or the signal is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.isEmpty || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#wake = null;
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done);
    });
  }
}
