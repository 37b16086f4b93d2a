import type { ColumnTypes } from '../dialect/dialect.ts';
import type { Migration } from './migrate.ts';
import { tables } from './tables.ts';

/** What attempts saved for those that come after them. */
export const taskRunState: Migration = { number: 4, name: 'task run state', statements };

function statements(types: ColumnTypes): readonly string[] {
  const { integer, text, clustered } = types;
  return tables(types, [
    `CREATE TABLE IF NOT EXISTS task_run_state (
      run_key ${integer} NOT NULL,
      ordinal ${integer} NOT NULL,
      number ${integer} NOT NULL,
      seq ${integer} NOT NULL,
      state ${text} NOT NULL,
      PRIMARY KEY (run_key, ordinal)
    ) ${clustered}`,
  ]);
}
