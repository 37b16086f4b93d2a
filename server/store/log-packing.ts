import { type RawBuilder, sql } from 'kysely';
import { columns, whole } from './columns.ts';
import { piecesOf, type Database } from './database.ts';
import { packChunks, unpackChunks, type PackedChunk } from './log-codec.ts';
import type { LogPackingStore, LogPlace, UnpackedLog } from './retention-store.ts';

/** A segment is made of about so much text. Bytes. */
const SEGMENT_BYTES = 1 << 20;
/** And of at most so many chunks. */
const SEGMENT_CHUNKS = 4_000;

interface Stretch {
  readonly place: LogPlace;
  readonly chunks: readonly PackedChunk[];
}
/** What is to be written. */
interface PackedStretch {
  readonly place: LogPlace;
  readonly segment: Pick<Segment, 'firstSeq' | 'lastSeq'>;
  readonly packed: Buffer;
  readonly isNew: boolean;
  /** Of the chunks that are in it now. */
  readonly seqs: readonly number[];
}
interface Segment extends LogPlace {
  readonly firstSeq: number;
  readonly lastSeq: number;
}

const keyOf = ({ runKey, ordinal, number }: LogPlace): string => `${runKey} ${ordinal} ${number}`;
const isAttempt = ({ runKey, ordinal, number }: LogPlace): RawBuilder<boolean> =>
  sql<boolean>`(run_key = ${runKey} AND ordinal = ${ordinal} AND number = ${number})`;
const anyOf = (places: readonly LogPlace[]): RawBuilder<boolean> =>
  sql<boolean>`(${sql.join(places.map(isAttempt), sql` OR `)})`;

/** Compresses what ended attempts have printed. Chunks that arrive after that are found and packed like the first. */
export function logPackingStore(database: Database): LogPackingStore {
  const { dialect } = database;

  return {
    async unpacked(after, limit) {
      const places: LogPlace[] = [];
      let last = after;
      while (places.length < limit) {
        const next = await nextPlace(database, last);
        if (next === null) break;
        places.push(next);
        last = next;
      }
      const ends = await endsOf(database, places);
      return places.map((place): UnpackedLog => ({ ...place, endedAt: ends.get(keyOf(place)) ?? null }));
    },

    async pack(places) {
      if (places.length === 0) return { hasMore: false };
      const { stretches, hasMore } = await read(database, places);
      if (stretches.length === 0) return { hasMore: false };
      const segments = await segmentsOf(
        database,
        stretches.map(({ place }) => place),
      );
      const writes: PackedStretch[] = [];
      for (const stretch of stretches) {
        writes.push(await prepare(database, stretch, segments.get(keyOf(stretch.place)) ?? []));
      }
      await database.writeAside(async (transaction) => {
        for (const { place, segment, packed, isNew, seqs } of writes) {
          const { runKey: run_key, ordinal, number } = place;
          const key = { run_key, ordinal, number, first_seq: segment.firstSeq };
          if (isNew) {
            await transaction
              .insertInto('log_segment')
              .values({ ...key, last_seq: segment.lastSeq, packed })
              .execute();
          } else {
            const set = sql`UPDATE log_segment SET packed = ${packed} WHERE first_seq = ${segment.firstSeq} AND ${isAttempt(place)}`;
            await set.execute(transaction);
          }
          // By their numbers: a chunk that arrived after the others had been read is in no segment.
          for (const piece of piecesOf(seqs, dialect.listLimit)) {
            await transaction.deleteFrom('log_chunk').where(isAttempt(place)).where('seq', 'in', piece).execute();
          }
        }
      });
      return { hasMore };
    },
  };
}

/**
 * The first attempt behind a place of which chunks are stored. Three exact searches instead of one comparison of three
 * columns, which MariaDB answers by walking over every chunk of the run.
 */
