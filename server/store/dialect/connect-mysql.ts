import { Kysely } from 'kysely';
import type { Connection, StoreLog } from '../database.ts';
import type { Tables } from '../tables.ts';
import type { ConnectOptions } from './connect.ts';
import { MysqlCommitter } from './mysql-commit.ts';
import { type MysqlAddress, MysqlPool } from './mysql-pool.ts';
import { mysqlDialect, mysqlKysely } from './mysql.ts';
import { mysqlUsage } from './mysql-usage.ts';

/** Connections per purpose: leases and commits never wait behind queries. */
const CONNECTIONS = { leases: 2, commits: 2, others: 8 } as const;

/** Connects to a MySQL or MariaDB server; its schema is as it was found. */
export async function connectMysql(
  address: MysqlAddress,
  { clock, log, timeouts }: ConnectOptions,
): Promise<Connection> {
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
    usage: () => mysqlUsage(others),
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
