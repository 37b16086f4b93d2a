import { createConnection, type Connection, type RowDataPacket } from 'mysql2';
import { mysqlError } from './mysql-error.ts';
import { sessionStatements, type MysqlAddress } from './mysql-pool.ts';
import { SNAPSHOT_BATCH, type Cell, type Snapshot } from './snapshot.ts';

const CONNECT_MS = 5_000;
/** A whole table is one statement, read as slowly as its reader likes. Milliseconds. */
const STATEMENT_MS = 24 * 3_600_000;

/** A consistent snapshot on a connection of its own: InnoDB keeps the old rows while it lasts, and nobody waits. */
export async function openMysqlSnapshot(address: MysqlAddress): Promise<Snapshot> {
  const connection = createConnection({
    ...address,
    connectTimeout: CONNECT_MS,
    charset: 'utf8mb4_bin',
    supportBigNumbers: true,
    bigNumberStrings: true,
    multipleStatements: false,
    flags: ['-LOCAL_FILES'],
  });
  // Without a listener the loss of the connection would end the process; the statement that it carries rejects.
  connection.on('error', () => undefined);
  const snapshot = new MysqlSnapshot(connection);
  try {
    for (const statement of sessionStatements({ statementMs: STATEMENT_MS })) await snapshot.query(statement);
    await snapshot.query('SET SESSION net_write_timeout = 3600');
    await snapshot.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await snapshot.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    return snapshot;
  } catch (error) {
    await snapshot.close();
    throw error;
  }
}

class MysqlSnapshot implements Snapshot {
  readonly dialect = 'MySQL';
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  query(sql: string, values: readonly string[] = []): Promise<RowDataPacket[]> {
    return new Promise((resolve, reject) => {
      this.#connection.query<RowDataPacket[]>({ sql, values: [...values] }, (error, rows) =>
        error ? reject(mysqlError(error) as Error) : resolve(rows),
      );
    });
  }

  async columns(table: string): Promise<readonly string[] | null> {
    const columns = await this.query(
      'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position',
      [table],
    );
    return columns.length === 0 ? null : columns.map(({ name }) => String(name));
  }

  async *rows(table: string, columns: readonly string[]): AsyncIterable<readonly (readonly Cell[])[]> {
    const names = columns.map((column) => `\`${column}\``).join(', ');
    const stream = this.#connection
      .query({
        sql: `SELECT ${names} FROM \`${table}\``,
        rowsAsArray: true,
        // A BIGINT comes as text, which would become a text elsewhere.
        typeCast: (field, next) => (field.type === 'LONGLONG' ? numberOf(field.string()) : next()),
      })
      .stream({ highWaterMark: 2 * SNAPSHOT_BATCH });
    let batch: (readonly Cell[])[] = [];
    try {
      for await (const row of stream) {
        batch.push(row as readonly Cell[]);
        if (batch.length < SNAPSHOT_BATCH) continue;
        yield batch;
        batch = [];
      }
    } catch (error) {
      throw mysqlError(error);
    }
    if (batch.length > 0) yield batch;
  }

  async counters(): Promise<Readonly<Record<string, number>>> {
    const found: Record<string, number> = {};
    const tables = await this.query(
      "SELECT table_name AS name, column_name AS counter FROM information_schema.columns WHERE table_schema = DATABASE() AND extra LIKE '%auto_increment%'",
    );
    for (const { name } of tables) {
      // The catalogue may be cached for a day; the table itself is not.
      const [status] = await this.query(`SHOW CREATE TABLE \`${String(name)}\``);
      const next = /AUTO_INCREMENT=(\d+)/.exec(String(status?.['Create Table'] ?? ''))?.[1];
      if (next !== undefined) found[String(name)] = Number(next) - 1;
    }
    return found;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#connection.end(() => resolve());
    });
  }
}

const numberOf = (text: string | null): number | null => (text === null ? null : Number(text));
