import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { LiveView, type Live, type LiveSource, type LiveSurroundings } from './live-view.ts';
import { follow } from './socket.ts';

export type { BesideView, Live, LiveSource } from './live-view.ts';

/** What changes often is shown at most ten times a second: drawing a long list takes its time, too. Milliseconds. */
const SHOW_MS = 100;
/** Between two reads of one view, however often it hears that there is something new. Milliseconds. */
const PAUSE_MS = 200;

const pause: LiveSurroundings['pause'] = (act) => {
  const timer = setTimeout(act, PAUSE_MS);
  return () => clearTimeout(timer);
};

/** At once when nothing was shown of late, however many events there are then. */
function drawing(): LiveSurroundings['schedule'] {
  let shownAt = -Infinity;
  return (draw) => {
    let frame: number | null = null;
    const next = (): void => {
      frame = requestAnimationFrame(() => {
        shownAt = performance.now();
        draw();
      });
    };
    const early = shownAt + SHOW_MS - performance.now();
    const pause = early > 0 ? setTimeout(next, early) : null;
    if (pause === null) next();
    return () => {
      if (pause !== null) clearTimeout(pause);
      if (frame !== null) cancelAnimationFrame(frame);
    };
  };
}

/** Shows something live while the component is there. Another `key` is another thing, and begins from nothing. */
export function useLive<Data, Event, Variables extends object>(
  key: string,
  makeSource: () => LiveSource<Data, Event, Variables>,
): Live<Data> {
  // The key says what the source is about.
  const view = useMemo(() => new LiveView(makeSource(), { follow, schedule: drawing(), pause }), [key]);
  useEffect(() => view.start(), [view]);
  return useSyncExternalStore(view.subscribe, view.snapshot, view.snapshot);
}
