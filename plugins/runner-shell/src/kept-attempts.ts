interface Removable {
  remove(): Promise<void>;
}

/** What is kept of one attempt, and the helper whose journal tells of it. */
interface Kept {
  readonly files: Removable;
  /** Told that nobody will ask its journal for the attempt any more; null when that is an agent's of before. */
  readonly helper: { release(attempt: string): void } | null;
}

/**
 * Keeps the files of ended attempts, and what a journal says of them, until the server holds their ends: an agent that
 * is started again before that asks for them once more.
 */
export class KeptAttempts {
  readonly #kept = new Map<string, Kept[]>();

  add(attempt: string, files: Removable, helper: Kept['helper']): void {
    const known = this.#kept.get(attempt);
    if (known) known.push({ files, helper });
    else this.#kept.set(attempt, [{ files, helper }]);
  }

  /** Removes what is kept of an attempt. False when nothing is. */
  async forget(attempt: string): Promise<boolean> {
    const known = this.#kept.get(attempt);
    if (!known) return false;
    this.#kept.delete(attempt);
    for (const { files, helper } of known) {
      await files.remove();
      helper?.release(attempt);
    }
    return true;
  }
}
