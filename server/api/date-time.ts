const MINUTE_MS = 60_000;
const SECONDS = Array.from({ length: 60 }, (_, second) => `${second}`.padStart(2, '0'));
const MILLISECONDS = Array.from({ length: 1_000 }, (_, ms) => `${ms}`.padStart(3, '0'));

let lastMinute = Number.NaN;
let lastPrefix = '';

/**
 * `new Date(ms).toISOString()`, for lists whose times lie close together: what stands before the seconds is made once
 * a minute. Throws RangeError for what is no time.
 */
export function formatDateTime(ms: number): string {
  const minute = Math.floor(ms / MINUTE_MS);
  if (minute !== lastMinute) {
    lastPrefix = new Date(minute * MINUTE_MS).toISOString().slice(0, -'00.000Z'.length);
    lastMinute = minute;
  }
  const rest = Math.trunc(ms) - minute * MINUTE_MS;
  return `${lastPrefix}${SECONDS[Math.trunc(rest / 1_000)]}.${MILLISECONDS[rest % 1_000]}Z`;
}
