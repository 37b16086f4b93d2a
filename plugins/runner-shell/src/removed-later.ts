/** A restart of the agent may ask once more for an attempt whose end it was told but had not kept yet. Milliseconds. */
const KEPT_MS = 5_000;
const EVERY_MS = 1_000;

interface Removable {
  remove(): Promise<void>;
}

/** Removes the files of ended attempts a little later than at once. */
export class RemovedLater {
  #waiting: { readonly files: Removable; readonly at: number }[] = [];
  readonly #removing = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | null = null;

  add(files: Removable): void {
    this.#waiting.push({ files, at: performance.now() });
    this.#timer ??= setInterval(() => this.#remove(performance.now() - KEPT_MS), EVERY_MS).unref();
  }

  /** Removes what is left, at once. */
  async close(): Promise<void> {
    this.#remove(Infinity);
    await Promise.all(this.#removing);
  }

  #remove(endedBefore: number): void {
    let count = 0;
    while (count < this.#waiting.length && this.#waiting[count]!.at <= endedBefore) {
      const removing = this.#waiting[count++]!.files.remove().finally(() => this.#removing.delete(removing));
      this.#removing.add(removing);
    }
    this.#waiting.splice(0, count);
    if (this.#waiting.length > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
