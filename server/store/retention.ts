import { type Kysely, type Selectable, sql } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import type { KeptRun, KeptRuns, RetentionScope, RetentionSetting } from '../domain/retention.ts';
import { isTerminalRun, runTransitions, type RunState } from '../domain/run.ts';
import { appendAudit } from './audit.ts';
import { columns, whole, wordOf } from './columns.ts';
import { piecesOf, type Database } from './database.ts';
import { purgeRemoved } from './removal.ts';
import type { RetentionStore, StoreUsage } from './retention-store.ts';
import type { RetentionTable, Tables } from './tables.ts';
import { trims } from './trims.ts';
import { insertOrUpdate } from './upsert.ts';

const TERMINAL = (Object.keys(runTransitions) as RunState[]).filter(isTerminalRun);
/** How “without limit” is stored. */
const WITHOUT_LIMIT = -1;

const scopeOf = wordOf<RetentionScope>({ SERVER: 0, POOL: 0, PIPELINE: 0 }, 'retention', 'scope');
const stored = (limit: number | 'NEVER' | null): number | null => (limit === 'NEVER' ? WITHOUT_LIMIT : limit);

function settingOf(row: Selectable<RetentionTable>): RetentionSetting {
  const limit = (column: 'age_ms' | 'runs'): number | 'NEVER' | null => {
    const value = row[column];
    if (value === null) return null;
    const number = whole(value, 'retention', column, row.name);
    return number === WITHOUT_LIMIT ? 'NEVER' : number;
  };
  return {
    scope: scopeOf(row.scope, row.name),
    name: row.name,
    age: limit('age_ms'),
    runs: limit('runs'),
    updatedAt: whole(row.updated_at, 'retention', 'updated_at', row.name),
    updatedBy: row.updated_by,
  };
}

/** Deletes for ever. `usage` says what there is. */
export function retentionStore(database: Database, usage: () => Promise<StoreUsage>): RetentionStore {
  const { reader, dialect } = database;
  return {
    async settings() {
      return (await reader.selectFrom('retention').selectAll().orderBy('scope').orderBy('name').execute()).map(
        settingOf,
      );
    },

    set: (scope, name, kept, actor, at) =>
      database.writeUnique((transaction) => setKept(database, transaction, { scope, name, kept, actor, at })),

    async pipelines(after, limit) {
      const pipelines = reader.selectFrom('pipeline').select('name').where('name', '>', after);
      return (await pipelines.orderBy('name').limit(limit).execute()).map(({ name }) => name);
    },

    async oldestRuns(pipeline, afterKey, limit) {
      const rows = await reader
        .selectFrom('run')
        .select(['run_key', 'id', 'pool', 'state', 'created_at', 'finished_at'])
        .where('pipeline', '=', pipeline)
        .where('run_key', '>', afterKey)
        .orderBy('run_key')
        .limit(limit)
        .execute();
      return rows.map((row): KeptRun => {
        const read = (column: 'run_key' | 'created_at') => whole(row[column], 'run', column, row.id);
        const finishedAt = row.finished_at === null ? null : whole(row.finished_at, 'run', 'finished_at', row.id);
        const state = columns.run.state(row.state, row.id);
        const run = { key: read('run_key'), id: row.id as RunId, pool: row.pool, pipeline, state };
        return { ...run, createdAt: read('created_at'), finishedAt };
      });
    },

    async newestBeyond(pipeline, kept) {
      const row = await reader
        .selectFrom('run')
        .select('run_key')
        .where('pipeline', '=', pipeline)
        .orderBy('run_key', 'desc')
        .offset(kept)
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? null : whole(row.run_key, 'run', 'run_key');
    },

    async remove(keys) {
      const removed: { readonly key: number; readonly id: RunId }[] = [];
      for (const piece of piecesOf(keys, dialect.listLimit)) {
        removed.push(...(await database.writeAside((transaction) => removeRuns(database, transaction, piece))));
      }
      database.runKeys.forget(removed.map(({ id }) => id));
      return removed;
    },

    async removeByHand(id, actor, at) {
      const answer = await database.write(async (transaction) => {
        const row = await transaction
          .selectFrom('run')
          .select(['run_key', 'pipeline', 'state', 'created_at'])
          .where('id', '=', id)
          .executeTakeFirst();
        if (row === undefined) return null;
        const removed = await removeRuns(database, transaction, [whole(row.run_key, 'run', 'run_key', id)]);
        if (removed.length === 0) return 'NOT_FINISHED';
        const details = { pipeline: row.pipeline, state: row.state, createdAt: Number(row.created_at) };
        await appendAudit(transaction, [{ at, actor, action: 'run.delete', subject: id, details }]);
        return 'REMOVED';
      });
      if (answer === 'REMOVED') database.runKeys.forget([id]);
      return answer;
    },

    purge: (rows) => purgeRemoved(database, rows),
    ...trims(database),
    usage,
    asideMs: () => database.asideMs,
  };
}

interface Wanted {
  readonly scope: RetentionScope;
  readonly name: string;
  readonly kept: KeptRuns;
  readonly actor: string;
  readonly at: number;
}

async function setKept({ dialect }: Database, transaction: Kysely<Tables>, { scope, name, kept, actor, at }: Wanted) {
  const { age, runs } = kept;
  if (age === null && runs === null) {
    await transaction.deleteFrom('retention').where('scope', '=', scope).where('name', '=', name).execute();
  } else {
    const changes = { age_ms: stored(age), runs: stored(runs), updated_at: at, updated_by: actor };
    await insertOrUpdate(transaction, dialect, 'retention', { scope, name, ...changes }, ['scope', 'name'], changes);
  }
  const details = { scope, ageMs: age, runs };
  await appendAudit(transaction, [{ at, actor, action: 'retention.set', subject: name, details }]);
}

/** Takes the rows of those that have ended out of `run` and notes their keys: the rest of them is deleted later. */
async function removeRuns({ dialect }: Database, transaction: Kysely<Tables>, keys: readonly number[]) {
  if (keys.length === 0) return [];
  let ended = transaction
    .selectFrom('run')
    .select(['run_key', 'id'])
    .where('run_key', 'in', keys)
    .where('state', 'in', TERMINAL);
  if (dialect.hasConcurrentWriters) ended = ended.forUpdate();
  const rows = await ended.execute();
  const removed = rows.map(({ run_key, id }) => ({ key: whole(run_key, 'run', 'run_key', id), id: id as RunId }));
  if (removed.length === 0) return [];
  await transaction
    .insertInto('removal')
    .values(removed.map(({ key, id }) => ({ run_key: key, id })))
    .execute();
  const found = removed.map(({ key }) => key);
  await sql`DELETE FROM run WHERE run_key IN (${sql.join(found)})`.execute(transaction);
  return removed;
}
