/** `0.4 s`, `12 s`, `3 m 05 s`, `2 h 14 m`, `3 d 4 h`. */
export function durationText(durationMs: number): string {
  const seconds = Math.max(0, durationMs) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `just now`, `4 m ago`, `3 h ago`, `2 d ago`. */
export function agoText(at: string, now: number): string {
  const seconds = (now - Date.parse(at)) / 1000;
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** In the reader's own zone, to the second. */
export const localText = (at: string): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** In UTC, to the millisecond. */
export const utcText = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 23)} UTC`;

/** Seconds and minutes of the clock, as axes show them. */
export const clockText = (at: number): string => new Date(at).toLocaleTimeString(undefined, { timeStyle: 'medium' });

/** `Duration` as the API writes it (`PT1M30S`), in milliseconds. */
export function isoDurationMs(duration: string): number {
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] =
    /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(duration) ?? [];
  return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

/** The same in words of ours. */
export const isoDurationText = (duration: string): string => durationText(isoDurationMs(duration));
