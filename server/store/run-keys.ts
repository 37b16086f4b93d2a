import type { Kysely } from 'kysely';
import { whole } from './columns.ts';
import type { Tables } from './tables.ts';

/** Runs whose key is remembered. */
const REMEMBERED = 50_000;
const IDS_PER_STATEMENT = 500;

/** The database's short keys of runs. A pair never changes, so it is remembered. */
export class RunKeys {
  readonly #db: Kysely<Tables>;
  readonly #keys = new Map<string, number>();

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** The keys of those runs that exist. */
  async of(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    const unknown = new Set<string>();
    for (const id of ids) {
      const key = this.#keys.get(id);
      if (key === undefined) unknown.add(id);
      else found.set(id, key);
    }
    const missing = [...unknown];
    for (let start = 0; start < missing.length; start += IDS_PER_STATEMENT) {
      const piece = missing.slice(start, start + IDS_PER_STATEMENT);
      const rows = await this.#db.selectFrom('run').select(['id', 'run_key']).where('id', 'in', piece).execute();
      for (const row of rows) {
        const key = whole(row.run_key, 'run', 'run_key', row.id);
        found.set(row.id, key);
        this.remember(row.id, key);
      }
    }
    return found;
  }

  /** Runs that have been deleted: nothing more is stored under their keys. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.#keys.delete(id);
  }

  /** Notes a pair that was read on the way. */
  remember(id: string, key: number): void {
    if (this.#keys.size >= REMEMBERED) {
      const oldest = this.#keys.keys().next().value;
      if (oldest !== undefined) this.#keys.delete(oldest);
    }
    this.#keys.set(id, key);
  }
}
