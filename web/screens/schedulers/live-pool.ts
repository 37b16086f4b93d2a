import { PoolFeed, PoolNow, type PoolFeedData, type PoolRow } from '../../client/operations.ts';
import { askInOrder } from '../../client/socket.ts';
import { useLive, type Live } from '../../client/use-live.ts';

/** A pool as it is; null when there is none of its name. */
export interface PoolView {
  pool: PoolRow | null;
}

/** A pool with its scheduler and shadow, live. */
export function useLivePool(name: string): Live<PoolView> {
  return useLive<PoolView, PoolFeedData, { name: string; after?: string | null }>(name, () => ({
    load: () => askInOrder(PoolNow, { name }).then(({ pool }) => ({ pool })),
    feed: PoolFeed,
    variables: { name },
    // It begins with the present state, so there is nothing to go on behind.
    cursorOf: () => '',
    // A pool has no revision: that it has changed is all that is taken from the feed.
    apply: () => false,
  }));
}
