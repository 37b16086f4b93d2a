import type { Expression, ExpressionBuilder, Selectable, SelectQueryBuilder, SqlBool } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import { isTerminalRun, runTransitions, type Run, type RunState } from '../domain/run.ts';
import { countOf } from './columns.ts';
import { numberedPlace, pageOf, rowsToRead } from './cursor.ts';
import { piecesOf, type Database } from './database.ts';
import { recover } from './recovery.ts';
import { mendedRun, runOf } from './run-row.ts';
import { setAside } from './set-aside.ts';
import type { PipelineStore, RunFilter, RunStore } from './store.ts';
import type { RunTable, Tables } from './tables.ts';

const place = numberedPlace('run');
/** In their alphabetical order: what lies between two of them is no terminal state, and perhaps none at all. */
const TERMINAL = (Object.keys(runTransitions) as RunState[]).filter(isTerminalRun).toSorted();

type RunQuery<Output> = SelectQueryBuilder<Tables, 'run', Output>;
function matching<Output>(query: RunQuery<Output>, filter: RunFilter): RunQuery<Output> {
  const { pipeline, pool, states, trigger, createdAfter, createdBefore } = filter;
  let narrowed = query;
  if (pipeline !== undefined) narrowed = narrowed.where('pipeline', '=', pipeline);
  if (pool !== undefined) narrowed = narrowed.where('pool', '=', pool);
  // An empty list means none of the states, and IN () is no SQL.
  if (states !== undefined) narrowed = narrowed.where('state', 'in', states.length === 0 ? [''] : states);
  if (trigger !== undefined) narrowed = narrowed.where('trigger_type', '=', trigger);
  if (createdAfter !== undefined) narrowed = narrowed.where('created_at', '>', createdAfter);
  if (createdBefore !== undefined) narrowed = narrowed.where('created_at', '<', createdBefore);
  return narrowed;
}

/** Not ended, also in a state that nobody knows; as ranges, which the index of pools and states answers. */
function isUnfinished(all: ExpressionBuilder<Tables, 'run'>): Expression<SqlBool> {
  const between = TERMINAL.map((state, at) => {
    const above = all('state', '>', state);
    const next = TERMINAL[at + 1];
    return next === undefined ? above : all.and([above, all('state', '<', next)]);
  });
  return all.or([all('state', '<', TERMINAL[0]!), ...between]);
}

/** Runs. */
export function runStore(database: Database, pipelines: PipelineStore): RunStore {
  const { reader, dialect, runKeys } = database;

  const read = (row: Selectable<RunTable>): Run => {
    const run = database.sound(mendedRun(row));
    runKeys.remember(run.id, run.key);
    return run;
  };

  return {
    async byIds(ids) {
      const found = new Map<RunId, Run>();
      for (const piece of piecesOf([...new Set(ids)], dialect.listLimit)) {
        const rows = await reader.selectFrom('run').selectAll().where('id', 'in', piece).execute();
        for (const row of rows) {
          const run = read(row);
          found.set(run.id, run);
        }
      }
      return ids.map((id) => found.get(id) ?? null);
    },

    async page(args, filter) {
      const after = place.key(args.after);
      const rows = await matching(reader.selectFrom('run').selectAll(), filter)
        .$if(after !== undefined, (query) => query.where('run_key', '<', after!))
        .orderBy('run_key', 'desc')
        .limit(rowsToRead(args))
        .execute();
      return pageOf(rows.map(read), args, ({ key }) => place.cursor(key));
    },

    async count(filter) {
      const query = reader.selectFrom('run').select((all) => all.fn.countAll().as('count'));
      return countOf(await matching(query, filter).executeTakeFirstOrThrow());
    },

    async unfinished(pool, onDamaged) {
      const rows = await reader
        .selectFrom('run')
        .selectAll()
        .where('pool', '=', pool)
        .where(isUnfinished)
        .orderBy('run_key')
        .execute();
      const runs = rows.flatMap((row) => {
        const { value, damage } = mendedRun(row);
        if (damage === null) return read(row);
        if (onDamaged === undefined) throw damage;
        database.tellOfDamage(damage);
        onDamaged({ id: value.id, key: value.key, pipeline: value.pipeline, message: damage.message });
        return [];
      });
      return recover(database, pipelines, runs, onDamaged);
    },

    setAside: (lease, runs, at) => setAside(database, lease, runs, at),

    withTaskRuns: (runs) => recover(database, pipelines, runs, () => undefined),

    async whole(id) {
      const row = await reader.selectFrom('run').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row) return null;
      const [recovered] = await recover(database, pipelines, [runOf(row)]);
      if (recovered === undefined || recovered.taskRuns.length === recovered.run.taskRunCount) return recovered ?? null;
      // Somebody may have deleted it between the two reads: a part of a run is none.
      const still = await reader.selectFrom('run').select('id').where('id', '=', id).executeTakeFirst();
      if (still !== undefined) return recovered;
      runKeys.forget([id]);
      return null;
    },
  };
}
