import { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Connection, StoreLog } from '../database.ts';
import type { StoreTimeouts } from '../open.ts';
import type { Tables } from '../tables.ts';
import { MysqlCommitter } from './mysql-commit.ts';
import { type MysqlAddress, MysqlPool } from './mysql-pool.ts';
import { mysqlDialect, mysqlKysely } from './mysql.ts';
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
  if (url.startsWith('mysql:')) return connectMysql(mysqlAddress(url), options);
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

/** Connections per purpose: leases and commits never wait behind queries. */
const CONNECTIONS = { leases: 2, commits: 2, others: 8 } as const;

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

async function connectMysql(address: MysqlAddress, { clock, log, timeouts }: ConnectOptions): Promise<Connection> {
  const pools = {
    leases: new MysqlPool(address, CONNECTIONS.leases, timeouts),
    commits: new MysqlPool(address, CONNECTIONS.commits, timeouts),
    others: new MysqlPool(address, CONNECTIONS.others, timeouts),
  };
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= Promise.all(Object.values(pools).map((pool) => pool.close())).then(() => undefined));
  try {
    await checkDurability(pools.others, log);
  } catch (error) {
    await close();
    throw error;
  }
  const others = new Kysely<Tables>({ dialect: mysqlKysely(pools.others) });
  return {
    dialect: mysqlDialect,
    reader: others,
    writer: others,
    leases: new Kysely<Tables>({ dialect: mysqlKysely(pools.leases) }),
    committer: new MysqlCommitter(pools.commits, clock),
    ping: (timeoutMs) => pools.others.ping(timeoutMs),
    close,
  };
}

async function checkDurability(pool: MysqlPool, log: StoreLog): Promise<void> {
  const connection = await pool.acquire();
  try {
    const answer = await connection.query('SELECT @@innodb_flush_log_at_trx_commit AS flush');
    const flush = Array.isArray(answer) ? Number(answer[0]?.['flush']) : Number.NaN;
    if (flush === 1) return;
    log(
      'warn',
      `innodb_flush_log_at_trx_commit is ${flush}: a power failure can lose what was acknowledged. Set it to 1 in the server's configuration.`,
    );
  } finally {
    connection.release();
  }
}
