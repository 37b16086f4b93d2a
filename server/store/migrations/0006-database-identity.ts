import type { ColumnTypes } from '../dialect/dialect.ts';
import type { Migration } from './migrate.ts';
import { tables } from './tables.ts';

/** Tells databases apart, and a database that was closed in good order from a copy of one that was in use. */
export const databaseIdentity: Migration = { number: 6, name: 'database identity', statements };

function statements(types: ColumnTypes): readonly string[] {
  const { name, word, integer, table } = types;
  return tables(types, [
    `CREATE TABLE IF NOT EXISTS database_identity (
      id ${integer} NOT NULL PRIMARY KEY,
      database_id ${name} NOT NULL,
      made_at ${integer} NOT NULL,
      state ${word} NOT NULL
    ) ${table}`,
  ]);
}
