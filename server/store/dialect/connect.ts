import { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Connection, StoreLog } from '../database.ts';
import type { StoreTimeouts } from '../open.ts';
import type { Tables } from '../tables.ts';
import { SqliteCommitter } from './sqlite-commit.ts';
import { openSqliteFile, sqliteDialect, sqliteKysely } from './sqlite.ts';

/** The URL names no database that this program knows. */
export class InvalidDatabaseUrl extends Error {
  override readonly name = 'InvalidDatabaseUrl';
}

/** What a dialect is opened with. */
export interface ConnectOptions {
  readonly clock: Clock;
  readonly log: StoreLog;
  readonly timeouts: StoreTimeouts;
}

/** Opens the database that a URL names; its schema is as it was found. */
export async function connect(url: string, options: ConnectOptions): Promise<Connection> {
  if (url.startsWith('sqlite:')) return connectSqlite(url.slice('sqlite:'.length));
  // Passwords may be anywhere in what was typed, so no more than the scheme is repeated.
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'none';
  throw new InvalidDatabaseUrl(
    `The database URL has the scheme ${scheme}. Use sqlite:PATH or mysql://user:password@host:port/database (GANTRY_DATABASE_URL).`,
  );
}

function connectSqlite(path: string): Connection {
  if (path === '' || path.startsWith('//')) {
    throw new InvalidDatabaseUrl(
      'The database URL names no file. Write sqlite:PATH, for example sqlite:.gantry/gantry.db.',
    );
  }
  const file = openSqliteFile(path);
  const writer = new Kysely<Tables>({ dialect: sqliteKysely(file.writer, file.writing) });
  const isShared = file.reader === file.writer;
  const reader = isShared ? writer : new Kysely<Tables>({ dialect: sqliteKysely(file.reader, null) });
  let isOpen = true;
  return {
    dialect: sqliteDialect,
    reader,
    writer,
    leases: writer,
    committer: new SqliteCommitter(file.writer, file.writing),
    ping: async () => {
      if (!isOpen) return false;
      try {
        file.reader.exec('SELECT 1 FROM lease LIMIT 1');
        return true;
      } catch {
        return false;
      }
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await file.writing.close();
      file.close();
    },
  };
}
