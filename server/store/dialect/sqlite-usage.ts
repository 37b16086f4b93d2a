import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { StoreUsage } from '../retention-store.ts';
import { byKind } from '../stored-kinds.ts';

/** What was read of the file. */
export interface SqliteFigures {
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly bytes: number }[];
  readonly pageSize: number;
  readonly pageCount: number;
  readonly freePages: number;
  readonly oldestRunAt: number | null;
  readonly removalCount: number;
}

/** Reads every page of the database: seconds, when it is large. */
export function readFigures(database: DatabaseSync): SqliteFigures {
  const number = (text: string): number => Number(Object.values(database.prepare(text).get() ?? {})[0] ?? 0);
  const bytes = new Map<string, number>();
  const sizes = database
    .prepare(
      `SELECT tbl_name AS name, SUM(pgsize) AS bytes FROM dbstat JOIN sqlite_schema USING (name)
        WHERE aggregate = TRUE GROUP BY tbl_name`,
    )
    .all();
  for (const { name, bytes: size } of sizes) bytes.set(String(name), Number(size));
  const tables = [...bytes].map(([name, size]) => ({
    name,
    rows: number(`SELECT COUNT(*) FROM "${name}"`),
    bytes: size,
  }));
  const oldest = database.prepare('SELECT MIN(created_at) AS at FROM run').get()?.['at'];
  return {
    tables,
    pageSize: number('PRAGMA page_size'),
    pageCount: number('PRAGMA page_count'),
    freePages: number('PRAGMA freelist_count'),
    oldestRunAt: oldest === null || oldest === undefined ? null : Number(oldest),
    removalCount: number('SELECT COUNT(*) FROM removal'),
  };
}

/** What the database holds: counted by a thread of its own, on a connection of its own. */
export async function sqliteUsage(path: string, reader: DatabaseSync): Promise<StoreUsage> {
  const figures = path === ':memory:' ? readFigures(reader) : await inThread(resolve(path));
  const { tables, pageSize, pageCount, freePages, oldestRunAt, removalCount } = figures;
  const besideBytes = path === ':memory:' ? 0 : sizeOf(`${resolve(path)}-wal`) + sizeOf(`${resolve(path)}-shm`);
  return {
    kinds: byKind(tables),
    isEstimate: false,
    totalBytes: pageSize * pageCount + besideBytes,
    reusableBytes: pageSize * freePages,
    oldestRunAt,
    removalCount,
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function inThread(file: string): Promise<SqliteFigures> {
  const worker = new Worker(new URL('./sqlite-usage-worker.ts', import.meta.url), { workerData: file });
  return new Promise((fulfil, reject) => {
    worker.once('message', fulfil);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`The thread that counts rows ended with ${code}.`)));
  });
}
