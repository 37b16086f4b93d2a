import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect as KyselyDialect,
  type Driver,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  type QueryResult,
  sql,
} from 'kysely';
import type { Dialect } from './dialect.ts';
import { isDuplicate, isRetriable, isTimeout, mysqlError } from './mysql-error.ts';
import type { MysqlAnswer, MysqlConnection, MysqlPool } from './mysql-pool.ts';

const TABLE = 'ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin';

export const mysqlDialect: Dialect = {
  name: 'MySQL',
  types: {
    name: 'VARCHAR(255)',
    word: 'VARCHAR(24)',
    text: 'MEDIUMTEXT',
    blob: 'MEDIUMBLOB',
    integer: 'BIGINT',
    counter: 'BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY',
    table: TABLE,
    clustered: TABLE,
    indexesInside: true,
  },
  nowMs: sql<number>`CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)`,
  hasOnConflict: false,
  hasConcurrentWriters: true,
  hasTransactionalSchema: false,
  hasLimitedDelete: true,
  listLimit: 500,
  async setCounter(db, table, reached) {
    await sql`ALTER TABLE ${sql.table(table)} AUTO_INCREMENT = ${sql.lit(reached + 1)}`.execute(db);
  },
  isRetriable,
  isDuplicate,
};

/** Kysely on a pool, by our rules of time-outs and broken connections. */
export function mysqlKysely(pool: MysqlPool): KyselyDialect {
  return {
    createAdapter: () => new MysqlAdapter(),
    createDriver: () => new MysqlDriver(pool),
    createIntrospector: (db) => new MysqlIntrospector(db),
    createQueryCompiler: () => new MysqlQueryCompiler(),
  };
}

/** A connection while one query or one transaction has it. */
class Borrowed implements DatabaseConnection {
  readonly #pool: MysqlPool;
  connection: MysqlConnection;
  inTransaction = false;

  constructor(pool: MysqlPool, connection: MysqlConnection) {
    this.#pool = pool;
    this.connection = connection;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    for (const value of query.parameters) {
      // The driver would write an object as SQL; bytes it writes in hexadecimal.
      if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value))
        throw new TypeError('A query parameter must be text, a number, a Buffer or null.');
    }
    return resultOf(await this.#query(query));
  }

  async #query(query: CompiledQuery): Promise<MysqlAnswer> {
    try {
      return await this.connection.query(query.sql, query.parameters);
    } catch (error) {
      const isLostRead = this.connection.isBroken && !isTimeout(error) && query.query.kind === 'SelectQueryNode';
      if (!isLostRead || this.inTransaction) throw mysqlError(error);
    }
    // The server had closed an idle connection, which only shows on its next use.
    this.connection.release();
    this.connection = await this.#pool.acquire();
    try {
      return await this.connection.query(query.sql, query.parameters);
    } catch (error) {
      throw mysqlError(error);
    }
  }

  /** A statement of the transaction itself. */
  async exec(text: string): Promise<void> {
    try {
      await this.connection.query(text);
    } catch (error) {
      throw mysqlError(error);
    }
  }

  // eslint-disable-next-line require-yield -- no query of ours streams.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('Streaming is not supported: read in pages.');
  }
}

function resultOf<Row>(answer: MysqlAnswer): QueryResult<Row> {
  if (Array.isArray(answer)) return { rows: answer as Row[] };
  return { rows: [], numAffectedRows: BigInt(answer.affectedRows), insertId: BigInt(answer.insertId) };
}

class MysqlDriver implements Driver {
  readonly #pool: MysqlPool;

  constructor(pool: MysqlPool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new Borrowed(this.#pool, await this.#pool.acquire());
  }

  async releaseConnection(borrowed: DatabaseConnection): Promise<void> {
    (borrowed as Borrowed).connection.release();
  }

  async beginTransaction(borrowed: DatabaseConnection): Promise<void> {
    await (borrowed as Borrowed).exec('START TRANSACTION');
    (borrowed as Borrowed).inTransaction = true;
  }

  async commitTransaction(borrowed: DatabaseConnection): Promise<void> {
    await (borrowed as Borrowed).exec('COMMIT');
  }

  /** Always said, also after errors that have rolled back already: a lock-wait timeout has not. */
  async rollbackTransaction(borrowed: DatabaseConnection): Promise<void> {
    await (borrowed as Borrowed).connection.rollback();
  }

  /** The pool is closed by who made it. */
  async destroy(): Promise<void> {}
}
