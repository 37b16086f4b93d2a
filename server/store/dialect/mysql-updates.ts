import type { Value } from './images.ts';
import type { MysqlAnswer } from './mysql-pool.ts';
import { literal, MAX_CHARACTERS, MAX_ROWS } from './mysql-statements.ts';

/** A statement that changes stored rows, and how to tell that it found them all. */
export interface CountedStatement {
  readonly text: string;
  /** How many rows it must find. */
  readonly rows: number;
  /** Whether the answer counts them as rows found (UPDATE) or as duplicates (INSERT … ON DUPLICATE KEY UPDATE). */
  readonly counts: 'FOUND' | 'DUPLICATES';
}

/** How many stored rows a statement has found. */
export function rowsFound(answer: MysqlAnswer, { counts }: Pick<CountedStatement, 'counts'>): number {
  if (Array.isArray(answer)) return 0;
  if (counts === 'FOUND') return answer.affectedRows;
  // "Records: 3  Duplicates: 3  Warnings: 0": the rows affected would not tell an inserted from an unchanged one.
  return Number(/Duplicates: (\d+)/.exec(answer.info)?.[1] ?? 0);
}

/** A table whose rows are updated by their whole primary key. */
export interface Updated {
  readonly table: string;
  readonly changing: readonly string[];
  readonly keys: readonly string[];
  /**
   * Values for the columns that an INSERT must name, for a table without other unique keys: it is then updated by
   * INSERT … ON DUPLICATE KEY UPDATE.
   */
  readonly placeholders?: Readonly<Record<string, Value>>;
}

/**
 * Updates rows, each to values of its own: `rows` hold the changing columns, then the keys. A column that is the same
 * in all rows of a statement is written once, as a constant, which most are when the rows are sorted by state.
 * Measured on 40,000 task runs, 1,000 a statement, in rows/s: INSERT … ON DUPLICATE KEY UPDATE with constants 137,000,
 * with every column per row 89,000; UPDATE … JOIN on a derived table with constants 87,000.
 */
export function updateStatements(updated: Updated, rows: readonly (readonly Value[])[]): CountedStatement[] {
  const statements: CountedStatement[] = [];
  for (let start = 0; start < rows.length;) {
    const end = endOfPiece(rows, start);
    statements.push(updateStatement(updated, rows.slice(start, end)));
    start = end;
  }
  return statements;
}

function endOfPiece(rows: readonly (readonly Value[])[], start: number): number {
  let characters = 0;
  let end = start;
  for (; end < rows.length && end - start < MAX_ROWS; end++) {
    for (const value of rows[end]!) characters += typeof value === 'string' ? value.length : 4;
    if (characters > MAX_CHARACTERS && end > start) break;
  }
  return end;
}

function updateStatement(updated: Updated, rows: readonly (readonly Value[])[]): CountedStatement {
  const { changing, placeholders } = updated;
  const varying: number[] = [];
  const constant: string[] = [];
  for (let column = 0; column < changing.length; column++) {
    const value = rows[0]![column]!;
    if (rows.every((row) => row[column] === value)) constant.push(`t.${changing[column]}=${literal(value)}`);
    else varying.push(column);
  }
  // The answer to an INSERT of one row counts no duplicates.
  const isInsert = placeholders !== undefined && rows.length > 1;
  const text = isInsert
    ? byInsert(updated, placeholders, rows, varying, constant)
    : byJoin(updated, rows, varying, constant);
  return { text, rows: rows.length, counts: isInsert ? 'DUPLICATES' : 'FOUND' };
}

function byInsert(
  { table, changing, keys }: Updated,
  placeholders: Readonly<Record<string, Value>>,
  rows: readonly (readonly Value[])[],
  varying: readonly number[],
  constant: readonly string[],
): string {
  const names = varying.map((column) => changing[column]!);
  const fillers = Object.keys(placeholders).filter((column) => !names.includes(column));
  const filler = fillers.map((column) => `,${literal(placeholders[column]!)}`).join('');
  const places = [...varying, ...keys.map((_, index) => changing.length + index)];
  const tuples = rows.map((row) => {
    let tuple = '(';
    for (let index = 0; index < places.length; index++)
      tuple += (index === 0 ? '' : ',') + literal(row[places[index]!]!);
    return `${tuple}${filler})`;
  });
  const columns = [...names, ...keys, ...fillers];
  const assignments = [
    ...names.map((column) => `${column}=VALUES(${column})`),
    ...constant.map((assignment) => assignment.slice('t.'.length)),
  ];
  return `INSERT INTO ${table} (${columns.join(',')}) VALUES ${tuples.join(',')} ON DUPLICATE KEY UPDATE ${assignments.join(',')}`;
}

function byJoin(
  { table, changing, keys }: Updated,
  rows: readonly (readonly Value[])[],
  varying: readonly number[],
  constant: readonly string[],
): string {
  const names = [...varying.map((column) => changing[column]!), ...keys];
  const places = [...varying, ...keys.map((_, index) => changing.length + index)];
  const texts = rows.map((row, index) => {
    const values = places.map((place, at) =>
      index === 0 ? `${literal(row[place]!)} AS ${names[at]}` : literal(row[place]!),
    );
    return `SELECT ${values.join(',')}`;
  });
  const on = keys.map((key) => `t.${key}=d.${key}`).join(' AND ');
  const assignments = [...constant, ...varying.map((column) => `t.${changing[column]}=d.${changing[column]}`)];
  return `UPDATE ${table} t JOIN (${texts.join(' UNION ALL ')}) d ON ${on} SET ${assignments.join(',')}`;
}