async function nextPlace({ reader }: Database, after: LogPlace | null): Promise<LogPlace | null> {
  const from = sql`SELECT run_key, ordinal, number FROM log_chunk`;
  const order = sql`ORDER BY run_key, ordinal, number LIMIT 1`;
  const { runKey, ordinal, number } = after ?? { runKey: -1, ordinal: -1, number: -1 };
  const searches = [
    sql`${from} WHERE run_key = ${runKey} AND ordinal = ${ordinal} AND number > ${number} ${order}`,
    sql`${from} WHERE run_key = ${runKey} AND ordinal > ${ordinal} ${order}`,
    sql`${from} WHERE run_key > ${runKey} ${order}`,
  ];
  for (const search of after === null ? searches.slice(2) : searches) {
    const { rows } = await sql<{ run_key: number; ordinal: number; number: number }>`${search}`.execute(reader);
    const [row] = rows;
    if (row === undefined) continue;
    const read = (column: 'run_key' | 'ordinal' | 'number') => whole(row[column], 'log_chunk', column);
    return { runKey: read('run_key'), ordinal: read('ordinal'), number: read('number') };
  }
  return null;
}

/** When those of these attempts that have ended did so. Of an attempt whose run has been deleted: nothing. */
async function endsOf(
  { reader, dialect }: Database,
  places: readonly LogPlace[],
): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>();
  for (const piece of piecesOf(places, dialect.listLimit)) {
    const pairs = piece.map(({ runKey, ordinal }) => sql`(run_key = ${runKey} AND ordinal = ${ordinal})`);
    const rows = await reader
      .selectFrom('task_run')
      .select(['run_key', 'ordinal', 'attempt_number', 'attempt_finished_at'])
      .where(sql<boolean>`(${sql.join(pairs, sql` OR `)})`)
      .execute();
    const latest = new Map(rows.map((row) => [`${row.run_key} ${row.ordinal}`, row]));
    for (const place of piece) {
      const row = latest.get(`${place.runKey} ${place.ordinal}`);
      if (row === undefined || row.attempt_number === null) continue;
      const number = whole(row.attempt_number, 'task_run', 'attempt_number', row.run_key);
      if (number > place.number) ends.set(keyOf(place), 0);
      else if (number === place.number && row.attempt_finished_at !== null) {
        ends.set(keyOf(place), whole(row.attempt_finished_at, 'task_run', 'attempt_finished_at', row.run_key));
      }
    }
  }
  return ends;
}

interface Read {
  readonly stretches: readonly Stretch[];
  readonly hasMore: boolean;
}

/** The first stretch of the chunks of each attempt: short logs in one statement, as far as one segment's bytes go. */
async function read(database: Database, places: readonly LogPlace[]): Promise<Read> {
  const { reader, dialect } = database;
  const short: LogPlace[] = [];
  let room = SEGMENT_BYTES;
  for (const piece of piecesOf(places, dialect.listLimit)) {
    const sizes = await reader
      .selectFrom('log_chunk')
      .select(['run_key', 'ordinal', 'number', sql<number | string>`COUNT(*)`.as('chunks')])
      .select(sql<number | string>`SUM(OCTET_LENGTH(text))`.as('bytes'))
      .where(anyOf(piece))
      .groupBy(['run_key', 'ordinal', 'number'])
      .execute();
    for (const row of sizes) {
      const bytes = Number(row.bytes);
      const place = placeOf(row);
      if (bytes > SEGMENT_BYTES || Number(row.chunks) > SEGMENT_CHUNKS) {
        return { stretches: [await stretchOf(database, place)], hasMore: true };
      }
      if (bytes > room && short.length > 0) return { stretches: await readWhole(database, short), hasMore: true };
      room -= bytes;
      short.push(place);
    }
  }
  return { stretches: await readWhole(database, short), hasMore: false };
}

async function readWhole({ reader, dialect }: Database, places: readonly LogPlace[]): Promise<Stretch[]> {
  const stretches = new Map<string, { place: LogPlace; chunks: PackedChunk[] }>();
  for (const piece of piecesOf(places, dialect.listLimit)) {
    const rows = await reader
      .selectFrom('log_chunk')
      .selectAll()
      .where(anyOf(piece))
      .orderBy('run_key')
      .orderBy('ordinal')
      .orderBy('number')
      .orderBy('seq')
      .execute();
    for (const row of rows) {
      const place = placeOf(row);
      const known = stretches.get(keyOf(place));
      if (known === undefined) stretches.set(keyOf(place), { place, chunks: [chunkOf(row)] });
      else known.chunks.push(chunkOf(row));
    }
  }
  return [...stretches.values()];
}

