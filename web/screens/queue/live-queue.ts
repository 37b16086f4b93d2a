import { useEffect, useMemo } from 'react';
import type { QueueFilter } from '../../client/operations.ts';
import { useLive, type Live } from '../../client/use-live.ts';
import { QueueReader, type QueueView } from './queue-reader.ts';

/** A queue, live, as far as it is in sight. */
export interface LiveQueue extends Live<QueueView> {
  /** To be told which rows are on the page. */
  readonly see: (first: number, last: number) => void;
}

/** A pool's queue, live: what is in sight is read anew when it has changed, at most a few times a second. */
export function useLiveQueue(pool: string, filter: QueueFilter): LiveQueue {
  // Another filter is another view of the same queue: what was shown stays until it has been read.
  const reader = useMemo(() => new QueueReader(pool, filter), [pool]);
  const live = useLive(pool, () => reader.source());
  const key = JSON.stringify(filter);
  useEffect(() => reader.show(filter), [reader, key]);
  return { ...live, see: reader.see };
}
