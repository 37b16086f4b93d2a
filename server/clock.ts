import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';

/** The only way to time: everything that waits or stamps is handed one. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  now(): number;
  /** Milliseconds that only grow. */
  monotonic(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Resolves in the next turn of the event loop, after pending I/O has had its say. */
  turn(): Promise<void>;
}

/** The machine's clock: this file is the only one that asks the system for time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : undefined),
  turn: () => turn(),
};
