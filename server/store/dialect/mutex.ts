import { StoreUnavailable } from '../store.ts';

/** Lets one at a time through, first come first served. */
export class Mutex {
  #held = false;
  #closed = false;
  #waiting: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];

  /** Resolves when it is the caller's turn; whoever got it must release it. Rejects with StoreUnavailable once closed. */
  acquire(): Promise<void> {
    if (this.tryAcquire()) return Promise.resolve();
    if (this.#closed) return Promise.reject(closed());
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Takes it at once if it is free. */
  tryAcquire(): boolean {
    if (this.#held || this.#closed) return false;
    this.#held = true;
    return true;
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next) next.resolve();
    else this.#held = false;
  }

  /** Waits for those before it; then nobody gets in any more. */
  async close(): Promise<void> {
    await this.acquire();
    this.#closed = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(closed());
  }
}

const closed = (): StoreUnavailable => new StoreUnavailable('The store has been closed.');
