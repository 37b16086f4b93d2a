import { chmodSync, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect as KyselyDialect,
  type Driver,
  type QueryResult,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { lockFile, type FileLock } from '../../file-lock.ts';
import { StoreUnavailable } from '../store.ts';
import type { Dialect } from './dialect.ts';
import { Mutex } from './mutex.ts';

/** SQLite's primary result codes that say something about the world and not about the statement. */
const UNAVAILABLE: ReadonlyMap<number, string> = new Map([
  [5, 'another process holds a lock on it'],
  [6, 'another connection holds a lock on it'],
  [8, 'it is read-only'],
  [10, 'the disk reported an error'],
  [11, 'it is damaged'],
  [13, 'the disk is full'],
  [14, 'it cannot be opened'],
  [15, 'its lock protocol failed'],
]);
/** SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE. */
const DUPLICATES: readonly number[] = [1555, 2067];

const resultCode = (error: unknown): number | undefined => {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code : undefined;
};

export const sqliteDialect: Dialect = {
  name: 'SQLite',
  types: {
    name: 'TEXT',
    word: 'TEXT',
    text: 'TEXT',
    blob: 'BLOB',
    integer: 'INTEGER',
    counter: 'INTEGER PRIMARY KEY AUTOINCREMENT',
    table: '',
    clustered: 'WITHOUT ROWID',
    indexesInside: false,
  },
  nowMs: sql<number>`CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
  hasOnConflict: true,
  hasConcurrentWriters: false,
  hasTransactionalSchema: true,
  hasLimitedDelete: false,
  listLimit: 200,
  async setCounter(db, table, reached) {
    await sql`DELETE FROM sqlite_sequence WHERE name = ${table}`.execute(db);
    await sql`INSERT INTO sqlite_sequence (name, seq) VALUES (${table}, ${reached})`.execute(db);
  },
  isRetriable: () => false,
  isDuplicate: (error) => DUPLICATES.includes(resultCode(error) ?? 0),
};

/** Tells a fault of the disk or of a lock from a fault of ours, which is left as it is. */
export function sqliteError(error: unknown): unknown {
  if ((error as { code?: unknown } | null)?.code === 'ERR_INVALID_STATE') {
    return new StoreUnavailable('The store has been closed.', { cause: error });
  }
  const code = resultCode(error);
  const why = code === undefined ? undefined : UNAVAILABLE.get(code & 0xff);
  return why === undefined
    ? error
    : new StoreUnavailable(`The SQLite database cannot be used: ${why}.`, { cause: error });
}

/** The open file: one connection that writes, one that reads beside it, and the lock that keeps other servers away. */
export interface SqliteFile {
  readonly writer: DatabaseSync;
  /** The writer itself for a database in memory. */
  readonly reader: DatabaseSync;
  /** Whoever writes holds it, so that a commit, which is one synchronous stretch, never meets an open transaction. */
  readonly writing: Mutex;
  /** The file's path; null for a database in memory. */
  readonly path: string | null;
  close(): void;
}

/** Opens or makes the database. Throws StoreUnavailable when another server has it open or it cannot be used. */
export function openSqliteFile(path: string): SqliteFile {
  if (path === ':memory:') {
    const database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: false });
    return { writer: database, reader: database, writing: new Mutex(), path: null, close: () => database.close() };
  }
  const file = makeFolder(path);
  const lock = lockDatabase(file);
  const open: DatabaseSync[] = [];
  const close = () => {
    for (const database of open.splice(0).reverse()) database.close();
    lock.release();
  };
  try {
    const writer = new DatabaseSync(file, { timeout: 2_000, enableForeignKeyConstraints: false });
    open.push(writer);
    writer.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY');
    // 64 MiB for the pages that a burst touches; a longer log, because a page that changes often is then copied once.
    writer.exec('PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 67108864');
    chmodSync(file, 0o600);
    const reader = new DatabaseSync(file, { readOnly: true, timeout: 2_000, enableForeignKeyConstraints: false });
    open.push(reader);
    reader.exec('PRAGMA cache_size = -32768; PRAGMA mmap_size = 268435456');
    return { writer, reader, writing: new Mutex(), path: file, close };
  } catch (error) {
    close();
    const code = resultCode(error);
    if (code !== undefined && (code & 0xff) === 26) {
      throw new StoreUnavailable(`${file} is not an SQLite database. Name another file, or move it away.`, {
        cause: error,
      });
    }
    throw sqliteError(error);
  }
}

function makeFolder(path: string): string {
  const absolute = resolve(path);
  try {
    mkdirSync(dirname(absolute), { recursive: true, mode: 0o700 });
    // Two names of one file must meet at one lock.
    return existsSync(absolute) ? realpathSync(absolute) : join(realpathSync(dirname(absolute)), basename(absolute));
  } catch (error) {
    throw new StoreUnavailable(
      `The folder ${dirname(absolute)} for the SQLite database cannot be made: ${(error as Error).message}.`,
      { cause: error },
    );
  }
}

function lockDatabase(file: string): FileLock {
  let lock: FileLock | null;
  try {
    lock = lockFile(`${file}-lock`);
  } catch (error) {
    throw sqliteError(error);
  }
  if (lock !== null) return lock;
  throw new StoreUnavailable(
    `Another Gantry server has the database ${file} open. Stop it first, or give this one a database of its own (GANTRY_DATABASE_URL).`,
  );
}

/** Kysely on node:sqlite. With `writing`, its connection is only handed out while that is held. */
export function sqliteKysely(database: DatabaseSync, writing: Mutex | null): KyselyDialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(database, writing),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** Statements that are kept prepared: key lists of many lengths make many texts. */
const KEPT_STATEMENTS = 256;

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, { readonly statement: StatementSync; readonly returnsRows: boolean }>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    try {
      const { statement, returnsRows } = this.#prepare(query.sql);
      const parameters = query.parameters as readonly SQLInputValue[];
      if (returnsRows) return { rows: statement.all(...parameters) as Row[] };
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      throw sqliteError(error);
    }
  }

  // eslint-disable-next-line require-yield -- no query of ours streams.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('Streaming is not supported: read in pages.');
  }

  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  exec(text: string): void {
    try {
      this.#database.exec(text);
    } catch (error) {
      throw sqliteError(error);
    }
  }

  #prepare(text: string) {
    let kept = this.#statements.get(text);
    if (kept) {
      this.#statements.delete(text);
    } else {
      const statement = this.#database.prepare(text);
      kept = { statement, returnsRows: statement.columns().length > 0 };
      if (this.#statements.size >= KEPT_STATEMENTS) {
        const oldest = this.#statements.keys().next().value;
        if (oldest !== undefined) this.#statements.delete(oldest);
      }
    }
    this.#statements.set(text, kept);
    return kept;
  }
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection;
  readonly #writing: Mutex | null;

  constructor(database: DatabaseSync, writing: Mutex | null) {
    this.#connection = new SqliteConnection(database);
    this.#writing = writing;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#writing?.acquire();
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#writing?.release();
  }

  async beginTransaction(): Promise<void> {
    this.#connection.exec('BEGIN IMMEDIATE');
  }

  async commitTransaction(): Promise<void> {
    this.#connection.exec('COMMIT');
  }

  async rollbackTransaction(): Promise<void> {
    // A full disk rolls back by itself; a second one would hide the first error.
    if (this.#connection.isInTransaction) this.#connection.exec('ROLLBACK');
  }

  /** The file is closed by who opened it. */
  async destroy(): Promise<void> {}
}
