import { Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';
import type { Inspection } from './inspection.ts';
import { mysqlDialect, mysqlKysely } from './mysql.ts';
import { MysqlPool, type MysqlAddress } from './mysql-pool.ts';

/** A check of a large table takes its time. */
const TIMEOUTS = { statementMs: 3_600_000, acquireMs: 10_000, connectMs: 5_000 };

export async function inspectMysql(address: MysqlAddress): Promise<Inspection> {
  const pool = new MysqlPool(address, 2, TIMEOUTS);
  const db = new Kysely<Tables>({ dialect: mysqlKysely(pool) });
  const rowsOf = async (statement: ReturnType<typeof sql<Record<string, unknown>>>) =>
    (await statement.execute(db)).rows;
  try {
    await rowsOf(sql`SELECT 1`);
  } catch (error) {
    await pool.close();
    throw error;
  }
  return {
    db,
    dialect: mysqlDialect,
    async version() {
      const [row] = await rowsOf(sql`SELECT VERSION() AS version`);
      const version = String(row?.['version']);
      return `${version.includes('MariaDB') ? 'MariaDB' : 'MySQL'} ${version}`;
    },
    async damage(tables, deep) {
      const findings: string[] = [];
      for (const table of tables) {
        const rows = await rowsOf(
          deep ? sql`CHECK TABLE ${sql.table(table)}` : sql`CHECK TABLE ${sql.table(table)} QUICK`,
        );
        for (const { Msg_type: type, Msg_text: text } of rows) {
          if (type === 'error' || type === 'warning' || (type === 'status' && text !== 'OK'))
            findings.push(`Table ${table}: ${String(text)}`);
        }
      }
      return findings;
    },
    async indexes() {
      const rows = await rowsOf(
        sql`SELECT DISTINCT index_name AS name FROM information_schema.statistics WHERE table_schema = DATABASE()`,
      );
      return new Set(rows.map(({ name }) => String(name)));
    },
    async clockOffsetMs(now) {
      const before = now();
      const [row] = await rowsOf(sql`SELECT ${mysqlDialect.nowMs} AS at`);
      return Number(row?.['at']) - (before + now()) / 2;
    },
    async weakSettings() {
      const [row] = await rowsOf(
        sql`SELECT @@innodb_flush_log_at_trx_commit AS flush, @@innodb_doublewrite AS doublewrite`,
      );
      const findings: string[] = [];
      if (Number(row?.['flush']) !== 1)
        findings.push('innodb_flush_log_at_trx_commit is not 1: a power failure can lose acknowledged work.');
      if (['0', 'OFF'].includes(String(row?.['doublewrite'])))
        findings.push('innodb_doublewrite is off: a power failure can damage pages.');
      return findings;
    },
    close: () => pool.close(),
  };
}