/** As much of a long log as one segment takes. */
async function stretchOf({ reader }: Database, place: LogPlace): Promise<Stretch> {
  const chunks = () => reader.selectFrom('log_chunk').where(isAttempt(place)).orderBy('seq');
  const sizes = await chunks()
    .select(['seq', sql<number | string>`OCTET_LENGTH(text)`.as('bytes')])
    .limit(SEGMENT_CHUNKS)
    .execute();
  let room = SEGMENT_BYTES;
  const beyond = sizes.findIndex(({ bytes }) => (room -= Number(bytes)) < 0);
  const count = beyond < 0 ? sizes.length : Math.max(1, beyond);
  const rows = await chunks().selectAll().limit(count).execute();
  return { place, chunks: rows.map(chunkOf) };
}

async function segmentsOf(
  { reader, dialect }: Database,
  places: readonly LogPlace[],
): Promise<ReadonlyMap<string, readonly Segment[]>> {
  const segments = new Map<string, Segment[]>();
  for (const piece of piecesOf(places, dialect.listLimit)) {
    const rows = await reader
      .selectFrom('log_segment')
      .select(['run_key', 'ordinal', 'number', 'first_seq', 'last_seq'])
      .where(anyOf(piece))
      .orderBy('first_seq')
      .execute();
    for (const row of rows) {
      const place = placeOf(row);
      const firstSeq = whole(row.first_seq, 'log_segment', 'first_seq');
      const segment = { ...place, firstSeq, lastSeq: whole(row.last_seq, 'log_segment', 'last_seq') };
      const known = segments.get(keyOf(place));
      if (known === undefined) segments.set(keyOf(place), [segment]);
      else known.push(segment);
    }
  }
  return segments;
}

/**
 * What is to be written of a stretch: a segment of its own, or, where chunks arrived again or late, the segment that
 * spans their place, with what it lacked. Segments of an attempt never overlap.
 */
async function prepare(
  { reader }: Database,
  { place, chunks }: Stretch,
  segments: readonly Segment[],
): Promise<PackedStretch> {
  const first = chunks[0]!.seq;
  const spanning = segments.find(({ firstSeq, lastSeq }) => firstSeq <= first && first <= lastSeq);
  if (spanning === undefined) {
    const next = segments.find(({ firstSeq }) => firstSeq > first)?.firstSeq ?? Infinity;
    const own = chunks.filter(({ seq }) => seq < next);
    const segment = { firstSeq: first, lastSeq: own.at(-1)!.seq };
    return { place, segment, packed: await packChunks(own), isNew: true, seqs: own.map(({ seq }) => seq) };
  }
  const row = await reader
    .selectFrom('log_segment')
    .select('packed')
    .where(isAttempt(place))
    .where('first_seq', '=', spanning.firstSeq)
    .executeTakeFirstOrThrow();
  const merged = new Map(unpackChunks(row.packed, keyOf(place)).map((chunk) => [chunk.seq, chunk]));
  const own = chunks.filter(({ seq }) => seq <= spanning.lastSeq);
  for (const chunk of own) if (!merged.has(chunk.seq)) merged.set(chunk.seq, chunk);
  const packed = await packChunks([...merged.values()].sort((one, other) => one.seq - other.seq));
  return { place, segment: spanning, packed, isNew: false, seqs: own.map(({ seq }) => seq) };
}

function placeOf(row: {
  readonly run_key: number | string;
  readonly ordinal: number | string;
  readonly number: number | string;
}): LogPlace {
  const read = (column: 'run_key' | 'ordinal' | 'number') => whole(row[column], 'log_chunk', column);
  return { runKey: read('run_key'), ordinal: read('ordinal'), number: read('number') };
}

function chunkOf(row: {
  readonly seq: number | string;
  readonly stream: string;
  readonly at: number | string;
  readonly text: string;
}): PackedChunk {
  const seq = whole(row.seq, 'log_chunk', 'seq');
  return {
    seq,
    stream: columns.logChunk.stream(row.stream, seq),
    at: whole(row.at, 'log_chunk', 'at', seq),
    text: row.text,
  };
}
