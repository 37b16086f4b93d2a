import type { Progress } from '@gantry/plugin-kit/vocabulary';
import type { Clock } from '../clock.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptProgress } from '../protocol/gateway.ts';

/** So often a node tells of progress at most, of all its attempts together. Milliseconds. */
const TELL_EVERY_MS = 250;

/**
 * Tells the server how far attempts are: what is new at once, then at most four times a second, and of each attempt the
 * last word only. It is shown, nothing depends on it: what gets lost is not told again.
 */
export class ProgressTeller {
  readonly #send: (progress: readonly AttemptProgress[]) => Promise<void>;
  readonly #clock: Clock;
  readonly #waiting = new Map<AttemptId, Progress>();
  readonly #closing = new AbortController();
  #isResting = false;

  constructor(send: (progress: readonly AttemptProgress[]) => Promise<void>, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  tell(attempt: AttemptId, progress: Progress): void {
    if (this.#closing.signal.aborted) return;
    this.#waiting.set(attempt, progress);
    if (!this.#isResting) void this.#tellAll();
  }

  /** Nobody asks any more how far it is. */
  ended(attempt: AttemptId): void {
    this.#waiting.delete(attempt);
  }

  close(): void {
    this.#closing.abort();
    this.#waiting.clear();
  }

  async #tellAll(): Promise<void> {
    this.#isResting = true;
    // What is told in one turn goes together.
    await this.#clock.turn();
    while (this.#waiting.size > 0) {
      const progress = [...this.#waiting].map(([attempt, each]) => ({ attempt, progress: each }));
      this.#waiting.clear();
      await this.#send(progress).catch(() => undefined);
      await this.#clock.sleep(TELL_EVERY_MS, this.#closing.signal).catch(() => undefined);
    }
    this.#isResting = false;
  }
}
