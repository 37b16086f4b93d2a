import { sql, type Kysely } from 'kysely';
import { isTerminalRun, runTransitions, type RunState } from '../domain/run.ts';
import { isTerminalTaskRun, taskRunTransitions, type TaskRunState } from '../domain/task-run.ts';
import { countOf } from './columns.ts';
import type { Dialect } from './dialect/dialect.ts';
import { dataTables, migrations } from './migrations/migrate.ts';
import { TABLES_OF_RUN } from './removal.ts';
import type { Tables } from './tables.ts';

/** Rows whose owner is missing. */
export interface Orphans {
  readonly table: string;
  readonly owner: string;
  readonly count: number;
}

/** Which table's rows belong to which other's, and by which columns. */
const OWNERS: readonly { readonly table: string; readonly owner: string; readonly by: readonly string[] }[] = [
  { table: 'task_run', owner: 'run', by: ['run_key'] },
  ...TABLES_OF_RUN.filter(({ table }) => table !== 'task_run').map(({ table }) => ({
    table,
    owner: 'task_run',
    by: ['run_key', 'ordinal'],
  })),
];

/** Counts rows whose owner is missing. Reads each table once. */
export async function findOrphans(db: Kysely<Tables>, tables: ReadonlySet<string>): Promise<readonly Orphans[]> {
  const found: Orphans[] = [];
  // A run that is being deleted goes first; its rows follow.
  const isPending = tables.has('removal')
    ? sql` AND NOT EXISTS (SELECT 1 FROM removal r WHERE r.run_key = c.run_key)`
    : sql``;
  for (const { table, owner, by } of OWNERS) {
    if (!tables.has(table) || !tables.has(owner)) continue;
    const isOwner = sql.join(
      by.map((column) => sql`${sql.ref(`o.${column}`)} = ${sql.ref(`c.${column}`)}`),
      sql` AND `,
    );
    const { rows } = await sql<{ count: number | string }>`
      SELECT COUNT(*) AS count FROM ${sql.table(table)} c
      WHERE NOT EXISTS (SELECT 1 FROM ${sql.table(owner)} o WHERE ${isOwner})${isPending}`.execute(db);
    const count = rows[0] === undefined ? 0 : countOf(rows[0]);
    if (count > 0) found.push({ table, owner, count });
  }
  return found;
}

const endedRuns = (Object.keys(runTransitions) as RunState[]).filter(isTerminalRun);
const openTaskRuns = (Object.keys(taskRunTransitions) as TaskRunState[]).filter((state) => !isTerminalTaskRun(state));

/** Counts runs that break an invariant: ended although a task run has not (I3), or without their pipeline version. */
export async function findBrokenRuns(
  db: Kysely<Tables>,
): Promise<{ readonly endedTooEarly: number; readonly withoutVersion: number }> {
  const ended = await sql<{ count: number | string }>`
    SELECT COUNT(*) AS count FROM run WHERE state IN (${sql.join(endedRuns)}) AND EXISTS
      (SELECT 1 FROM task_run WHERE task_run.run_key = run.run_key AND task_run.state IN (${sql.join(openTaskRuns)}))`.execute(
    db,
  );
  const versionless = await sql<{ count: number | string }>`
    SELECT COUNT(*) AS count FROM run WHERE NOT EXISTS
      (SELECT 1 FROM pipeline_version v WHERE v.pipeline = run.pipeline AND v.number = run.version)`.execute(db);
  return { endedTooEarly: countOf(ended.rows[0]!), withoutVersion: countOf(versionless.rows[0]!) };
}

/** The last migration that the database has applied; 0 for none. */
export async function reachedMigration(db: Kysely<Tables>, tables: ReadonlySet<string>): Promise<number> {
  if (!tables.has('migration')) return 0;
  const row = await db
    .selectFrom('migration')
    .select((columns) => columns.fn.max('number').as('number'))
    .executeTakeFirst();
  return Number(row?.number ?? 0);
}

/** The last migration that this program knows. */
export const KNOWN_MIGRATIONS = migrations.length;

/** The tables and the indexes that the migrations up to one make. */
export function expectedSchema(
  dialect: Dialect,
  upTo: number,
): { readonly tables: readonly string[]; readonly indexes: readonly string[] } {
  const indexes = new Set<string>();
  for (const { statements } of migrations.slice(0, upTo)) {
    for (const statement of statements(dialect.types)) {
      for (const [, name] of statement.matchAll(/\b(?:INDEX IF NOT EXISTS|INDEX|KEY) (\w+) (?:ON|\()/g))
        if (name !== undefined) indexes.add(name);
      for (const [, name] of statement.matchAll(/\bDROP INDEX (?:IF EXISTS )?(\w+)/g))
        if (name !== undefined) indexes.delete(name);
    }
  }
  return { tables: [...dataTables(upTo), 'migration', 'migration_lock'], indexes: [...indexes] };
}
