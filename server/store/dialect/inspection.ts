import type { Kysely } from 'kysely';
import type { Tables } from '../tables.ts';
import type { Dialect } from './dialect.ts';

/** A database that is looked at and not changed, beside the servers that use it. */
export interface Inspection {
  readonly db: Kysely<Tables>;
  readonly dialect: Dialect;
  /** The database's program and its version. */
  version(): Promise<string>;
  /** What its own check of pages and rows finds: a sentence each, none when it is whole. `deep` also compares indexes. */
  damage(tables: readonly string[], deep: boolean): Promise<readonly string[]>;
  /** The names of the indexes that exist on tables. */
  indexes(): Promise<ReadonlySet<string>>;
  /** Its clock minus this machine's, in milliseconds; null where it has none of its own. */
  clockOffsetMs(now: () => number): Promise<number | null>;
  /** Settings of the database that endanger what is in it: a sentence each. */
  weakSettings(): Promise<readonly string[]>;
  close(): Promise<void>;
}
