import type { ColumnTypes } from '../dialect/dialect.ts';
import type { Migration } from './migrate.ts';
import { tables } from './tables.ts';

/**
 * Why task runs ended as they did, beside them: a success, which is what most are, has no row. And what a pool says for
 * tasks that do not say so themselves.
 */
export const outcomes: Migration = { number: 8, name: 'outcomes', statements };

function statements(types: ColumnTypes): readonly string[] {
  const { name, integer, text, table, clustered } = types;
  return tables(types, [
    `CREATE TABLE IF NOT EXISTS task_run_reason (
      run_key ${integer} NOT NULL,
      ordinal ${integer} NOT NULL,
      reason ${text} NOT NULL,
      PRIMARY KEY (run_key, ordinal)
    ) ${clustered}`,
    `CREATE TABLE IF NOT EXISTS pool_default (
      pool ${name} NOT NULL PRIMARY KEY,
      idempotent ${integer} NULL
    ) ${table}`,
  ]);
}
