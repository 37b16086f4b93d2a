import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { StoreUnavailable } from '../store.ts';
import type { Tables } from '../tables.ts';
import type { Inspection } from './inspection.ts';
import { sqliteDialect, sqliteError, sqliteKysely } from './sqlite.ts';

/** Findings that are told; a damaged file has thousands. */
const MOST_FINDINGS = 20;

export function inspectSqlite(path: string): Inspection {
  const file = resolve(path);
  if (!existsSync(file)) throw new StoreUnavailable(`There is no database ${file}.`);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 10_000, enableForeignKeyConstraints: false });
    database.exec('PRAGMA query_only = ON');
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    database?.close();
    throw sqliteError(error);
  }
  const opened = database;
  return {
    db: new Kysely<Tables>({ dialect: sqliteKysely(opened, null) }),
    dialect: sqliteDialect,
    version: () =>
      Promise.resolve(`SQLite ${String(opened.prepare('SELECT sqlite_version() AS version').get()?.['version'])}`),
    damage(_tables, deep) {
      try {
        const pragma = deep ? 'integrity_check' : 'quick_check';
        const findings = opened.prepare(`PRAGMA ${pragma}(${MOST_FINDINGS})`).all();
        return Promise.resolve(
          findings.map((finding) => String(Object.values(finding)[0])).filter((text) => text !== 'ok'),
        );
      } catch (error) {
        // So damaged that it cannot even be checked.
        return Promise.resolve([(error as Error).message]);
      }
    },
    indexes() {
      const rows = opened.prepare("SELECT name FROM sqlite_schema WHERE type = 'index'").all();
      return Promise.resolve(new Set(rows.map(({ name }) => String(name))));
    },
    clockOffsetMs: () => Promise.resolve(null),
    weakSettings: () => Promise.resolve([]),
    close() {
      opened.close();
      return Promise.resolve();
    },
  };
}
