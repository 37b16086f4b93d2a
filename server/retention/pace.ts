import type { Clock } from '../clock.ts';

/** A piece of work that nobody waits for takes about so long: a commit that comes meanwhile waits no longer. Milliseconds. */
const TARGET_MS = 5;
const TOO_LONG_MS = 8;
/** Rows that a piece may touch; few enough for the slowest disk, and enough to get on where the processor is shared. */
const MIN_ROWS = 600;
const MAX_ROWS = 5_000;
const FIRST_ROWS = 600;
/** The share of time that such work takes, with others at work and without: the pause is so many times as long as a piece. */
const PAUSE = 3;
const PAUSE_WHEN_BUSY = 9;
const MIN_PAUSE_MS = 2;

/**
 * Cuts work in the background into pieces that are short, whatever the machine and the database: each piece is told how
 * many rows it may touch, and how long it took decides on the next. Between two pieces everybody else has their turn.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #isBusy: () => boolean;
  readonly #signal: AbortSignal;
  #rows = FIRST_ROWS;
  #longestMs = 0;

  constructor(clock: Clock, isBusy: () => boolean, signal: AbortSignal) {
    this.#clock = clock;
    this.#isBusy = isBusy;
    this.#signal = signal;
  }

  /** The longest piece so far. Milliseconds. */
  get longestMs(): number {
    return this.#longestMs;
  }

  /** Does a piece and pauses. Rejects when the work is to stop. */
  async piece<Result>(work: (rows: number) => Promise<Result>): Promise<Result> {
    this.#signal.throwIfAborted();
    const began = this.#clock.monotonic();
    const result = await work(this.#rows);
    const tookMs = this.#clock.monotonic() - began;
    this.#longestMs = Math.max(this.#longestMs, tookMs);
    if (tookMs > TOO_LONG_MS) this.#rows = Math.max(MIN_ROWS, this.#rows >> 1);
    else if (tookMs < TARGET_MS) this.#rows = Math.min(MAX_ROWS, Math.ceil(this.#rows * 1.25));
    const pause = tookMs * (this.#isBusy() ? PAUSE_WHEN_BUSY : PAUSE);
    await this.#clock.sleep(Math.max(MIN_PAUSE_MS, pause), this.#signal);
    return result;
  }
}
