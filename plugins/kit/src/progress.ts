import { beginningOf } from './beginning.ts';
import type { Progress } from './vocabulary.ts';

/** So many done of so many, in whatever unit the work counts in. */
export interface ProgressCount {
  readonly done: number;
  /** Left out while nobody knows: then only the count is shown. */
  readonly total?: number;
  readonly message?: string;
}

/** Longer messages are cut. Characters. */
const MAX_MESSAGE = 200;
/** How a command writes it: `3/10 message`, `45% message`, `3 message`; the word `progress` may come first. */
const LINE = /^\s*(?:progress\s+)?(\d{1,15}(?:\.\d{1,6})?)(?:\s*\/\s*(\d{1,15}(?:\.\d{1,6})?)|\s*(%))?(?:\s+(.*))?$/;

/**
 * Progress as it is kept and shown, of whatever a plugin or a command said: amounts are never negative, a fraction lies
 * between 0 and 1, a message is one line. What is no number counts as 0: no work fails because it told badly of itself.
 *
 * @param hide What becomes of the message before it is cut.
 */
export function progressOf(
  at: number | ProgressCount,
  message?: string,
  hide: (text: string) => string = (text) => text,
): Progress {
  if (typeof at === 'object' && at !== null) {
    const { done, total } = at;
    const count = amount(done);
    const whole = total === undefined ? null : amount(total);
    const fraction = whole === null ? null : whole === 0 ? 1 : Math.min(count / whole, 1);
    return { fraction, done: count, total: whole, message: messageOf(at.message ?? message, hide) };
  }
  return { fraction: Math.min(amount(at), 1), done: null, total: null, message: messageOf(message, hide) };
}

/** What one line of $GANTRY_PROGRESS says; null for a line that says nothing. */
export function readProgressLine(line: string): Progress | null {
  const match = LINE.exec(line);
  if (!match) return null;
  const [, first, total, percent, message] = match;
  if (percent !== undefined) return progressOf(Number(first) / 100, message);
  return progressOf({ done: Number(first), ...(total === undefined ? {} : { total: Number(total) }) }, message);
}

const amount = (value: unknown): number => {
  const number = Number(value);
  return number > 0 && Number.isFinite(number) ? number : 0;
};

/** One line without control characters: it is shown in terminals and pages. */
function messageOf(message: unknown, hide: (text: string) => string): string | null {
  if (typeof message !== 'string') return null;
  const line = beginningOf(hide(message), 4 * MAX_MESSAGE)
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim();
  if (line === '') return null;
  return line.length > MAX_MESSAGE ? `${beginningOf(line, MAX_MESSAGE)}…` : line;
}
