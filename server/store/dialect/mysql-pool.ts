import {
  createPool,
  type Pool,
  type PoolConnection,
  type PoolOptions,
  type ResultSetHeader,
  type RowDataPacket,
} from 'mysql2';
import { StoreUnavailable } from '../store.ts';
import type { StoreTimeouts } from '../open.ts';
import { isBroken, mysqlError } from './mysql-error.ts';

/** Where the database is and who asks. */
export type MysqlAddress = Pick<PoolOptions, 'host' | 'port' | 'socketPath' | 'user' | 'password' | 'database'>;

/** What the server answers: rows, or what a change did. */
export type MysqlAnswer = RowDataPacket[] | ResultSetHeader;

/** Callers that may wait for a connection; more are turned away at once. */
const MAX_WAITING = 2_000;
/** An idle connection is closed before any server's `wait_timeout` of a minute or more would. */
const IDLE_MS = 30_000;
/** Lock waits end by themselves before the client gives up. Seconds. */
const LOCK_WAIT = 5;

/** One connection, set up by our rules. Give it back with `release`, always. */
export class MysqlConnection {
  readonly #raw: PoolConnection;
  readonly #timeoutMs: number;
  #broken = false;

  constructor(raw: PoolConnection, timeoutMs: number) {
    this.#raw = raw;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether it can carry no further statement: what was open on it, the server rolls back. */
  get isBroken(): boolean {
    return this.#broken;
  }

  /** Rejects with the driver's error; see mysql-error.ts. */
  query(sql: string, values?: readonly unknown[]): Promise<MysqlAnswer> {
    return new Promise((resolve, reject) => {
      const settle = (error: unknown, answer: unknown) => {
        if (!error) return resolve(answer as MysqlAnswer);
        if (isBroken(error)) this.#broken = true;
        return reject(error);
      };
      this.#raw.query(
        values ? { sql, values: [...values], timeout: this.#timeoutMs } : { sql, timeout: this.#timeoutMs },
        settle,
      );
    });
  }

  /** Undoes what is open. A connection that cannot even do that is given up. */
  async rollback(): Promise<void> {
    if (this.#broken) return;
    await this.query('ROLLBACK').catch(() => {
      this.#broken = true;
    });
  }

  release(): void {
    if (this.#broken) this.#raw.destroy();
    else this.#raw.release();
  }
}

/** Connections for one purpose: whoever waits here waits for no other purpose. */
export class MysqlPool {
  readonly #pool: Pool;
  readonly #timeouts: StoreTimeouts;
  readonly #ready = new WeakSet<PoolConnection>();
  #isClosed = false;

  constructor(address: MysqlAddress, connections: number, timeouts: StoreTimeouts) {
    this.#timeouts = timeouts;
    this.#pool = createPool({
      ...address,
      connectionLimit: connections,
      maxIdle: connections,
      idleTimeout: IDLE_MS,
      queueLimit: MAX_WAITING,
      connectTimeout: timeouts.connectMs,
      charset: 'utf8mb4_bin',
      supportBigNumbers: true,
      bigNumberStrings: true,
      stringifyObjects: true,
      multipleStatements: false,
      flags: ['-LOCAL_FILES'],
      enableKeepAlive: true,
    });
  }

  /** Rejects with StoreUnavailable when none is free in time or none can be made. */
  async acquire(): Promise<MysqlConnection> {
    const raw = await this.#take();
    const connection = new MysqlConnection(raw, this.#timeouts.statementMs);
    if (this.#ready.has(raw)) return connection;
    try {
      for (const statement of sessionStatements(this.#timeouts)) await connection.query(statement);
      this.#ready.add(raw);
      return connection;
    } catch (error) {
      raw.destroy();
      throw mysqlError(error);
    }
  }

  #take(): Promise<PoolConnection> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailable('The store has been closed.'));
    return new Promise((resolve, reject) => {
      let late = false;
      const deadline = setTimeout(() => {
        late = true;
        const { acquireMs } = this.#timeouts;
        reject(new StoreUnavailable(`The database cannot be used: no connection was free within ${acquireMs} ms.`));
      }, this.#timeouts.acquireMs);
      this.#pool.getConnection((error, connection) => {
        clearTimeout(deadline);
        if (late) connection?.release();
        else if (error) reject(mysqlError(error));
        else resolve(connection);
      });
    });
  }

  /** Whether the server answers within the time. */
  async ping(timeoutMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    try {
      return await Promise.race([this.#answers(), deadline]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #answers(): Promise<boolean> {
    let connection: MysqlConnection | undefined;
    try {
      connection = await this.acquire();
      await connection.query('SELECT 1');
      return true;
    } catch {
      return false;
    } finally {
      connection?.release();
    }
  }

  /** Closes every connection. */
  close(): Promise<void> {
    this.#isClosed = true;
    return new Promise((resolve) => this.#pool.end(() => resolve()));
  }
}

/**
 * READ COMMITTED, because range locks of the default block inserts and deadlock. Strict, because a value that does not
 * fit must be refused; without NO_BACKSLASH_ESCAPES, because the driver escapes by backslash.
 * `/*M! … *\/` is read by MariaDB only.
 */
export function sessionStatements({ statementMs }: Pick<StoreTimeouts, 'statementMs'>): readonly string[] {
  return [
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
    `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO',
      innodb_lock_wait_timeout = ${LOCK_WAIT} /*M! , max_statement_time = ${statementMs / 1_000}, idle_transaction_timeout = 60 */`,
  ];
}
