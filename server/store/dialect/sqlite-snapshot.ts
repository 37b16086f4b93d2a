import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreUnavailable } from '../store.ts';
import { SNAPSHOT_BATCH, type Cell, type Snapshot } from './snapshot.ts';
import { sqliteError } from './sqlite.ts';

/** How long another connection that recovers the file's log is waited for. Milliseconds. */
const BUSY_MS = 10_000;

/** A read transaction on a file: in WAL mode it sees one state, and holds up no writer. */
export function openSqliteSnapshot(path: string): Snapshot {
  const file = resolve(path);
  if (!existsSync(file)) throw new StoreUnavailable(`There is no database ${file}.`);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: BUSY_MS, enableForeignKeyConstraints: false });
    database.exec('PRAGMA query_only = ON; BEGIN');
    // A transaction begins with its first read.
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    database?.close();
    throw sqliteError(error);
  }
  return new SqliteSnapshot(database);
}

class SqliteSnapshot implements Snapshot {
  readonly dialect = 'SQLite';
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  columns(table: string): Promise<readonly string[] | null> {
    const columns = this.#database.prepare('SELECT name FROM pragma_table_info(?) ORDER BY cid').all(table);
    return Promise.resolve(columns.length === 0 ? null : columns.map(({ name }) => String(name)));
  }

  async *rows(table: string, columns: readonly string[]): AsyncIterable<readonly (readonly Cell[])[]> {
    const statement = this.#database.prepare(`SELECT ${columns.join(', ')} FROM ${table}`);
    statement.setReturnArrays(true);
    let batch: (readonly Cell[])[] = [];
    try {
      for (const row of statement.iterate()) {
        batch.push(row as unknown as readonly Cell[]);
        if (batch.length < SNAPSHOT_BATCH) continue;
        yield batch;
        batch = [];
      }
    } catch (error) {
      throw sqliteError(error);
    }
    if (batch.length > 0) yield batch;
  }

  counters(): Promise<Readonly<Record<string, number>>> {
    const rows = this.#database.prepare('SELECT name, seq FROM sqlite_sequence').all();
    return Promise.resolve(Object.fromEntries(rows.map(({ name, seq }) => [String(name), Number(seq)])));
  }

  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }
}
