import { readDatabaseUrl } from './database-url.ts';
import type { Snapshot } from './snapshot.ts';
import { openSqliteSnapshot } from './sqlite-snapshot.ts';

/**
 * Opens the database that a URL names and holds its state as of now. Takes no lock that a server needs. Rejects with
 * InvalidDatabaseUrl or StoreUnavailable.
 */
export async function openSnapshot(url: string): Promise<Snapshot> {
  const database = readDatabaseUrl(url);
  if (database.kind === 'SQLITE') return openSqliteSnapshot(database.path);
  const { openMysqlSnapshot } = await import('./mysql-snapshot.ts');
  return openMysqlSnapshot(database.address);
}
