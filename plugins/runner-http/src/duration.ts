import * as z from 'zod';

const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
/** Larger units first, each once, as in a task's own `timeout`. */
const DURATION =
  /^(?=\d)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,9}(?:\.\d{1,3})?)s)?(?:(\d{1,12})ms)?$/;

/**
 * A duration such as `500ms`, `30s` or `1m30s`, read as milliseconds.
 *
 * @param leastMs What is shorter is refused.
 * @param mostMs What is longer is refused. At most what a timer of Node can wait: 24 days.
 */
export function duration(leastMs: number, mostMs: number) {
  return z
    .string()
    .regex(DURATION, 'must be a duration such as 500ms, 30s or 1m30s')
    .transform((text) => {
      const [, ...amounts] = DURATION.exec(text)!;
      const units = Object.values(UNITS_MS);
      return Math.round(amounts.reduce((sum, amount, index) => sum + Number(amount ?? 0) * units[index]!, 0));
    })
    .refine((ms) => ms >= leastMs && ms <= mostMs, `must be from ${shown(leastMs)} to ${shown(mostMs)}`);
}

/** As people write it, in its largest whole unit: `90s`, `24h`. */
export function shown(ms: number): string {
  for (const [unit, size] of Object.entries(UNITS_MS)) if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  return `${ms}ms`;
}
