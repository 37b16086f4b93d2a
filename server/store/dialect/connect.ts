import { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Connection, StoreLog } from '../database.ts';
import type { StoreTimeouts } from '../open.ts';
import type { Tables } from '../tables.ts';
import { readDatabaseUrl } from './database-url.ts';
import { SqliteCommitter } from './sqlite-commit.ts';
import { openSqliteFile, sqliteDialect, sqliteError, sqliteKysely } from './sqlite.ts';
import { sqliteUsage } from './sqlite-usage.ts';

/** What a dialect is opened with. */
export interface ConnectOptions {
  readonly clock: Clock;
  readonly log: StoreLog;
  readonly timeouts: StoreTimeouts;
}

/** Opens the database that a URL names; its schema is as it was found. */
export async function connect(url: string, options: ConnectOptions): Promise<Connection> {
  const database = readDatabaseUrl(url);
  if (database.kind === 'SQLITE') return connectSqlite(database.path);
  // Most servers never need it, and it is a twentieth of what an idle one holds.
  const { connectMysql } = await import('./connect-mysql.ts');
  return connectMysql(database.address, options);
}

function connectSqlite(path: string): Connection {
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
    ...(file.path === null ? {} : { file: file.path }),
    async makeRoom() {
      await file.writing.acquire();
      try {
        if (isOpen) file.writer.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      } catch (error) {
        throw sqliteError(error);
      } finally {
        file.writing.release();
      }
    },
    ping: async () => {
      if (!isOpen) return false;
      try {
        file.reader.exec('SELECT 1 FROM lease LIMIT 1');
        return true;
      } catch {
        return false;
      }
    },
    usage: () => sqliteUsage(path, file.reader),
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await file.writing.close();
      file.close();
    },
  };
}
