import type { ColumnTypes } from '../dialect/dialect.ts';
import type { Migration } from './migrate.ts';
import { tables } from './tables.ts';

/** How placements were decided, and schedulers that decide beside a pool's own. */
export const decisions: Migration = { number: 2, name: 'decisions', statements };

function statements(types: ColumnTypes): readonly string[] {
  const { name, text, integer, table } = types;
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
    { index: 'decision_at', on: 'decision', columns: 'pool, at' },
  ]);
}
