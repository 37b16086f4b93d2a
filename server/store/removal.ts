import { type Kysely, sql } from 'kysely';
import { whole } from './columns.ts';
import type { Database } from './database.ts';
import type { Tables } from './tables.ts';

/**
 * The tables that hold rows of a run, with their primary keys, and how many ordinary rows one of theirs counts for: a
 * chunk or a segment of a log lies on many pages. A table with a `run_key` that is missing here fails a test.
 */
export const TABLES_OF_RUN = [
  { table: 'task_run', key: ['run_key', 'ordinal'], weight: 1 },
  { table: 'attempt', key: ['run_key', 'ordinal', 'number'], weight: 1 },
  { table: 'attempt_usage', key: ['run_key', 'ordinal', 'number'], weight: 1 },
  { table: 'attempt_gpu', key: ['run_key', 'ordinal', 'number'], weight: 1 },
  { table: 'evidence', key: ['id'], weight: 1 },
  { table: 'task_run_reason', key: ['run_key', 'ordinal'], weight: 1 },
  { table: 'task_run_state', key: ['run_key', 'ordinal'], weight: 4 },
  { table: 'log_segment', key: ['run_key', 'ordinal', 'number', 'first_seq'], weight: 16 },
  { table: 'log_chunk', key: ['run_key', 'ordinal', 'number', 'seq'], weight: 4 },
] as const satisfies readonly { table: keyof Tables; key: readonly string[]; weight: number }[];

/** Rows that are deleted for one run, roughly, to choose how many runs go together. */
const ROWS_PER_RUN = 8;

/** Deletes about so many rows of runs that have been removed, the runs that were triggered first before others. */
export async function purgeRemoved(
  database: Database,
  rows: number,
): Promise<{ readonly rows: number; readonly hasMore: boolean }> {
  const { reader, dialect } = database;
  const most = Math.min(dialect.listLimit, Math.max(1, Math.round(rows / ROWS_PER_RUN)));
  const found = await reader
    .selectFrom('removal')
    .select('run_key')
    .orderBy('run_key')
    .limit(most + 1)
    .execute();
  const keys = found.slice(0, most).map(({ run_key }) => whole(run_key, 'removal', 'run_key'));
  if (keys.length === 0) return { rows: 0, hasMore: false };
  return database.writeAside(async (transaction) => {
    let left = rows;
    for (const { table, key, weight } of TABLES_OF_RUN) {
      const limit = Math.ceil(left / weight);
      const deleted = await deleteSome(database, transaction, table, key, keys, limit);
      left -= deleted * weight;
      // There may be more of them: the removal stays noted, and the next call goes on.
      if (left <= 0) return { rows: rows - left, hasMore: true };
    }
    await transaction.deleteFrom('removal').where('run_key', 'in', keys).execute();
    return { rows: rows - left + keys.length, hasMore: found.length > most };
  });
}

/** Deletes at most so many rows of these runs from one table; answers how many there were. */
async function deleteSome(
  { dialect }: Database,
  transaction: Kysely<Tables>,
  table: keyof Tables,
  key: readonly string[],
  keys: readonly number[],
  limit: number,
): Promise<number> {
  const name = sql.table(table);
  const mine = sql`run_key IN (${sql.join(keys)})`;
  const names = sql.join(key.map((column) => sql.ref(column)));
  const statement = dialect.hasLimitedDelete
    ? sql`DELETE FROM ${name} WHERE ${mine} LIMIT ${limit}`
    : sql`DELETE FROM ${name} WHERE (${names}) IN (SELECT ${names} FROM ${name} WHERE ${mine} LIMIT ${limit})`;
  const { numAffectedRows } = await statement.execute(transaction);
  return Number(numAffectedRows ?? 0n);
}
