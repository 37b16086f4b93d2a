/** A stored value: text, a number, or bytes. */
export type Cell = string | number | Uint8Array | null;

/** A database as it was at one instant, read while servers go on writing. */
export interface Snapshot {
  readonly dialect: 'SQLite' | 'MySQL';
  /** The names of a table's columns in the order in which `rows` gives them; null when there is no such table. */
  columns(table: string): Promise<readonly string[] | null>;
  /** A table's rows in batches. */
  rows(table: string, columns: readonly string[]): AsyncIterable<readonly (readonly Cell[])[]>;
  /** By table: the number that the database counted up to last, where it counts one. */
  counters(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/** Rows of one batch. */
export const SNAPSHOT_BATCH = 500;
