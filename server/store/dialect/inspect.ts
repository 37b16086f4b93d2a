import { readDatabaseUrl } from './database-url.ts';
import { inspectSqlite } from './inspect-sqlite.ts';
import type { Inspection } from './inspection.ts';

/** Opens a database to look at it. Rejects with InvalidDatabaseUrl or StoreUnavailable. */
export async function inspect(url: string): Promise<Inspection> {
  const database = readDatabaseUrl(url);
  if (database.kind === 'SQLITE') return inspectSqlite(database.path);
  const { inspectMysql } = await import('./inspect-mysql.ts');
  return inspectMysql(database.address);
}
