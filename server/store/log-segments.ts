import { sql } from 'kysely';
import { whole } from './columns.ts';
import type { Database } from './database.ts';
import { unpackChunks, type PackedChunk } from './log-codec.ts';

/** A chunk with the number of its attempt. */
export type NumberedChunk = PackedChunk & { readonly number: number };

/** Segments that are kept unpacked, about 1 MiB each: whoever reads a log comes back for the next chunks. */
const KEPT = 2;
/** Segments that one statement names. */
const SEGMENTS_AT_ONCE = 64;

interface Segment {
  readonly runKey: number;
  readonly ordinal: number;
  readonly number: number;
  readonly firstSeq: number;
  /** What was added to it makes it longer, so that what is kept of it is told from what it is now. */
  readonly bytes: number;
}

/** Reads the logs that have been compressed (log-packing.ts). A segment only changes by what it lacked. */
export class SegmentReader {
  readonly #database: Database;
  readonly #kept = new Map<string, readonly PackedChunk[]>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** The first `limit` chunks of a task run behind a place, in order. */
  async read(
    { runKey, ordinal }: { readonly runKey: number; readonly ordinal: number },
    after: { readonly number: number; readonly seq: number },
    limit: number,
  ): Promise<NumberedChunk[]> {
    const chunks: NumberedChunk[] = [];
    let place = after;
    for (;;) {
      const segments = await this.#list(runKey, ordinal, place);
      for (const segment of segments) {
        for (const chunk of await this.#chunks(segment)) {
          const { number } = segment;
          if (number > place.number || chunk.seq > place.seq) chunks.push({ number, ...chunk });
        }
        if (chunks.length >= limit) return chunks.slice(0, limit);
        place = { number: segment.number, seq: segment.lastSeq };
      }
      if (segments.length < SEGMENTS_AT_ONCE) return chunks;
    }
  }

  async #list(runKey: number, ordinal: number, { number, seq }: { readonly number: number; readonly seq: number }) {
    const rows = await this.#database.reader
      .selectFrom('log_segment')
      .select(['number', 'first_seq', 'last_seq', sql<number | string>`LENGTH(packed)`.as('bytes')])
      .where('run_key', '=', runKey)
      .where('ordinal', '=', ordinal)
      .where((all) =>
        all.or([all('number', '>', number), all.and([all('number', '=', number), all('last_seq', '>', seq)])]),
      )
      .orderBy('number')
      .orderBy('first_seq')
      .limit(SEGMENTS_AT_ONCE)
      .execute();
    const read = (row: (typeof rows)[number], column: 'number' | 'first_seq' | 'last_seq') =>
      whole(row[column], 'log_segment', column, runKey);
    return rows.map((row) => {
      const segment = { runKey, ordinal, number: read(row, 'number'), firstSeq: read(row, 'first_seq') };
      return { ...segment, lastSeq: read(row, 'last_seq'), bytes: Number(row.bytes) };
    });
  }

  async #chunks({ runKey, ordinal, number, firstSeq, bytes }: Segment): Promise<readonly PackedChunk[]> {
    const key = `${runKey} ${ordinal} ${number} ${firstSeq} ${bytes}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const row = await this.#database.reader
      .selectFrom('log_segment')
      .select('packed')
      .where('run_key', '=', runKey)
      .where('ordinal', '=', ordinal)
      .where('number', '=', number)
      .where('first_seq', '=', firstSeq)
      .executeTakeFirst();
    // Deleted in between.
    if (row === undefined) return [];
    const chunks = unpackChunks(row.packed, key);
    this.#kept.set(key, chunks);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return chunks;
  }
}
