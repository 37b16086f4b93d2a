import type { Clock } from '../clock.ts';
import type { Hub } from './hub.ts';

/** What happens to a node within this time is told once. Milliseconds. */
const PAUSE_MS = 1_000;

/**
 * Which nodes hold more or less than before, while somebody wants to know: at most once a second, and never more names
 * than there are nodes, however slow the reader.
 */
export async function* followLoads(
  hub: Hub,
  clock: Clock,
  pool: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  let changed = new Set<string>();
  let ring: (() => void) | null = null;
  const unlisten = hub.listenToLoads((from, nodes) => {
    if (pool !== undefined && from !== pool) return;
    for (const node of nodes) changed.add(node);
    ring?.();
  });
  const onAbort = (): void => ring?.();
  signal.addEventListener('abort', onAbort);
  try {
    while (!signal.aborted) {
      if (changed.size === 0) await new Promise<void>((resolve) => (ring = resolve));
      ring = null;
      if (signal.aborted) return;
      const names = [...changed].sort();
      changed = new Set();
      yield names;
      await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
  } finally {
    unlisten();
    signal.removeEventListener('abort', onAbort);
  }
}
