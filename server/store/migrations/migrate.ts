import { type Kysely, sql } from 'kysely';
import { whole } from '../columns.ts';
import { taskRunState } from './0004-task-run-state.ts';
import type { ColumnTypes, Dialect } from '../dialect/dialect.ts';
import type { Tables } from '../tables.ts';
import { insertOrKeep } from '../upsert.ts';
import { initial } from './0001-initial.ts';
import { decisions } from './0002-decisions.ts';
import { attemptUsage } from './0003-attempt-usage.ts';
import { nodeRecords } from './0005-node-records.ts';
import { databaseIdentity } from './0006-database-identity.ts';
import { retention } from './0007-retention.ts';
import { outcomes } from './0008-outcomes.ts';

/** One step forward. There are none back: a released migration is never changed. */
export interface Migration {
  /** From 1. Grows along the list. */
  readonly number: number;
  readonly name: string;
  /** Its statements in order; each must bear to be run again where the schema is not transactional. */
  readonly statements: (types: ColumnTypes) => readonly string[];
}

/** All, in order. */
export const migrations: readonly Migration[] = [
  initial,
  decisions,
  attemptUsage,
  taskRunState,
  nodeRecords,
  databaseIdentity,
  retention,
  outcomes,
];

/** The database was written by a newer Gantry. */
export class NewerDatabase extends Error {
  override readonly name = 'NewerDatabase';
}

/**
 * Brings the database up to this program, one server at a time. Throws NewerDatabase when it is ahead.
 * SQLite: one transaction. MySQL commits each schema statement by itself, so a second connection holds a row lock
 * meanwhile, and a migration that was interrupted is run again.
 *
 * @param upTo The last migration to apply: a restore makes the schema that its backup was taken from.
 */
export async function migrate(
  db: Kysely<Tables>,
  dialect: Dialect,
  now: () => number,
  upTo: number = migrations.length,
): Promise<void> {
  if (dialect.hasTransactionalSchema) {
    await db.transaction().execute(async (transaction) => {
      await makeBookkeeping(transaction, dialect);
      await applyMissing(transaction, dialect, now, upTo);
    });
    return;
  }
  await makeBookkeeping(db, dialect);
  await db.transaction().execute(async (lock) => {
    await lock.selectFrom('migration_lock').selectAll().where('id', '=', 1).forUpdate().executeTakeFirst();
    await applyMissing(db, dialect, now, upTo);
  });
}

async function makeBookkeeping(db: Kysely<Tables>, dialect: Dialect): Promise<void> {
  const { integer, name, table } = dialect.types;
  await run(db, [
    `CREATE TABLE IF NOT EXISTS migration (
      number ${integer} NOT NULL PRIMARY KEY, name ${name} NOT NULL, applied_at ${integer} NOT NULL) ${table}`,
    `CREATE TABLE IF NOT EXISTS migration_lock (id ${integer} NOT NULL PRIMARY KEY, used ${integer} NOT NULL) ${table}`,
  ]);
  await insertOrKeep(db, dialect, 'migration_lock', [{ id: 1, used: 0 }], ['id']);
}

async function applyMissing(db: Kysely<Tables>, dialect: Dialect, now: () => number, upTo: number): Promise<void> {
  const { latest } = await db
    .selectFrom('migration')
    .select((columns) => columns.fn.max('number').as('latest'))
    .executeTakeFirstOrThrow();
  const reached = latest === null ? 0 : whole(latest, 'migration', 'latest');
  const known = migrations.length;
  if (reached > known) {
    throw new NewerDatabase(
      `The database is at migration ${reached}, this Gantry knows ${known}. Run the Gantry that last used it or a newer one.`,
    );
  }
  for (const { number, name, statements } of migrations.slice(reached, Math.max(reached, upTo))) {
    await run(db, statements(dialect.types));
    await db.insertInto('migration').values({ number, name, applied_at: now() }).execute();
  }
}

async function run(db: Kysely<Tables>, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** The tables that hold data once the migrations up to this one have run, in the order in which they were made. */
export function dataTables(upTo: number = migrations.length, types?: ColumnTypes): readonly string[] {
  const names = migrations
    .slice(0, upTo)
    .flatMap(({ statements }) =>
      statements(types ?? NO_TYPES).flatMap(
        (statement) => /^CREATE TABLE (?:IF NOT EXISTS )?(\w+)/.exec(statement)?.[1] ?? [],
      ),
    );
  return [...new Set(names)].filter((name) => name !== 'database_identity');
}

/** For who only wants to read names. */
const NO_TYPES: ColumnTypes = {
  name: '',
  word: '',
  text: '',
  integer: '',
  blob: '',
  counter: '',
  table: '',
  clustered: '',
  indexesInside: false,
};
