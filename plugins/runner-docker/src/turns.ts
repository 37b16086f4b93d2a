/** Leave to do something; to be given back once it is done. To give it back twice changes nothing. */
export interface Turn {
  readonly end: () => void;
}

/** So many may do something at a time; the others wait, first come, first served. */
export class Turns {
  readonly #atOnce: number;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Resolves when it is one's turn; with null when the signal came first. */
  async take(signal: AbortSignal): Promise<Turn | null> {
    if (signal.aborted) return null;
    if (this.#taken < this.#atOnce) this.#taken++;
    else if (!(await this.#wait(signal))) return null;
    let hasEnded = false;
    const end = () => {
      if (hasEnded) return;
      hasEnded = true;
      this.#handOn();
    };
    return { end };
  }

  #wait(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const onAbort = () => {
        this.#waiting.delete(onTurn);
        resolve(false);
      };
      const onTurn = () => {
        signal.removeEventListener('abort', onAbort);
        resolve(true);
      };
      this.#waiting.add(onTurn);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** To whom has waited longest, without a moment in which somebody else could take it. */
  #handOn(): void {
    for (const onTurn of this.#waiting) {
      this.#waiting.delete(onTurn);
      onTurn();
      return;
    }
    this.#taken--;
  }
}
