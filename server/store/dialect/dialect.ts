import type { Kysely, RawBuilder } from 'kysely';
import type { Tables } from '../tables.ts';

/** Column types of a dialect, as written in a CREATE TABLE. */
export interface ColumnTypes {
  /** Names and ids that are looked up: compared byte by byte, at most 255 characters. */
  readonly name: string;
  /** A word from a short list: a state, a kind. */
  readonly word: string;
  /** Text of any length up to 16 MiB, JSON among it. */
  readonly text: string;
  /** Bytes, up to 16 MiB. */
  readonly blob: string;
  /** Whole numbers up to 2^53. */
  readonly integer: string;
  /** A primary key that the database counts up and never gives twice. */
  readonly counter: string;
  /** What follows the closing bracket of every table. */
  readonly table: string;
  /** What follows the closing bracket of a table whose rows live in its primary key. */
  readonly clustered: string;
  /** Whether indexes are declared inside CREATE TABLE (MySQL knows no CREATE INDEX IF NOT EXISTS), or by themselves. */
  readonly indexesInside: boolean;
}

/** What queries must know of a database, as facts: nothing outside this folder asks for a dialect by name. */
export interface Dialect {
  /** For messages. */
  readonly name: 'SQLite' | 'MySQL';
  readonly types: ColumnTypes;
  /** The database's own clock in milliseconds: leases are timed by it, because servers' clocks differ. */
  readonly nowMs: RawBuilder<number>;
  /**
   * `INSERT … ON CONFLICT (…) DO UPDATE`; otherwise `ON DUPLICATE KEY UPDATE`. Never INSERT IGNORE: on MySQL it turns
   * every other error of the row into a warning and cuts text that is too long.
   */
  readonly hasOnConflict: boolean;
  /**
   * Whether several transactions write at once, so that a lower counter may become visible after a higher one: who
   * reads "greater than the last" must take a lock before the counter is drawn.
   */
  readonly hasConcurrentWriters: boolean;
  /** Whether a migration's statements are undone together; otherwise each stands alone and must be repeatable. */
  readonly hasTransactionalSchema: boolean;
  /** `DELETE … LIMIT`; without it, the rows are named by a subquery, which MySQL would not take with a limit. */
  readonly hasLimitedDelete: boolean;
  /** Most rows of one key list or compound select: SQLite limits expression depth (1000) and compound terms (500). */
  readonly listLimit: number;
  /** Lets a table's counter go on behind `reached`. */
  setCounter(db: Kysely<Tables>, table: string, reached: number): Promise<void>;
  /** Whether the whole transaction may simply be tried again: deadlock, lost certification, a lock not granted. */
  isRetriable(error: unknown): boolean;
  /** Whether a unique key refused the row. */
  isDuplicate(error: unknown): boolean;
}
