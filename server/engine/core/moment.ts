/**
 * One instant by two clocks. What is shown and stored bears `at`; what is waited for is measured in `tick`, so that a
 * clock that is set neither holds a retry back nor loses a node.
 */
export interface Moment {
  /** The machine's time of day, in milliseconds since the epoch. May jump either way. */
  readonly at: number;
  /** Milliseconds that only grow, from an origin that means nothing. */
  readonly tick: number;
}

/**
 * How long is still to be waited for a time that was stored, after a restart, when there is no tick to go by. Never
 * longer than the wait was meant to be: the clock may have been set since.
 */
export const remainingMs = (dueAt: number, longestMs: number, now: Moment): number =>
  Math.min(Math.max(dueAt - now.at, 0), Math.max(longestMs, 0));
