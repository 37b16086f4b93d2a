import { type Kysely, sql } from 'kysely';
import type { StoreUsage } from '../retention-store.ts';
import { byKind } from '../stored-kinds.ts';
import type { Tables } from '../tables.ts';

interface TableFigures {
  readonly name: string;
  readonly table_rows: number | string | null;
  readonly bytes: number | string | null;
  readonly free: number | string | null;
}

/** What the database holds, as the server's own statistics estimate it. */
export async function mysqlUsage(reader: Kysely<Tables>): Promise<StoreUsage> {
  const { rows } = await sql<TableFigures>`
    SELECT table_name AS name, table_rows AS table_rows, data_length + index_length AS bytes, data_free AS free
    FROM information_schema.tables WHERE table_schema = DATABASE()`.execute(reader);
  const { oldest } = await reader
    .selectFrom('run')
    .select((all) => all.fn.min('created_at').as('oldest'))
    .executeTakeFirstOrThrow();
  const { removals } = await reader
    .selectFrom('removal')
    .select((all) => all.fn.countAll().as('removals'))
    .executeTakeFirstOrThrow();
  const sum = (column: 'bytes' | 'free'): number => rows.reduce((all, row) => all + Number(row[column] ?? 0), 0);
  return {
    kinds: byKind(
      rows.map(({ name, table_rows, bytes }) => ({ name, rows: Number(table_rows ?? 0), bytes: Number(bytes ?? 0) })),
    ),
    isEstimate: true,
    totalBytes: sum('bytes') + sum('free'),
    reusableBytes: sum('free'),
    oldestRunAt: oldest === null ? null : Number(oldest),
    removalCount: Number(removals),
  };
}
