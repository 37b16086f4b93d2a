import type { ColumnTypes } from '../dialect/dialect.ts';
import type { Migration } from './migrate.ts';
import { tables } from './tables.ts';

/** How placements were decided, schedulers that decide beside a pool's own, and which GPUs attempts have. */
export const decisions: Migration = { number: 2, name: 'decisions', statements };

function statements(types: ColumnTypes): readonly string[] {
  const { name, text, integer, table, clustered } = types;
  return tables(types, [
    `CREATE TABLE IF NOT EXISTS decision (
      pool ${name} NOT NULL,
      seq ${integer} NOT NULL,
      at ${integer} NOT NULL,
      scheduler ${name} NOT NULL,
      version ${name} NOT NULL,
      config_hash ${name} NOT NULL,
      seed ${integer} NOT NULL,
      offered ${integer} NOT NULL,
      placed ${integer} NOT NULL,
      packed_call ${text} NULL,
      PRIMARY KEY (pool, seq)
    ) ${table}`,
    `CREATE TABLE IF NOT EXISTS pool_shadow (
      pool ${name} NOT NULL PRIMARY KEY,
      scheduler ${name} NOT NULL,
      config ${text} NOT NULL
    ) ${table}`,
    `CREATE TABLE IF NOT EXISTS attempt_gpu (
      run_key ${integer} NOT NULL,
      ordinal ${integer} NOT NULL,
      number ${integer} NOT NULL,
      gpus ${text} NOT NULL,
      PRIMARY KEY (run_key, ordinal, number)
    ) ${clustered}`,
    { index: 'decision_at', on: 'decision', columns: 'pool, at' },
  ]);
}
