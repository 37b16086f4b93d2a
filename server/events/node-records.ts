import type { Clock } from '../clock.ts';
import type { NodeRecord } from '../domain/node-record.ts';
import type { Store } from '../store/store.ts';
import type { Hub } from './hub.ts';

/** Records that are read at a time. */
const CHUNK = 100;
/** Another server may have written: looked for at least this often. Milliseconds. */
const LOOK_MS = 1_000;

/** A record with the cursor of its place in the node's history. */
export interface FollowedNodeRecord extends NodeRecord {
  readonly cursor: string;
}

/** What happens to a node, behind a record or from now on, oldest first, without gap or double. Read as fast as it is taken. */
export async function* followNodeRecords(
  store: Store,
  hub: Hub,
  clock: Clock,
  node: string,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<FollowedNodeRecord> {
  let ring: (() => void) | null = null;
  let isFresh = true;
  const onNews = (): void => {
    isFresh = true;
    ring?.();
  };
  const unlisten = hub.listen(({ nodes }) => {
    if (nodes.some(([name]) => name === node)) onNews();
  });
  signal.addEventListener('abort', onNews);
  try {
    let last = after ?? (await store.nodeRecords.page(node, { first: 1 })).rows[0]?.cursor;
    while (!signal.aborted) {
      isFresh = false;
      const records = await store.nodeRecords.after(node, last, CHUNK);
      for (const { row, cursor } of records) {
        if (signal.aborted) return;
        last = cursor;
        yield { ...row, cursor };
      }
      if (isFresh || records.length === CHUNK || signal.aborted) continue;
      const waiting = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => (ring = resolve)),
        clock.sleep(LOOK_MS, waiting.signal).catch(() => undefined),
      ]);
      waiting.abort();
      ring = null;
    }
  } finally {
    unlisten();
    signal.removeEventListener('abort', onNews);
  }
}
