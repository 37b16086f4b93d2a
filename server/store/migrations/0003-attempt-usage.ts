import type { ColumnTypes } from '../dialect/dialect.ts';
import type { Migration } from './migrate.ts';
import { tables } from './tables.ts';

/** What attempts used up. Beside the attempts: most say nothing, and few readers ask. */
export const attemptUsage: Migration = { number: 3, name: 'attempt usage', statements };

function statements(types: ColumnTypes): readonly string[] {
  const { integer, clustered } = types;
  return tables(types, [
    `CREATE TABLE IF NOT EXISTS attempt_usage (
      run_key ${integer} NOT NULL,
      ordinal ${integer} NOT NULL,
      number ${integer} NOT NULL,
      peak_memory_bytes ${integer} NULL,
      cpu_ms ${integer} NULL,
      PRIMARY KEY (run_key, ordinal, number)
    ) ${clustered}`,
  ]);
}
