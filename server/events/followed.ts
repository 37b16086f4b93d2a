import type { EventBatch } from '../domain/event.ts';
import type { Store } from '../store/store.ts';
import { Backlog } from './backlog.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { ExpandedEvent } from './expand.ts';
import { StaleCursor, type FollowedEvent } from './follow.ts';
import type { Hub } from './hub.ts';

/** Events that one slow reader may leave waiting before they collapse into a RESYNC. */
const BACKLOG_LIMIT = 1_024;
/** Batches that are read from the event log at a time. */
const REPLAY_CHUNK = 200;

/** Picks the events of a batch that a follower wants. */
export type Select = (batch: EventBatch) => Iterable<ExpandedEvent>;

/** Tells what is in no log, as it happens; the returned function ends it. */
export type ListenLive = (tell: (event: ExpandedEvent, pool: string, at: number) => void) => () => void;

interface Waiting {
  readonly event: ExpandedEvent;
  /** Null for what is in no log: it comes when it comes, and moves no cursor. */
  readonly seq: number | null;
  readonly at: number;
  readonly pool: string;
}

/**
 * Follows the event logs of some pools: what is stored after the cursor, then what comes, without gap or duplicate.
 * The live listener is set before anything is read, and what is read twice is dropped by its sequence.
 *
 * @param listenLive What is told besides, while it is news; left out where the reader is slow.
 * @param isOver Asked once, after the replay: whether nothing more can come.
 */
export async function* follow(
  store: Store,
  hub: Hub,
  pools: readonly string[] | null,
  after: string | undefined,
  select: Select,
  signal: AbortSignal,
  listenLive: ListenLive = () => () => undefined,
  isOver: () => Promise<boolean> = () => Promise.resolve(false),
): AsyncGenerator<{ readonly event: FollowedEvent; readonly source: ExpandedEvent | null }> {
  const backlog = new Backlog<Waiting>(BACKLOG_LIMIT);
  const firstHeard = new Map<string, number>();
  const unlisten = hub.listen((batch) => {
    if (pools !== null && !pools.includes(batch.pool)) return;
    if (!firstHeard.has(batch.pool)) firstHeard.set(batch.pool, batch.seq);
    for (const event of select(batch))
      backlog.push(event.key, { event, seq: batch.seq, at: batch.at, pool: batch.pool });
  });
  const unlistenLive = listenLive((event, pool, at) =>
    backlog.offer(`live ${event.key}`, { event, seq: null, at, pool }),
  );
  try {
    const names = pools ?? (await store.pools.all()).map(({ name }) => name);
    const places = await startingPlaces(store, names, after);
    // Whatever has been heard is news to who begins now, also what the log held already when its end was looked up.
    if (after === undefined) {
      for (const [pool, seq] of firstHeard) {
        if (seq <= (places.get(pool)?.seq ?? 0)) places.set(pool, { seq: seq - 1, index: Number.MAX_SAFE_INTEGER });
      }
    }
    const emit = ({ event, seq, at, pool }: Waiting) => {
      if (seq !== null) places.set(pool, { seq, index: event.index });
      return { event: followedEvent(event, encodeCursor(places), at), source: event };
    };
    if (after !== undefined) {
      for (const pool of names) {
        for await (const batch of replay(store, pool, places.get(pool)!.seq)) {
          const { seq, index } = places.get(pool)!;
          for (const event of select(batch)) {
            if (batch.seq === seq && event.index <= index) continue;
            yield emit({ event, seq: batch.seq, at: batch.at, pool });
          }
          if (batch.seq > places.get(pool)!.seq) places.set(pool, { seq: batch.seq, index: Number.MAX_SAFE_INTEGER });
          if (signal.aborted) return;
        }
      }
    }
    // Asked after the replay: what ended in between is in the backlog, and is told first.
    const ends = await isOver();
    while (!signal.aborted) {
      if (ends && backlog.isEmpty) return;
      await backlog.wait(signal);
      const { items, overflowed } = backlog.take();
      if (overflowed) {
        const { event } = emit(overflowed);
        yield { event: { type: 'RESYNC', cursor: event.cursor, at: overflowed.at }, source: overflowed.event };
        continue;
      }
      for (const item of items) {
        if (!isBehind(item, places.get(item.pool))) yield emit(item);
      }
    }
  } finally {
    unlisten();
    unlistenLive();
  }
}

/** Whether it has been told already. */
const isBehind = ({ seq, event }: Waiting, place: { seq: number; index: number } | undefined): boolean =>
  seq !== null && place !== undefined && (seq < place.seq || (seq === place.seq && event.index <= place.index));

async function startingPlaces(store: Store, pools: readonly string[], after: string | undefined) {
  const places = new Map<string, { seq: number; index: number }>();
  const given = after === undefined ? null : decodeCursor(after);
  if (after !== undefined && given === null)
    throw new StaleCursor('This is not a cursor of this server. Leave `after` out to begin now.');
  for (const pool of pools) {
    const last = await store.events.last(pool);
    const place = given?.get(pool);
    if (place) {
      if (place.seq > last)
        throw new StaleCursor('This cursor is ahead of the event log: it is from another database.');
      if (place.seq + 1 < (await store.events.first(pool))) {
        throw new StaleCursor(
          'The events after this cursor are not kept any more. Read anew, and follow without `after`.',
        );
      }
    }
    places.set(pool, place ? { ...place } : { seq: last, index: Number.MAX_SAFE_INTEGER });
  }
  return places;
}

/** The batch at the cursor itself (its later events) and everything after it. */
async function* replay(store: Store, pool: string, seq: number): AsyncGenerator<EventBatch> {
  let at = Math.max(seq - 1, 0);
  for (;;) {
    const batches = await store.events.after(pool, at, REPLAY_CHUNK);
    for (const batch of batches) {
      yield batch;
      at = batch.seq;
    }
    if (batches.length < REPLAY_CHUNK) return;
  }
}

function followedEvent(event: ExpandedEvent, cursor: string, at: number): FollowedEvent {
  const { type, run, ordinal, node } = event;
  if (node !== null) return { type, cursor, at, node };
  return { type, cursor, at, run: run!, taskRun: ordinal === null ? null : { run: run!, ordinal } };
}
