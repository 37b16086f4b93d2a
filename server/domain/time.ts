import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from './excerpt.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

/** The longest duration: ten years of 365 days. */
export const MAX_DURATION_MS = 3650 * DAY_MS;

/** Milliseconds, or why the text is no duration. */
export type ParsedDuration =
  { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly reason: Reason };

/** Largest first: the parts of a duration must come in this order. */
const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ['w', WEEK_MS],
  ['d', DAY_MS],
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', SECOND_MS],
  ['ms', 1],
];

const SHORT = /^(?:\d{1,15}(?:\.\d{1,9})?(?:ms|[wdhms]))+$/;
const SHORT_PART = /(\d+(?:\.\d+)?)(ms|[wdhms])/g;
const ISO =
  /^P(?=.)(?:(\d{1,15}(?:\.\d{1,9})?)W)?(?:(\d{1,15}(?:\.\d{1,9})?)D)?(?:T(?=.)(?:(\d{1,15}(?:\.\d{1,9})?)H)?(?:(\d{1,15}(?:\.\d{1,9})?)M)?(?:(\d{1,15}(?:\.\d{1,9})?)S)?)?$/;
const ISO_UNITS_MS = [WEEK_MS, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS];

/**
 * Reads `90s`, `5m`, `1h30m`, `250ms`, `1.5h`, `0` and ISO 8601 (`PT5M`, `P1DT2H`). Refused, never rounded: a bare
 * number, parts out of order, less than a millisecond, months and years (nobody knows how long they are), more than
 * ten years.
 */
export function parseDuration(value: string | number): ParsedDuration {
  const text = typeof value === 'number' ? String(value) : value.trim();
  if (/^0+$/.test(text)) return { ok: true, ms: 0 };
  if (text.length > 100) return refused('A duration is written in at most 100 characters.');
  if (/^\d+(\.\d+)?$/.test(text)) return refused(`“${text}” has no unit.`, `Write ${text}s, ${text}m or ${text}h.`);

  const parts = text.startsWith('P') ? isoParts(text) : shortParts(text);
  if (parts === null) return refused(`“${excerpt(text)}” is not a duration.`);
  if (parts === 'OUT_OF_ORDER') {
    return refused(`“${excerpt(text)}” is not a duration: the larger unit comes first, and each only once.`);
  }
  let ms = 0;
  for (const [amount, unitMs] of parts) ms += amount * unitMs;
  if (ms > MAX_DURATION_MS)
    return refused(`“${excerpt(text)}” is longer than ten years.`, 'Leave it out for no limit.');
  // Sums of decimal fractions are off by parts of a nanosecond.
  const whole = Math.round(ms);
  if (Math.abs(ms - whole) > 1e-6) return refused(`“${excerpt(text)}” is finer than a millisecond.`);
  return { ok: true, ms: whole };
}

/** As people write it: `1h30m`, `250ms`, `0s`. `ms` is a whole number from 0. Read back, it is the same. */
export function formatDuration(ms: number): string {
  let left = ms;
  let text = '';
  for (const [name, unitMs] of UNITS) {
    if (name === 'w') continue;
    const count = Math.floor(left / unitMs);
    if (count > 0) text += `${count}${name}`;
    left -= count * unitMs;
  }
  return text === '' ? '0s' : text;
}

/** As ISO 8601 writes it: `PT1H30M`, `PT0.25S`, `P1DT2H`, `PT0S`. `ms` is a whole number from 0. */
export function formatIsoDuration(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const hours = Math.floor((ms % DAY_MS) / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  const seconds = (ms % MINUTE_MS) / SECOND_MS;
  const date = days > 0 ? `${days}D` : '';
  const time = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${seconds > 0 ? `${seconds}S` : ''}`;
  if (date === '' && time === '') return 'PT0S';
  return `P${date}${time === '' ? '' : `T${time}`}`;
}

type Parts = readonly (readonly [amount: number, unitMs: number])[];

function shortParts(text: string): Parts | 'OUT_OF_ORDER' | null {
  if (!SHORT.test(text)) return null;
  const parts: [number, number][] = [];
  for (const [, amount, unit] of text.matchAll(SHORT_PART)) {
    const unitMs = UNITS.find(([name]) => name === unit)?.[1] ?? 0;
    if (unitMs >= (parts.at(-1)?.[1] ?? Infinity)) return 'OUT_OF_ORDER';
    parts.push([Number(amount), unitMs]);
  }
  return parts;
}

function isoParts(text: string): Parts | null {
  const match = ISO.exec(text);
  if (match === null) return null;
  return match
    .slice(1)
    .flatMap((amount, at) => (amount === undefined ? [] : [[Number(amount), ISO_UNITS_MS[at] ?? 0] as const]));
}

function refused(
  message: string,
  remedy = 'Write for example 250ms, 90s, 5m, 1h30m or PT5M.',
): { readonly ok: false; readonly reason: Reason } {
  return { ok: false, reason: { code: 'BAD_DURATION', message, remedy } };
}
