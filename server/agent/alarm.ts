import type { Clock } from '../clock.ts';

/** A timer for longer would go off at once. What rings too early is set again. */
const MAX_SLEEP_MS = 2 ** 31 - 1;

/** One timer that rings when the earliest of many things is due. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at: number | null = null;
  #sleeping: AbortController | null = null;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** @param at When to ring next, by the clock that only grows; null for never. Repeats cost nothing. */
  set(at: number | null): void {
    if (at === this.#at) return;
    this.#at = at;
    this.#sleeping?.abort();
    this.#sleeping = null;
    if (at === null) return;
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    const ms = Math.min(Math.max(at - this.#clock.monotonic(), 0), MAX_SLEEP_MS);
    this.#clock.sleep(ms, sleeping.signal).then(
      () => {
        this.#at = null;
        this.#sleeping = null;
        this.#ring();
      },
      () => undefined,
    );
  }

  close(): void {
    this.set(null);
  }
}
