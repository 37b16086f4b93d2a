import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../server/clock.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is told to advance. Turns of the event loop are real: files and sockets are. */
export class FakeClock implements Clock {
  #time = 1_800_000_000_000;
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#time;
  }
  monotonic(): number {
    return this.#time;
  }
  turn(): Promise<void> {
    return turn();
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const sleeper: Sleeper = { at: this.#time + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        if (this.#sleepers.delete(sleeper)) reject(signal.reason as Error);
      });
    });
  }

  /** Wakes everybody who sleeps no longer than this, in order, with time for each to do what it woke for. */
  async advance(ms: number): Promise<void> {
    const until = this.#time + ms;
    for (;;) {
      await this.#settle();
      const due = [...this.#sleepers].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at);
      const [next] = due;
      if (!next) break;
      this.#time = Math.max(this.#time, next.at);
      this.#sleepers.delete(next);
      next.wake();
    }
    this.#time = until;
    await this.#settle();
  }

  /** Advances for as long as it takes until something has come about. */
  async pass<Result>(promise: Promise<Result>): Promise<Result> {
    let isDone = false;
    const done = promise.finally(() => (isDone = true));
    done.catch(() => undefined);
    while (!isDone) await this.advance(100);
    return done;
  }

  async #settle(): Promise<void> {
    for (let count = 0; count < 5; count++) await turn();
  }
}
