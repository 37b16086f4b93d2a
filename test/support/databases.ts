import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mysql from 'mysql2/promise';

/** A place for stores: each `url` is of an empty database of its own. */
export interface TestDatabases {
  /** The URL of a new, empty database. */
  fresh(): Promise<string>;
  /** Ends what `start` started, and removes what it wrote. */
  stop(): Promise<void>;
}

/** A dialect to run a contract suite over: `describe.each(databases)('$name', ({ start }) => …)`. */
export interface DatabaseKind {
  readonly name: 'SQLite' | 'MariaDB';
  readonly start: () => Promise<TestDatabases>;
}

/** Both dialects, for real: files, and a MariaDB server of the suite's own. */
export const databases: readonly DatabaseKind[] = [
  { name: 'SQLite', start: startSqlite },
  { name: 'MariaDB', start: startMariadb },
];

async function startSqlite(): Promise<TestDatabases> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-sqlite-'));
  let count = 0;
  return {
    fresh: async () => `sqlite:${join(folder, `${(count += 1)}.db`)}`,
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A MariaDB server on a temporary folder and socket, that tests may also ill-treat. */
export interface MariadbServer extends TestDatabases {
  /** Ends the process at once, as a power failure would. */
  kill(): Promise<void>;
  /** Starts it again on the same data. */
  restart(): Promise<void>;
  /** Stops it from answering without closing anything. */
  freeze(): void;
  thaw(): void;
  /** A connection of an administrator, to look and to meddle. */
  administer<Result>(
    database: string | undefined,
    work: (connection: mysql.Connection) => Promise<Result>,
  ): Promise<Result>;
}

const START_MS = 30_000;

/** Starts a private server. Rejects with the server's own words when it cannot, also when it is not installed. */
export async function startMariadb(extraArguments: readonly string[] = []): Promise<MariadbServer> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-mariadb-'));
  const data = join(folder, 'data');
  const socketPath = join(folder, 'mariadb.sock');
  const errors = join(folder, 'errors.log');
  const { username } = userInfo();
  // Of its own: a starting server removes the temporary tables that it finds.
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  try {
    install(data, temporary, username);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }

  let server: ChildProcess | undefined;
  const endWithUs = () => server?.kill('SIGKILL');
  process.once('exit', endWithUs);

  async function start(): Promise<void> {
    const child = spawn(
      executable('mariadbd'),
      [
        '--no-defaults',
        `--user=${username}`,
        `--datadir=${data}`,
        `--tmpdir=${temporary}`,
        `--socket=${socketPath}`,
        `--log-error=${errors}`,
        `--pid-file=${join(folder, 'mariadb.pid')}`,
        '--skip-networking',
        '--skip-name-resolve',
        '--innodb-buffer-pool-size=64M',
        '--innodb-log-file-size=96M',
        '--innodb-flush-log-at-trx-commit=1',
        '--performance-schema=OFF',
        ...extraArguments,
      ],
      { stdio: 'ignore' },
    );
    server = child;
    const ended = once(child, 'exit').then(() => {
      throw new Error(`mariadbd ended at its start: ${readFileSync(errors, 'utf8').slice(-2_000)}`);
    });
    ended.catch(() => {});
    await Promise.race([untilItListens(socketPath), ended]);
  }

  async function kill(): Promise<void> {
    const child = server;
    if (!child) return;
    server = undefined;
    const ended = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
  }

  async function administer<Result>(
    database: string | undefined,
    work: (connection: mysql.Connection) => Promise<Result>,
  ): Promise<Result> {
    const connection = await mysql.createConnection({ socketPath, user: username, ...(database ? { database } : {}) });
    try {
      return await work(connection);
    } finally {
      await connection.end();
    }
  }

  appendFileSync(errors, '');
  await start();
  let count = 0;
  return {
    kill,
    restart: start,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    administer,
    async fresh() {
      const name = `gantry_${(count += 1)}`;
      // As a Debian server would have it: the store must bring its own character set.
      await administer(undefined, (connection) => connection.query(`CREATE DATABASE ${name} CHARACTER SET latin1`));
      return `mysql://${username}@localhost/${name}?socketPath=${encodeURIComponent(socketPath)}`;
    },
    async stop() {
      await kill();
      process.off('exit', endWithUs);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Finds a program that may lie outside an ordinary user's PATH. */
function executable(name: string): string {
  for (const folder of ['', '/usr/sbin/', '/usr/local/sbin/', '/usr/bin/', '/usr/libexec/']) {
    if (spawnSync(`${folder}${name}`, ['--version'], { stdio: 'ignore' }).status === 0) return `${folder}${name}`;
  }
  throw new Error(
    `${name} is not installed: the store's tests need a MariaDB server (Debian: apt-get install mariadb-server).`,
  );
}

function install(data: string, temporary: string, user: string): void {
  const { status, stderr, stdout } = spawnSync(
    executable('mariadb-install-db'),
    [
      '--no-defaults',
      `--user=${user}`,
      `--datadir=${data}`,
      `--tmpdir=${temporary}`,
      '--auth-root-authentication-method=socket',
      `--auth-root-socket-user=${user}`,
      '--skip-test-db',
      '--skip-name-resolve',
    ],
    { encoding: 'utf8', env: { ...process.env, TMPDIR: temporary } },
  );
  if (status !== 0) throw new Error(`mariadb-install-db failed: ${stderr}${stdout}`);
}

async function untilItListens(socketPath: string): Promise<void> {
  for (let waited = 0; waited < START_MS; waited += 20) {
    const socket = connectSocket(socketPath);
    try {
      await once(socket, 'data');
      return;
    } catch {
      await delay(20);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`mariadbd does not listen after ${START_MS} ms.`);
}
