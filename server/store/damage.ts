import { CorruptRow } from './columns.ts';

/** What stands in for the columns that cannot be read, as the database would hold it. */
export type Neutral<Row> = { readonly [Column in keyof Row]?: Row[Column] };

/** A row, and what of it could not be read: the first column at fault; null for a sound one. */
export interface Mended<Value> {
  readonly value: Value;
  readonly damage: CorruptRow | null;
}

/**
 * Reads a row that may be damaged, with something neutral in place of what cannot be read: one bad row must not take
 * the page with it on which it stands. A sound row costs nothing more. Throws CorruptRow for a column that has no
 * neutral value.
 */
export function mended<Row extends object, Value>(
  row: Row,
  read: (row: Row) => Value,
  neutral: Neutral<Row>,
): Mended<Value> {
  let damage: CorruptRow | null = null;
  const replaced = new Set<string>();
  for (let current = row; ;) {
    try {
      return { value: read(current), damage };
    } catch (error) {
      if (!(error instanceof CorruptRow) || !(error.column in neutral) || replaced.has(error.column)) throw error;
      damage ??= error;
      replaced.add(error.column);
      current = { ...current, [error.column]: neutral[error.column as keyof Row] };
    }
  }
}

/** The reason of a run or an attempt whose row is damaged. */
export const unreadable = ({ message }: CorruptRow) => ({ code: 'STORED_ROW_UNREADABLE', message }) as const;
