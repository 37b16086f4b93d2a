import type { Answer } from './answer.ts';

/** A service may ask for patience, but not for ever. */
const MOST_MS = 3_600_000;

/**
 * How long an answer asks to be left alone (Retry-After, as seconds or as a date). 0 when it does not.
 *
 * @param now Milliseconds since 1970.
 */
export function retryAfterMs(answer: Answer | null, now: number): number {
  const text = answer?.headers['retry-after']?.trim();
  if (text === undefined) return 0;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), MOST_MS);
}
