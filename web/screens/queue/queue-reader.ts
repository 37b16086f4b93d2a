import {
  QueueFeed,
  QueueRange,
  type HeldNodeText,
  type QueueFeedData,
  type QueueFilter,
  type QueueOverviewText,
  type QueueRow,
} from '../../client/operations.ts';
import { Fault } from '../../client/fault.ts';
import { askInOrder } from '../../client/socket.ts';
import type { BesideView, LiveSource } from '../../client/use-live.ts';

/** A queue as far as it is in sight. */
export interface QueueView {
  /** How many wait in all; null when another server runs the pool. */
  readonly length: number | null;
  /** Why they wait; null when another server runs the pool. */
  readonly overview: QueueOverviewText | null;
  /** Nodes that are kept for large tasks. */
  readonly heldNodes: readonly HeldNodeText[];
  /** What was asked for. */
  readonly filter: QueueFilter;
  /** How many of them are wanted. */
  readonly total: number;
  /** Those in sight and some around them, by their index among the wanted. */
  readonly entries: ReadonlyMap<number, QueueRow>;
}

/** So many rows are read above and below those in sight. */
const MARGIN = 24;
/** The most that is read at once. */
const MOST = 200;
/** Between two reads, however quickly somebody scrolls. Milliseconds. */
const PAUSE_MS = 120;
/** After which what had been queued and not stored is looked for again. Milliseconds. */
const STORED_MS = 500;

/** What is thought to be in sight as long as nobody has said. */
const START = { first: 0, last: 40 };

type Source = LiveSource<QueueView, QueueFeedData, { pool: string }>;

/** Reads of a pool's queue what is in sight, one read at a time; anew when it has changed or something else is in sight. */
export class QueueReader {
  readonly #pool: string;
  #filter: QueueFilter;
  #sight = START;
  /** What was read last, from which index to before which. */
  #read: QueueView & { readonly from: number; readonly to: number } = {
    length: null,
    overview: null,
    heldNodes: [],
    filter: {},
    total: 0,
    entries: new Map(),
    from: 0,
    to: 0,
  };
  #begun = 0;
  #isReading = false;
  #isWanted = false;
  #earliest = 0;
  #hasLookedAgain = false;
  #pause: ReturnType<typeof setTimeout> | null = null;
  #lookAgain: ReturnType<typeof setTimeout> | null = null;
  #view: BesideView<QueueView> | null = null;

  constructor(pool: string, filter: QueueFilter) {
    this.#pool = pool;
    this.#filter = filter;
  }

  /** Where a live view has it from. */
  source(): Source {
    return {
      load: () => this.#load(),
      feed: QueueFeed,
      variables: { pool: this.#pool },
      cursorOf: null,
      // Its numbers and rows are read in one answer, so that they agree.
      apply: () => this.#want(),
      besides: (view) => {
        this.#view = view;
        return () => this.#stop();
      },
    };
  }

  /** These rows are on the page. */
  readonly see = (first: number, last: number): void => {
    this.#sight = { first, last };
    const { from, to, total } = this.#read;
    if (first < from || Math.min(last, total - 1) >= to) this.#want();
  };

  /** Only these are to be shown. */
  show(filter: QueueFilter): void {
    if (JSON.stringify(filter) === JSON.stringify(this.#filter)) return;
    this.#filter = filter;
    this.#sight = START;
    this.#want();
  }
  async #load(): Promise<QueueView> {
    const mine = ++this.#begun;
    this.#isReading = true;
    this.#isWanted = false;
    const filter = this.#filter;
    const skip = Math.max(0, this.#sight.first - MARGIN);
    const first = Math.min(MOST, this.#sight.last + MARGIN + 1 - skip);
    try {
      const { pool } = await askInOrder(QueueRange, { pool: this.#pool, first, skip, filter });
      if (pool === null) throw new Fault(`There is no pool ${this.#pool}.`, 'NOT_FOUND');
      const total = pool.queue?.totalCount ?? 0;
      const nodes = pool.queue?.nodes ?? [];
      const entries = this.#around(skip, first, total, filter, nodes);
      const read = {
        length: pool.queueLength,
        overview: pool.queueOverview,
        heldNodes: pool.heldNodes ?? [],
        filter,
        total,
        entries,
        from: skip,
        to: skip + first,
      };
      if (mine !== this.#begun) return read;
      this.#read = read;
      this.#lookAgainWhen(nodes.length < Math.min(first, total - skip));
      return read;
    } finally {
      if (mine === this.#begun) {
        this.#isReading = false;
        this.#earliest = performance.now() + PAUSE_MS;
        if (this.#isWanted) this.#want();
      }
    }
  }

  /** What was read, and what was known before of the rows around it: somebody scrolls there while it is read. */
  #around(
    from: number,
    count: number,
    total: number,
    filter: QueueFilter,
    rows: readonly QueueRow[],
  ): ReadonlyMap<number, QueueRow> {
    const entries = new Map(rows.map((row, at) => [from + at, row]));
    if (JSON.stringify(filter) !== JSON.stringify(this.#read.filter)) return entries;
    const ids = new Set(rows.map(({ taskRun }) => taskRun.id));
    for (const [at, row] of this.#read.entries) {
      const isNear = at >= from - MOST && at < from + count + MOST;
      const isRead = at >= from && at < from + count;
      if (isNear && !isRead && at < total && !ids.has(row.taskRun.id)) entries.set(at, row);
    }
    return entries;
  }

  /** Once: what is queued is stored a moment later, and then has a row. */
  #lookAgainWhen(isShort: boolean): void {
    if (isShort && !this.#hasLookedAgain) this.#lookAgain = setTimeout(() => this.#want(), STORED_MS);
    this.#hasLookedAgain = isShort;
  }

  #want(): void {
    if (this.#isReading) this.#isWanted = true;
    else {
      this.#pause ??= setTimeout(
        () => {
          this.#pause = null;
          this.#view?.missed();
        },
        Math.max(0, this.#earliest - performance.now()),
      );
    }
  }

  #stop(): void {
    this.#view = null;
    if (this.#pause !== null) clearTimeout(this.#pause);
    if (this.#lookAgain !== null) clearTimeout(this.#lookAgain);
    this.#pause = null;
  }
}
