import type { Clock } from '../clock.ts';

/** A piece of work that nobody waits for takes about so long: a commit that comes meanwhile waits no longer. Milliseconds. */
const TARGET_MS = 5;
const TOO_LONG_MS = 8;
/**
 * Rows that a piece may touch. The fewest are some milliseconds of work: where a piece takes longer than that, it is the
 * disk or the processor that is shared, and smaller pieces would only be more of them, each with its wait.
 */
const MIN_ROWS = 1_000;
const MAX_ROWS = 5_000;
const FIRST_ROWS = 1_500;
/** The pause after a piece is so many times as long as the piece, with others at work and without. */
const PAUSE = 3;
const PAUSE_WHEN_BUSY = 9;
const MIN_PAUSE_MS = 2;

export interface PaceOptions {
  readonly clock: Clock;
  /** Whether others have very much to do. */
  readonly isBusy: () => boolean;
  /**
   * How long such work has held up others, all together; milliseconds. On a busy server most of a piece's time is
   * waiting for its turn: were that counted, it would do less the more there is to do, and fall behind for ever.
   */
  readonly heldMs: () => number;
  readonly signal: AbortSignal;
}

/**
 * Cuts work in the background into pieces that are short, whatever the machine and the database: each piece is told how
 * many rows it may touch, and how long it held up others decides on the next. Between two pieces all others have their turn.
 */
export class Pace {
  readonly #options: PaceOptions;
  #rows = FIRST_ROWS;
  #longestMs = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** The longest piece so far. Milliseconds. */
  get longestMs(): number {
    return this.#longestMs;
  }

  /** Does a piece and pauses. Rejects when the work is to stop. */
  async piece<Result>(work: (rows: number) => Promise<Result>): Promise<Result> {
    const { clock, heldMs, isBusy, signal } = this.#options;
    signal.throwIfAborted();
    const began = clock.monotonic();
    const heldBefore = heldMs();
    const result = await work(this.#rows);
    const held = heldMs() - heldBefore;
    // What only reads holds nobody up but by its own time.
    const tookMs = held > 0 ? held : clock.monotonic() - began;
    this.#longestMs = Math.max(this.#longestMs, tookMs);
    if (tookMs > TOO_LONG_MS) this.#rows = Math.max(MIN_ROWS, this.#rows >> 1);
    else if (held > 0 && tookMs < TARGET_MS) this.#rows = Math.min(MAX_ROWS, Math.ceil(this.#rows * 1.25));
    await clock.sleep(Math.max(MIN_PAUSE_MS, tookMs * (isBusy() ? PAUSE_WHEN_BUSY : PAUSE)), signal);
    return result;
  }
}
