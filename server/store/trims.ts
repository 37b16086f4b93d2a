import { type Kysely, sql } from 'kysely';
import { whole } from './columns.ts';
import { piecesOf, type Database } from './database.ts';
import type { RetentionStore } from './retention-store.ts';
import type { Tables } from './tables.ts';

/** So many of the newest decisions of a pool stay: a change of its scheduler is judged by them. */
const KEPT_DECISIONS = 200;
/** So many of the newest events stay whatever their age: the last one says where the log stands. */
const KEPT_BATCHES = 100;

type Trims = Pick<
  RetentionStore,
  | 'trimEvents'
  | 'settledCommands'
  | 'deleteCommands'
  | 'trimAudit'
  | 'trimDecisions'
  | 'oldestRunAt'
  | 'replacedVersions'
  | 'deleteVersions'
>;

/** Deletes the oldest of what is no part of a run. */
export function trims(database: Database): Trims {
  const { reader } = database;
  return {
    async trimEvents(pool, { before, batches }, limit) {
      const oldest = await reader
        .selectFrom('event')
        .select(['seq', 'at'])
        .where('pool', '=', pool)
        .orderBy('seq')
        .limit(limit)
        .execute();
      const lease = await reader
        .selectFrom('lease')
        .select(['seq', 'written_seq'])
        .where('name', '=', pool)
        .executeTakeFirst();
      if (lease === undefined || oldest.length === 0) return 0;
      const last = whole(lease.seq, 'lease', 'seq', pool);
      // What follows `written_seq` has assignments that are in no row yet: a reload reads them here.
      const mayGo = Math.min(last - KEPT_BATCHES, whole(lease.written_seq, 'lease', 'written_seq', pool));
      const going = oldest
        .map(({ seq, at }) => ({ seq: whole(seq, 'event', 'seq'), at: whole(at, 'event', 'at') }))
        .filter(({ seq, at }) => seq <= mayGo && (at < before || seq <= last - batches));
      const end = going.at(-1)?.seq;
      if (end === undefined) return 0;
      // All up to the last one: a log has no holes.
      const { numDeletedRows } = await database.writeAside((transaction) =>
        transaction.deleteFrom('event').where('pool', '=', pool).where('seq', '<=', end).executeTakeFirstOrThrow(),
      );
      return Number(numDeletedRows);
    },

    async settledCommands(after, limit) {
      const rows = await reader
        .selectFrom('command')
        .select(['id', 'at', 'idempotency_key'])
        .where('id', '>', after)
        .where('receipt', 'is not', null)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(({ id, at, idempotency_key }) => ({
        id: whole(id, 'command', 'id'),
        at: whole(at, 'command', 'at', id),
        isKeyed: idempotency_key !== null,
      }));
    },

    deleteCommands: (ids) => deleteByIds(database, 'command', ids),

    async trimAudit(before, limit) {
      const rows = await reader.selectFrom('audit').select(['id', 'at']).orderBy('id').limit(limit).execute();
      const old = rows.filter(({ id, at }) => whole(at, 'audit', 'at', id) < before);
      return deleteByIds(
        database,
        'audit',
        old.map(({ id }) => whole(id, 'audit', 'id')),
      );
    },

    async trimDecisions(before, limit) {
      const pools = await reader.selectFrom('pool').select('name').execute();
      let deleted = 0;
      for (const { name } of pools) {
        const newest = await reader
          .selectFrom('decision')
          .select('seq')
          .where('pool', '=', name)
          .orderBy('seq', 'desc')
          .offset(KEPT_DECISIONS - 1)
          .limit(1)
          .executeTakeFirst();
        if (newest === undefined) continue;
        const rows = await reader
          .selectFrom('decision')
          .select('seq')
          .where('pool', '=', name)
          .where('at', '<', before)
          .where('seq', '<', whole(newest.seq, 'decision', 'seq'))
          .orderBy('at')
          .limit(limit)
          .execute();
        for (const piece of piecesOf(rows, database.dialect.listLimit)) {
          const seqs = piece.map(({ seq }) => whole(seq, 'decision', 'seq'));
          await database.writeAside((transaction) =>
            transaction.deleteFrom('decision').where('pool', '=', name).where('seq', 'in', seqs).execute(),
          );
        }
        deleted += rows.length;
      }
      return deleted;
    },

    async oldestRunAt() {
      const row = await reader.selectFrom('run').select('created_at').orderBy('created_at').limit(1).executeTakeFirst();
      return row === undefined ? null : whole(row.created_at, 'run', 'created_at');
    },

    async replacedVersions(pipeline, before) {
      const versions = await reader
        .selectFrom('pipeline_version')
        .select(['number', 'created_at'])
        .where('pipeline', '=', pipeline)
        .orderBy('number')
        .execute();
      // Replaced before the moment: the next one was applied before it.
      const replaced = versions.flatMap(({ number }, index) => {
        const next = versions[index + 1];
        const isOld = next !== undefined && whole(next.created_at, 'pipeline_version', 'created_at') < before;
        return isOld ? [whole(number, 'pipeline_version', 'number')] : [];
      });
      return replaced.length === 0 ? [] : unused(reader, pipeline, replaced);
    },

    deleteVersions: (pipeline, numbers) =>
      database.writeAside(async (transaction) => {
        const going = await unused(transaction, pipeline, numbers);
        for (const piece of piecesOf(going, database.dialect.listLimit)) {
          await transaction
            .deleteFrom('pipeline_version')
            .where('pipeline', '=', pipeline)
            .where('number', 'in', piece)
            .execute();
        }
        return going.length;
      }),
  };
}

/** Those of these versions that no run pins. */
async function unused(db: Kysely<Tables>, pipeline: string, numbers: readonly number[]): Promise<number[]> {
  const runs = await db.selectFrom('run').select('version').distinct().where('pipeline', '=', pipeline).execute();
  const pinned = new Set(runs.map(({ version }) => whole(version, 'run', 'version')));
  return numbers.filter((number) => !pinned.has(number));
}

async function deleteByIds(database: Database, table: 'command' | 'audit', ids: readonly number[]): Promise<number> {
  if (ids.length === 0) return 0;
  await database.writeAside(async (transaction) => {
    for (const piece of piecesOf(ids, database.dialect.listLimit)) {
      await sql`DELETE FROM ${sql.table(table)} WHERE id IN (${sql.join(piece)})`.execute(transaction);
    }
  });
  return ids.length;
}
