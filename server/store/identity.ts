import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import { whole, wordOf } from './columns.ts';
import type { Database } from './database.ts';
import type { Dialect } from './dialect/dialect.ts';
import { RunKeys } from './run-keys.ts';
import type { Tables } from './tables.ts';
import { insertOrKeep } from './upsert.ts';

/**
 * OPEN: a server uses it, or died while it did. CLOSED: its last server closed it in good order. RESTORING: a restore
 * has begun to fill it and not finished.
 */
const states = { OPEN: 0, CLOSED: 0, RESTORING: 0 } as const;
export type DatabaseState = keyof typeof states;
const stateOf = wordOf(states, 'database_identity', 'state');

/** Which database this is, and how far it has come. */
export interface DatabaseIdentity {
  /** Made with the database, and new after each restore. */
  readonly id: string;
  readonly state: DatabaseState;
  /** By pool: the count of terms of its engine, which only grows. A database with a lower one is an older copy. */
  readonly epochs: Readonly<Record<string, number>>;
  /** When its newest event was written, in milliseconds since the epoch; null before the first. */
  readonly lastEventAt: number | null;
}

/** What can be asked of a database without being its server. */
export interface DatabaseFacts {
  read(): Promise<DatabaseIdentity>;
  /** Those of these runs that the database knows. */
  knownRuns(ids: readonly RunId[]): Promise<ReadonlySet<RunId>>;
}

/** Which database this is. */
export interface IdentityStore extends DatabaseFacts {
  /** Notes that a server uses the database, in the database's main file too, so that a copy of it alone shows it. */
  opened(): Promise<void>;
  /** Notes that everything is written; the last thing that a server does. */
  closed(): Promise<void>;
}

const ROW = 1;

/** Makes the identity of a database that has none; leaves another as it is. */
export async function ensureIdentity(db: Kysely<Tables>, dialect: Dialect, now: number): Promise<void> {
  const row = { id: ROW, database_id: randomUUID(), made_at: now, state: 'CLOSED' };
  await insertOrKeep(db, dialect, 'database_identity', [row], ['id']);
}

/** Sets a database's state, and with `isNew` a new id. */
export async function setState(db: Kysely<Tables>, state: DatabaseState, isNew = false): Promise<void> {
  await db
    .updateTable('database_identity')
    .set({ state, ...(isNew ? { database_id: randomUUID() } : {}) })
    .where('id', '=', ROW)
    .execute();
}

/** The facts of a connected database. */
export function databaseFacts(db: Kysely<Tables>): DatabaseFacts {
  const runKeys = new RunKeys(db);
  return {
    async read() {
      const row = await db.selectFrom('database_identity').selectAll().executeTakeFirstOrThrow();
      const leases = await db.selectFrom('lease').select(['name', 'epoch']).execute();
      let lastEventAt: number | null = null;
      for (const { name } of leases) {
        const event = await db
          .selectFrom('event')
          .select('at')
          .where('pool', '=', name)
          .orderBy('seq', 'desc')
          .limit(1)
          .executeTakeFirst();
        if (event !== undefined) lastEventAt = Math.max(lastEventAt ?? 0, whole(event.at, 'event', 'at', name));
      }
      return {
        id: row.database_id,
        state: stateOf(row.state, ROW),
        epochs: Object.fromEntries(leases.map(({ name, epoch }) => [name, whole(epoch, 'lease', 'epoch', name)])),
        lastEventAt,
      };
    },
    knownRuns: async (ids) => new Set((await runKeys.of(ids)).keys()) as ReadonlySet<string> as ReadonlySet<RunId>,
  };
}

export function identityStore(database: Database, checkpoint: () => Promise<void>): IdentityStore {
  return {
    ...databaseFacts(database.reader),
    async opened() {
      await database.write((transaction) => setState(transaction, 'OPEN'));
      await checkpoint();
    },
    closed: () => database.write((transaction) => setState(transaction, 'CLOSED')),
  };
}
