import type { ColumnTypes } from '../dialect/dialect.ts';
import type { Migration } from './migrate.ts';
import { tables } from './tables.ts';

/**
 * What is kept for how long, runs that are being deleted, and logs in compressed segments. A database that has runs
 * already was filled under the promise that nothing is deleted: its server-wide setting is “never” until its operator
 * configures one.
 */
export const retention: Migration = { number: 7, name: 'retention', statements };

function statements(types: ColumnTypes): readonly string[] {
  const { name, word, integer, blob, table, clustered } = types;
  return [
    ...tables(types, [
      `CREATE TABLE IF NOT EXISTS retention (
        scope ${word} NOT NULL,
        name ${name} NOT NULL,
        age_ms ${integer} NULL,
        runs ${integer} NULL,
        updated_at ${integer} NOT NULL,
        updated_by ${name} NOT NULL,
        PRIMARY KEY (scope, name)
      ) ${table}`,
      `CREATE TABLE IF NOT EXISTS removal (
        run_key ${integer} NOT NULL PRIMARY KEY,
        id ${name} NOT NULL
      ) ${table}`,
      `CREATE TABLE IF NOT EXISTS log_segment (
        run_key ${integer} NOT NULL,
        ordinal ${integer} NOT NULL,
        number ${integer} NOT NULL,
        first_seq ${integer} NOT NULL,
        last_seq ${integer} NOT NULL,
        packed ${blob} NOT NULL,
        PRIMARY KEY (run_key, ordinal, number, first_seq)
      ) ${clustered}`,
    ]),
    `INSERT INTO retention (scope, name, age_ms, runs, updated_at, updated_by)
      SELECT 'SERVER', '', -1, -1, 0, 'migration' FROM (SELECT 1 AS one) AS once
      WHERE EXISTS (SELECT 1 FROM run) AND NOT EXISTS (SELECT 1 FROM retention WHERE scope = 'SERVER')`,
  ];
}
