import type { Insertable, Selectable } from 'kysely';
import { attemptId, parseAttemptId } from '../domain/ids.ts';
import { columns, time, whole } from './columns.ts';
import { mended } from './damage.ts';
import { piecesOf, type Database } from './database.ts';
import { SegmentReader, type NumberedChunk } from './log-segments.ts';
import type { LogStore } from './store.ts';
import type { LogChunkTable } from './tables.ts';
import { insertOrKeep } from './upsert.ts';

/** Limits of one INSERT: rows, and characters of text, far below what MySQL takes in one packet (16 MiB). */
const ROWS_AT_ONCE = 500;
const CHARACTERS_AT_ONCE = 1_000_000;

/** What attempts print. */
export function logStore(database: Database): LogStore {
  const { dialect, runKeys } = database;
  const segments = new SegmentReader(database);
  return {
    async append(chunks) {
      const places = chunks.flatMap((chunk) => {
        const place = parseAttemptId(chunk.attempt);
        return place ? { chunk, place } : [];
      });
      const keys = await runKeys.of(places.map(({ place }) => place.run));
      const rows: Insertable<LogChunkTable>[] = [];
      for (const { chunk, place } of places) {
        const key = keys.get(place.run);
        if (key === undefined) continue;
        const { seq, stream, at, text } = chunk;
        rows.push({ run_key: key, ordinal: place.ordinal, number: place.number, seq, stream, at, text });
      }
      if (rows.length < chunks.length) {
        database.log(
          'warn',
          `Dropped ${chunks.length - rows.length} log chunks of attempts whose run is not in this database.`,
        );
      }
      if (rows.length === 0) return;
      await database.write(async (transaction) => {
        for (const piece of batchesOf(rows)) {
          await insertOrKeep(transaction, dialect, 'log_chunk', piece, ['run_key', 'ordinal', 'number', 'seq']);
        }
      });
    },

    async read({ run, ordinal }, after, limit) {
      const key = (await runKeys.of([run])).get(run);
      if (key === undefined) return [];
      // Single chunks first: those that are packed in between are met twice then, and none is missed.
      const single = await singleChunks(database, { runKey: key, ordinal }, after, limit);
      const packed = await segments.read({ runKey: key, ordinal }, after, limit);
      const chunks = packed.length === 0 ? single : merged(single, packed).slice(0, limit);
      return chunks.map(({ number, ...chunk }) => ({ attempt: attemptId(run, ordinal, number), ...chunk }));
    },
  };
}

async function singleChunks(
  database: Database,
  { runKey, ordinal }: { readonly runKey: number; readonly ordinal: number },
  after: { readonly number: number; readonly seq: number },
  limit: number,
): Promise<NumberedChunk[]> {
  const rows = await database.reader
    .selectFrom('log_chunk')
    .selectAll()
    .where('run_key', '=', runKey)
    .where('ordinal', '=', ordinal)
    .where((all) =>
      all.or([
        all('number', '>', after.number),
        all.and([all('number', '=', after.number), all('seq', '>', after.seq)]),
      ]),
    )
    .orderBy('number')
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map((row) => {
    const place = `${runKey}.${ordinal}.${row.number} ${row.seq}`;
    return {
      number: whole(row.number, 'log_chunk', 'number', place),
      seq: whole(row.seq, 'log_chunk', 'seq', place),
      ...database.sound(mended(row, (each) => chunkOf(each, place), { stream: 'SYSTEM', at: 0 })),
      text: row.text,
    };
  });
}

/** Both lists are in order; a chunk that is in both is taken once. */
function merged(one: readonly NumberedChunk[], other: readonly NumberedChunk[]): NumberedChunk[] {
  const chunks = [...one, ...other].sort((a, b) => a.number - b.number || a.seq - b.seq);
  return chunks.filter(({ number, seq }, index) => {
    const before = chunks[index - 1];
    return before?.number !== number || before.seq !== seq;
  });
}

const chunkOf = (row: Pick<Selectable<LogChunkTable>, 'stream' | 'at'>, place: string) => ({
  stream: columns.logChunk.stream(row.stream, place),
  at: time(row.at, 'log_chunk', 'at', place),
});

function batchesOf(rows: readonly Insertable<LogChunkTable>[]): Insertable<LogChunkTable>[][] {
  return piecesOf(rows, ROWS_AT_ONCE).flatMap((piece) => {
    const batches: Insertable<LogChunkTable>[][] = [];
    // Less than nothing, so that also a first row without text begins a batch.
    let room = -1;
    for (const row of piece) {
      room -= row.text.length;
      if (room < 0) {
        batches.push([]);
        room = CHARACTERS_AT_ONCE - row.text.length;
      }
      batches.at(-1)!.push(row);
    }
    return batches;
  });
}
