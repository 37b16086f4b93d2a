import type { Clock } from '../clock.ts';

/** A bell: rung by whoever has work, awaited by the one who does it. A ring that nobody awaits is not lost. */
export class Bell {
  #isRung = false;
  #ring: (() => void) | null = null;

  readonly ring = (): void => {
    this.#isRung = true;
    this.#ring?.();
  };

  /** Resolves at the next ring, at once if it has rung since, or after `ms`. */
  async wait(clock: Clock, ms: number): Promise<void> {
    if (!this.#isRung) {
      const timeout = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => (this.#ring = resolve)),
        clock.sleep(ms, timeout.signal).catch(() => undefined),
      ]);
      timeout.abort();
      this.#ring = null;
    }
    this.#isRung = false;
  }
}
