import { QueueFeed, QueuePage, type QueueFeedData, type QueuePageData } from '../../client/operations.ts';
import { Fault } from '../../client/fault.ts';
import { askInOrder } from '../../client/socket.ts';
import { useLive, type Live } from '../../client/use-live.ts';

type Page = NonNullable<NonNullable<QueuePageData['pool']>['queue']>;
/** A task run that waits. */
export type QueueEntry = Page['nodes'][number];

/** The most urgent of a queue, as far as they have been asked for. */
export interface QueueView {
  /** Null when another server runs the pool. */
  readonly length: number | null;
  readonly entries: readonly QueueEntry[];
  readonly hasMore: boolean;
}

/** As many as one question may yield. */
const PAGE = 100;

/** The first so many of a pool’s queue, live: read anew when it has changed, at most once a second. */
export function useLiveQueue(pool: string, count: number): Live<QueueView> {
  return useLive<QueueView, QueueFeedData, { pool: string }>(`${pool} ${count}`, () => ({
    load: () => load(pool, count),
    feed: QueueFeed,
    variables: { pool },
    cursorOf: null,
    apply: () => false,
  }));
}

async function load(name: string, count: number): Promise<QueueView> {
  const entries: QueueEntry[] = [];
  for (let after: string | null = null; ;) {
    const pool: QueuePageData['pool'] = await readPage(name, Math.min(PAGE, count - entries.length), after);
    if (pool === null) throw new Fault(`There is no pool ${name}.`, 'NOT_FOUND');
    const { queue, queueLength: length } = pool;
    if (queue === null) return { length, entries, hasMore: false };
    entries.push(...queue.nodes);
    const { hasNextPage: hasMore, endCursor } = queue.pageInfo;
    if (!hasMore || entries.length >= count || queue.nodes.length === 0) return { length, entries, hasMore };
    after = endCursor;
  }
}

const readPage = async (pool: string, first: number, after: string | null) =>
  (await askInOrder(QueuePage, { pool, first, after })).pool;
