import { type Insertable, type Kysely, type RawBuilder, sql } from 'kysely';
import type { Dialect } from './dialect/dialect.ts';
import type { Tables } from './tables.ts';

/** Inserts rows; one whose key is there already is left as it is. All other errors are thrown. */
export async function insertOrKeep<Table extends keyof Tables>(
  db: Kysely<Tables>,
  dialect: Dialect,
  table: Table,
  rows: readonly Insertable<Tables[Table]>[],
  key: readonly (keyof Tables[Table] & string)[],
): Promise<void> {
  if (rows.length === 0) return;
  const insert = db.insertInto(table).values(rows);
  const first = key[0] as string;
  if (dialect.hasOnConflict)
    await insert.onConflict((conflict) => conflict.columns(key as never).doNothing()).execute();
  // Sets a column to itself: nothing changes, and nothing but the duplicate is forgiven.
  else await insert.onDuplicateKeyUpdate({ [first]: sql.ref(`${table}.${first}`) } as never).execute();
}

/** A stored number and what is added to it. */
type ColumnOf = (column: string, plus: number) => RawBuilder<number>;
type Changes = Readonly<Record<string, unknown>>;

/** Inserts a row, or sets `changes` of the one whose key is there already. */
export async function insertOrUpdate<Table extends keyof Tables>(
  db: Kysely<Tables>,
  dialect: Dialect,
  table: Table,
  row: Insertable<Tables[Table]>,
  key: readonly (keyof Tables[Table] & string)[],
  changes: Changes | ((columnOf: ColumnOf) => Changes),
): Promise<void> {
  const columnOf: ColumnOf = (column, plus) => sql<number>`${sql.ref(`${table}.${column}`)} + ${plus}`;
  const set = (typeof changes === 'function' ? changes(columnOf) : changes) as never;
  const insert = db.insertInto(table).values(row);
  if (dialect.hasOnConflict) {
    await insert.onConflict((conflict) => conflict.columns(key as never).doUpdateSet(set)).execute();
  } else {
    await insert.onDuplicateKeyUpdate(set).execute();
  }
}
