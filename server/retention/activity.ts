import type { Clock } from '../clock.ts';
import type { Hub } from '../events/hub.ts';

/** Task runs that change within a second on a server that is at work. */
const BUSY_CHANGES = 1_000;
const WINDOW_MS = 1_000;

/** How much the engines of this server have to do, so that work in the background keeps out of their way. */
export class Activity {
  readonly #clock: Clock;
  #since = -Infinity;
  #changes = 0;
  #before = 0;

  constructor(hub: Hub, clock: Clock) {
    this.#clock = clock;
    // For as long as the server lives: it holds two numbers.
    hub.listen(({ taskRuns }) => {
      this.#turn();
      this.#changes += taskRuns.length;
    });
  }

  /** Whether very many task runs change just now. */
  readonly isBusy = (): boolean => {
    this.#turn();
    return Math.max(this.#changes, this.#before) > BUSY_CHANGES;
  };

  #turn(): void {
    const now = this.#clock.monotonic();
    if (now - this.#since < WINDOW_MS) return;
    this.#before = now - this.#since < 2 * WINDOW_MS ? this.#changes : 0;
    this.#changes = 0;
    this.#since = now;
  }
}
