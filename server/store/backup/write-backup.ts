import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import { openSnapshot } from '../dialect/open-snapshot.ts';
import type { Snapshot } from '../dialect/snapshot.ts';
import { dataTables } from '../migrations/migrate.ts';
import { StoreUnavailable } from '../store.ts';
import { BACKUP_FORMAT, writtenCell, type BackupHeader } from './format.ts';

/** What was written. */
export interface WrittenBackup {
  readonly header: BackupHeader;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  readonly bytes: number;
}

/**
 * Writes the database as it is at one instant to `target` and ends it. Servers go on meanwhile. Memory is bounded by a
 * batch of rows. Rejects with StoreUnavailable when the database cannot be read, and with what `target` rejects with.
 */
export async function writeBackup(
  url: string,
  target: Writable,
  facts: { readonly version: string; readonly now: number },
): Promise<WrittenBackup> {
  const snapshot = await openSnapshot(url);
  try {
    const compress = createZstdCompress();
    const writer = new LineWriter(compress);
    let bytes = 0;
    compress.on('data', (chunk: Buffer) => (bytes += chunk.length));
    const written = pipeline(compress, target);
    // It is awaited below; until then its failure must not count as unhandled.
    written.catch((error: Error) => compress.destroy(error));
    const header = await headerOf(snapshot, facts);
    await writer.line(header);
    const rows: Record<string, number> = {};
    for (const table of dataTables(header.migration)) {
      const columns = await snapshot.columns(table);
      if (columns !== null) rows[table] = await writeTable(snapshot, writer, table, columns);
    }
    await writer.end();
    await written;
    return { header, rows, bytes };
  } finally {
    await snapshot.close();
  }
}

async function writeTable(
  snapshot: Snapshot,
  writer: LineWriter,
  table: string,
  columns: readonly string[],
): Promise<number> {
  let count = 0;
  await writer.line({ table, columns });
  for await (const rows of snapshot.rows(table, columns)) {
    count += rows.length;
    await writer.line({ rows: rows.map((row) => row.map(writtenCell)) });
  }
  await writer.line({ end: table, count });
  return count;
}

async function headerOf(
  snapshot: Snapshot,
  { version, now }: { readonly version: string; readonly now: number },
): Promise<BackupHeader> {
  const migration = Number((await only(snapshot, 'migration', ['number'])).map(([number]) => number).at(-1) ?? 0);
  const [identity] = migration === 0 ? [] : await only(snapshot, 'database_identity', ['database_id']);
  if (identity === undefined) {
    throw new StoreUnavailable(
      'The database was never opened by this version of Gantry. Start the server once, then take the backup.',
    );
  }
  const counters = await snapshot.counters();
  const { dialect } = snapshot;
  const databaseId = String(identity[0]);
  return { gantryBackup: BACKUP_FORMAT, version, migration, dialect, databaseId, takenAt: now, counters };
}

/** All rows of a small table in the order of its first column; none where the table is missing. */
async function only(snapshot: Snapshot, table: string, columns: readonly string[]) {
  if ((await snapshot.columns(table)) === null) return [];
  const found = [];
  for await (const rows of snapshot.rows(table, columns)) found.push(...rows);
  return found.sort(([a], [b]) => Number(a) - Number(b));
}

/** Lines with their running hash, at the pace of the stream. */
class LineWriter {
  readonly #stream: Writable;
  readonly #hash = createHash('sha256');

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  async line(value: object): Promise<void> {
    const text = `${JSON.stringify(value)}\n`;
    this.#hash.update(text);
    await this.#write(text);
  }

  async end(): Promise<void> {
    await this.#write(`${JSON.stringify({ complete: true, sha256: this.#hash.digest('hex') })}\n`);
    this.#stream.end();
  }

  async #write(text: string): Promise<void> {
    if (this.#stream.destroyed) throw this.#stream.errored ?? new Error('The backup could not be written.');
    if (!this.#stream.write(text)) await Promise.race([once(this.#stream, 'drain'), once(this.#stream, 'close')]);
  }
}
