import { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Connection, StoreLog } from '../database.ts';
import type { StoreTimeouts } from '../open.ts';
import type { Tables } from '../tables.ts';
import type { MysqlAddress } from './mysql-pool.ts';
import { SqliteCommitter } from './sqlite-commit.ts';
import { openSqliteFile, sqliteDialect, sqliteError, sqliteKysely } from './sqlite.ts';

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
  if (url.startsWith('mysql:')) {
    const address = mysqlAddress(url);
    // Most servers never need it, and it is a twentieth of what an idle one holds.
    const { connectMysql } = await import('./connect-mysql.ts');
    return connectMysql(address, options);
  }
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
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await file.writing.close();
      file.close();
    },
  };
}

const EXAMPLE =
  'Write mysql://user:password@host:3306/database, or mysql://user@localhost/database?socketPath=/path/to.sock.';

function mysqlAddress(url: string): MysqlAddress {
  let parts: URL;
  let path: string;
  let credentials: string[];
  try {
    parts = new URL(url);
    path = decodeURIComponent(parts.pathname.slice(1));
    credentials = [parts.username, parts.password].map(decodeURIComponent);
  } catch {
    // Not with the URL as cause: it may hold a password.
    throw new InvalidDatabaseUrl(`The mysql: database URL cannot be read. ${EXAMPLE}`);
  }
  const [user = '', password = ''] = credentials;
  const parameters = [...parts.searchParams.keys()];
  const unknown = parameters.find((parameter) => parameter !== 'socketPath');
  if (unknown !== undefined) {
    throw new InvalidDatabaseUrl(`The database URL has an unknown parameter ${unknown}; it may have socketPath.`);
  }
  if (path === '' || path.includes('/')) throw new InvalidDatabaseUrl(`The database URL names no database. ${EXAMPLE}`);
  if (user === '') throw new InvalidDatabaseUrl(`The database URL names no user. ${EXAMPLE}`);
  const socketPath = parts.searchParams.get('socketPath');
  const place = socketPath
    ? { socketPath }
    : { host: parts.hostname.replace(/^\[|\]$/g, ''), port: parts.port === '' ? 3306 : Number(parts.port) };
  if (!socketPath && parts.hostname === '') throw new InvalidDatabaseUrl(`The database URL names no host. ${EXAMPLE}`);
  return { ...place, user, password, database: path };
}
