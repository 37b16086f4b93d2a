import { sql } from 'kysely';
import { whole } from './columns.ts';
import type { Database } from './database.ts';
import type { LeaseStore } from './store.ts';
import { insertOrKeep } from './upsert.ts';

/** Who owns which pool. All times are the database's: servers' clocks differ. */
export function leaseStore(database: Database): LeaseStore {
  const { leases, dialect } = database;
  const inTransaction = <Result>(work: Parameters<ReturnType<typeof leases.transaction>['execute']>[0]) =>
    database.retrying(() => leases.transaction().execute(work)) as Promise<Result>;

  return {
    async acquire(name, holder, ttlMs, dead = []) {
      const { nowMs } = dialect;
      await database.retrying(() =>
        insertOrKeep(
          leases,
          dialect,
          'lease',
          [{ name, holder: null, epoch: 0, seq: 0, written_seq: 0, expires_at: 0 }],
          ['name'],
        ),
      );
      return inTransaction(async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('lease')
          .set({ holder, epoch: sql<number>`epoch + 1`, expires_at: sql<number>`${nowMs} + ${ttlMs}` })
          .where('name', '=', name)
          // Its own one too: who asks again has lost its memory, and what it may still be writing must fail.
          .where((all) =>
            all.or([all('holder', 'is', null), all('holder', 'in', [holder, ...dead]), all('expires_at', '<=', nowMs)]),
          )
          .executeTakeFirst();
        if (numUpdatedRows !== 1n) return null;
        const row = await transaction
          .selectFrom('lease')
          .select(['epoch', 'seq', 'written_seq'])
          .where('name', '=', name)
          .executeTakeFirstOrThrow();
        return {
          name,
          holder,
          epoch: whole(row.epoch, 'lease', 'epoch', name),
          seq: whole(row.seq, 'lease', 'seq', name),
          writtenSeq: whole(row.written_seq, 'lease', 'written_seq', name),
        };
      });
    },

    async standing(name) {
      const row = await leases
        .selectFrom('lease')
        .select(['holder', 'epoch', 'expires_at'])
        .where('name', '=', name)
        .executeTakeFirst();
      if (row === undefined || row.holder === null) return null;
      return { holder: row.holder, mark: `${row.epoch} ${row.expires_at}` };
    },

    // Also after it has expired, while nobody has taken it: the epoch is what fences, and a reload would cost more.
    async renew({ name, holder, epoch }, ttlMs) {
      const { numUpdatedRows } = await database.retrying(() =>
        leases
          .updateTable('lease')
          .set({ expires_at: sql<number>`${dialect.nowMs} + ${ttlMs}` })
          .where('name', '=', name)
          .where('holder', '=', holder)
          .where('epoch', '=', epoch)
          .executeTakeFirst(),
      );
      return numUpdatedRows === 1n;
    },

    async resign({ name, holder, epoch }) {
      await database.retrying(() =>
        leases
          .updateTable('lease')
          .set({ holder: null, expires_at: 0 })
          .where('name', '=', name)
          .where('holder', '=', holder)
          .where('epoch', '=', epoch)
          .executeTakeFirst(),
      );
    },
  };
}
