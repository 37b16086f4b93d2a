import { useEffect, useState } from 'react';
import { agoText, durationText, localText, utcText } from './time.ts';

const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | null = null;

/** The time, again every second: one clock for everything on the page that ticks. */
export function useNow(isTicking = true): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isTicking) return undefined;
    const listener = (): void => setNow(Date.now());
    listeners.add(listener);
    ticking ??= setInterval(() => listeners.forEach((each) => each()), 1_000);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || ticking === null) return;
      clearInterval(ticking);
      ticking = null;
    };
  }, [isTicking]);
  return now;
}

/** When something was, seen from now; the local time and UTC on hover. */
export function Ago({ at }: { readonly at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={`${localText(at)}\n${utcText(at)}`}>
      {agoText(at, now)}
    </time>
  );
}

/** When something was, in the local zone; UTC on hover. */
export function At({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={utcText(at)}>
      {localText(at)}
    </time>
  );
}

/** When something will be, seen from now, or was; the local time and UTC on hover. */
export function Until({ at }: { readonly at: string }) {
  const now = useNow();
  const leftMs = Date.parse(at) - now;
  return (
    <time dateTime={at} title={`${localText(at)}\n${utcText(at)}`}>
      {leftMs > 0 ? `in ${durationText(leftMs)}` : agoText(at, now)}
    </time>
  );
}

/** How long something took, or has taken so far; ticks while it has no end. */
export function Took({ from, to }: { readonly from: string | null; readonly to: string | null }) {
  const now = useNow(from !== null && to === null);
  if (from === null) return <span className="faint">–</span>;
  return <span className="nowrap">{durationText((to === null ? now : Date.parse(to)) - Date.parse(from))}</span>;
}
