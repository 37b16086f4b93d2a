import type { ColumnTypes } from '../dialect/dialect.ts';

/** An index on a table that is created in the same list. */
export interface Index {
  readonly index: string;
  readonly on: string;
  readonly columns: string;
  readonly unique?: boolean;
}

/** Puts indexes where the dialect wants them: inside their CREATE TABLE, or after it. */
export function tables({ indexesInside }: ColumnTypes, items: readonly (string | Index)[]): string[] {
  const creates = items.filter((item) => typeof item === 'string');
  const indexes = items.filter((item) => typeof item !== 'string');
  if (!indexesInside) {
    const statement = ({ index, on, columns, unique }: Index) =>
      `CREATE ${unique ? 'UNIQUE ' : ''}INDEX IF NOT EXISTS ${index} ON ${on} (${columns})`;
    return [...creates, ...indexes.map(statement)];
  }
  return creates.map((create) => {
    const table = /^CREATE TABLE IF NOT EXISTS (\w+) \(/.exec(create)?.[1];
    // What follows the table's own bracket has none.
    const end = create.lastIndexOf(')');
    const inside = indexes
      .filter(({ on }) => on === table)
      .map(({ index, columns, unique }) => `, ${unique ? 'UNIQUE ' : ''}KEY ${index} (${columns})`);
    return create.slice(0, end) + inside.join('') + create.slice(end);
  });
}
