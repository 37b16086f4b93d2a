import { sql, type Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Connection, StoreLog } from '../database.ts';
import { connect } from '../dialect/connect.ts';
import { ensureIdentity, setState } from '../identity.ts';
import { dataTables, migrate, migrations } from '../migrations/migrate.ts';
import { DEFAULT_TIMEOUTS } from '../open.ts';
import type { Tables } from '../tables.ts';
import { cellOf, InvalidBackup } from './format.ts';
import { checkBackup, readBackup, type BackupContents } from './read-backup.ts';

/** The database that a backup is to be restored into holds something already, or somebody uses it. */
export class DatabaseInUse extends Error {
  override readonly name = 'DatabaseInUse';
}

/** Values in one statement: databases limit their number. */
const MAX_PARAMETERS = 8_000;
/** Characters in one statement: databases limit their size. */
const MAX_CHARACTERS = 2 << 20;

/**
 * Fills an empty database from a backup, which is checked to its end before anything is written. The restored database
 * has an id of its own, and no server holds a lease in it. A restore that is broken off leaves a database that no
 * server starts on. Rejects with InvalidBackup, DatabaseInUse or StoreUnavailable.
 *
 * @param options.replace Whether what the database holds is removed first.
 */
export async function restoreBackup(
  path: string,
  url: string,
  options: { readonly clock: Clock; readonly log: StoreLog; readonly replace: boolean },
): Promise<BackupContents> {
  const contents = await checkBackup(path);
  const { clock, log } = options;
  const connection = await connect(url, { clock, log, timeouts: DEFAULT_TIMEOUTS });
  try {
    await makeRoom(connection, options.replace);
    const { writer, dialect } = connection;
    const now = () => clock.now();
    await migrate(writer, dialect, now, contents.header.migration);
    await ensureIdentity(writer, dialect, now());
    await setState(writer, 'RESTORING', true);
    for (const table of dataTables(contents.header.migration)) await clear(writer, table);
    await fill(writer, path);
    await writer.updateTable('lease').set({ holder: null, expires_at: 0 }).execute();
    for (const [table, reached] of Object.entries(contents.header.counters)) {
      if (contents.rows[table] !== undefined) await dialect.setCounter(writer, table, reached);
    }
    await migrate(writer, dialect, now);
    await setState(writer, 'CLOSED');
    await connection.makeRoom?.();
    return contents;
  } finally {
    await connection.close();
  }
}

/** Makes sure that the database is empty, and with `replace` makes it so. */
async function makeRoom({ writer, dialect }: Connection, replace: boolean): Promise<void> {
  const existing = new Set((await writer.introspection.getTables()).map(({ name }) => name));
  if (!existing.has('migration')) return;
  // A file has a lock that only one server can hold, and who got here holds it.
  if (dialect.hasConcurrentWriters && existing.has('lease')) {
    const lease = await writer
      .selectFrom('lease')
      .select('name')
      .where('holder', 'is not', null)
      .where('expires_at', '>', dialect.nowMs)
      .executeTakeFirst();
    if (lease !== undefined) {
      throw new DatabaseInUse(
        `A server runs on the database: it holds the lease of pool ${lease.name}. Stop every server of this database first; after a crash wait ten seconds.`,
      );
    }
  }
  const ours = [...dataTables(), 'database_identity', 'migration', 'migration_lock'].filter((table) =>
    existing.has(table),
  );
  if (!replace) {
    const row = existing.has('pool')
      ? await writer.selectFrom('pool').select('name').limit(1).executeTakeFirst()
      : undefined;
    const state = existing.has('database_identity')
      ? await writer.selectFrom('database_identity').select('state').executeTakeFirst()
      : undefined;
    if (row !== undefined || state?.state === 'RESTORING') {
      throw new DatabaseInUse(
        'The database is not empty. Name an empty one, or add --replace, which removes what it holds: take a backup of it first.',
      );
    }
  }
  for (const table of ours) await sql`DROP TABLE ${sql.table(table)}`.execute(writer);
}

/** Migrations may put rows of their own into a new table. */
async function clear(db: Kysely<Tables>, table: string): Promise<void> {
  if (table !== 'migration' && table !== 'migration_lock') await sql`DELETE FROM ${sql.table(table)}`.execute(db);
}

async function fill(db: Kysely<Tables>, path: string): Promise<void> {
  const known = new Set(dataTables(migrations.length));
  let table = '';
  let columns: readonly string[] = [];
  for await (const read of readBackup(path)) {
    if ('header' in read) continue;
    const { line } = read;
    if ('table' in line) {
      ({ table, columns } = line);
      if (!known.has(table)) throw new InvalidBackup(`${path} cannot be restored: it has an unknown table ${table}.`);
    } else if ('rows' in line) {
      const rows = line.rows.map((row) =>
        Object.fromEntries(row.map((value, at) => [columns[at] as string, cellOf(value)])),
      );
      await db.transaction().execute(async (transaction) => {
        for (const part of parts(rows, columns.length)) {
          await transaction
            .insertInto(table as never)
            .values(part as never)
            .execute();
        }
      });
    }
  }
}

/** The rows in parts that one statement may hold. */
function* parts<Row extends object>(rows: readonly Row[], columns: number): Iterable<readonly Row[]> {
  const most = Math.max(1, Math.floor(MAX_PARAMETERS / columns));
  let part: Row[] = [];
  let characters = 0;
  for (const row of rows) {
    const size = sizeOf(row);
    if (part.length === most || (part.length > 0 && characters + size > MAX_CHARACTERS)) {
      yield part;
      part = [];
      characters = 0;
    }
    part.push(row);
    characters += size;
  }
  if (part.length > 0) yield part;
}

const sizeOf = (row: object): number =>
  Object.values(row).reduce<number>(
    (sum, value) => sum + (typeof value === 'string' || value instanceof Uint8Array ? value.length : 8),
    0,
  );
