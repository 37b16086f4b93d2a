import { escape } from 'mysql2';
import type { Value } from './images.ts';

/** Limits of one statement: both far below `max_allowed_packet`, and where more rows were measured to gain nothing. */
export const MAX_ROWS = 1_000;
export const MAX_CHARACTERS = 1_000_000;

/** Node names and states come again and again. */
const escaped = new Map<string, string>();
const MAX_ESCAPED = 10_000;
const MAX_ESCAPED_LENGTH = 64;

/** A value as SQL: numbers as they are, text by the driver's own escaping. Throws for anything else. */
export function literal(value: Value): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be stored.`);
    return String(value);
  }
  if (typeof value !== 'string') throw new TypeError(`A ${typeof value} cannot be stored.`);
  const known = escaped.get(value);
  if (known !== undefined) return known;
  const text = escape(value);
  if (value.length <= MAX_ESCAPED_LENGTH) {
    if (escaped.size >= MAX_ESCAPED) escaped.clear();
    escaped.set(value, text);
  }
  return text;
}

/** Cuts rendered rows into statements. */
function statementsOf(rows: readonly string[], separator: string, wrap: (rows: string) => string): string[] {
  const statements: string[] = [];
  let start = 0;
  let characters = 0;
  for (let index = 0; index < rows.length; index++) {
    const length = rows[index]!.length;
    if (index > start && (index - start >= MAX_ROWS || characters + length > MAX_CHARACTERS)) {
      statements.push(wrap(rows.slice(start, index).join(separator)));
      start = index;
      characters = 0;
    }
    characters += length;
  }
  if (start < rows.length) statements.push(wrap(rows.slice(start).join(separator)));
  return statements;
}

const tuple = (row: readonly Value[]): string => `(${row.map(literal).join(',')})`;

/** Multi-row INSERTs; `suffix` is what follows the rows. */
export const insertStatements = (
  table: string,
  columns: readonly string[],
  rows: readonly (readonly Value[])[],
  suffix = '',
): string[] =>
  statementsOf(
    rows.map(tuple),
    ',',
    (values) => `INSERT INTO ${table} (${columns.join(',')}) VALUES ${values}${suffix}`,
  );

/** `column = VALUES(column)` for each: what an INSERT … ON DUPLICATE KEY UPDATE takes over. */
export const takeOver = (columns: readonly string[]): string =>
  columns.map((column) => `${column}=VALUES(${column})`).join(',');
