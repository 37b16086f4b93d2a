import type { Selectable, SelectQueryBuilder } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import type { RecoveredRun } from '../domain/input.ts';
import type { PipelineDefinition } from '../domain/pipeline.ts';
import { isTerminalRun, runTransitions, type Run, type RunState } from '../domain/run.ts';
import type { TaskRun } from '../domain/task-run.ts';
import { CorruptRow, countOf, whole } from './columns.ts';
import { numberedPlace, pageOf, rowsToRead } from './cursor.ts';
import { piecesOf, type Database } from './database.ts';
import { runOf } from './run-row.ts';
import type { PipelineStore, RunFilter, RunStore } from './store.ts';
import type { RunTable, Tables } from './tables.ts';
import { taskRunOf } from './task-run-row.ts';

const place = numberedPlace('run');
const UNFINISHED = (Object.keys(runTransitions) as RunState[]).filter((state) => !isTerminalRun(state));
/** Task runs per statement of a recovery. */
const RECOVERED_AT_ONCE = 20_000;

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

/** Runs. */
export function runStore(database: Database, pipelines: PipelineStore): RunStore {
  const { reader, dialect, runKeys } = database;

  const read = (row: Selectable<RunTable>): Run => {
    const run = runOf(row);
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

    async unfinished(pool) {
      const rows = await reader
        .selectFrom('run')
        .selectAll()
        .where('pool', '=', pool)
        .where('state', 'in', UNFINISHED)
        .orderBy('run_key')
        .execute();
      return recover(database, pipelines, rows.map(read));
    },

    withTaskRuns: (runs) => recover(database, pipelines, runs),

    async whole(id) {
      const row = await reader.selectFrom('run').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row) return null;
      const [recovered] = await recover(database, pipelines, [read(row)]);
      if (recovered === undefined || recovered.taskRuns.length === recovered.run.taskRunCount) return recovered ?? null;
      // Somebody may have deleted it between the two reads: a part of a run is none.
      const still = await reader.selectFrom('run').select('id').where('id', '=', id).executeTakeFirst();
      if (still !== undefined) return recovered;
      runKeys.forget([id]);
      return null;
    },
  };
}

async function recover(database: Database, pipelines: PipelineStore, runs: readonly Run[]): Promise<RecoveredRun[]> {
  const definitions = await definitionsOf(pipelines, runs);
  const taskRuns = await taskRunsOf(database, runs);
  return runs.map((run) => {
    const definition = definitions.get(versionKey(run));
    if (!definition) throw new CorruptRow('run', run.id, 'version', `${run.pipeline} has no version ${run.version}`);
    return { run, definition, taskRuns: taskRuns.get(run.key) ?? [] };
  });
}

const versionKey = ({ pipeline, version }: Run): string => `${version} ${pipeline}`;

async function definitionsOf(pipelines: PipelineStore, runs: readonly Run[]): Promise<Map<string, PipelineDefinition>> {
  const pinned = new Map(runs.map((run) => [versionKey(run), { pipeline: run.pipeline, number: run.version }]));
  const versions = await pipelines.versions([...pinned.values()]);
  const definitions = new Map<string, PipelineDefinition>();
  for (const version of versions) {
    if (version) definitions.set(`${version.number} ${version.pipeline}`, version.definition);
  }
  return definitions;
}

/** The task runs of runs, by the runs' keys, each list by ordinal. */
async function taskRunsOf(database: Database, runs: readonly Run[]): Promise<Map<number, TaskRun[]>> {
  const byRun = new Map(runs.map(({ key }): [number, TaskRun[]] => [key, []]));
  for (const piece of piecesOf(runs, database.dialect.listLimit)) {
    for (const part of partsOf(piece)) {
      // A run with very many task runs is read in slices, so that no answer is larger than a packet.
      const most = Math.max(...part.map(({ taskRunCount }) => taskRunCount));
      for (let from = 0; from < Math.max(most, 1); from += RECOVERED_AT_ONCE)
        await readSlice(database, part, from, byRun);
    }
  }
  return byRun;
}

/** Adds the task runs with ordinals from `from`, at most RECOVERED_AT_ONCE of each run. */
async function readSlice(
  { reader }: Database,
  runs: readonly Run[],
  from: number,
  byRun: ReadonlyMap<number, TaskRun[]>,
): Promise<void> {
  const ids = new Map(runs.map(({ key, id }) => [key, id]));
  const rows = await reader
    .selectFrom('task_run')
    .selectAll()
    .where('run_key', 'in', [...ids.keys()])
    .where('ordinal', '>=', from)
    .where('ordinal', '<', from + RECOVERED_AT_ONCE)
    .orderBy('run_key')
    .orderBy('ordinal')
    .execute();
  for (const row of rows) {
    const key = whole(row.run_key, 'task_run', 'run_key');
    byRun.get(key)?.push(taskRunOf(row, ids.get(key)!));
  }
}

/** Groups runs so that one statement reads about as many task runs as it should. */
function partsOf(runs: readonly Run[]): Run[][] {
  const parts: Run[][] = [];
  let count = Infinity;
  for (const run of runs) {
    if (count + run.taskRunCount > RECOVERED_AT_ONCE) {
      parts.push([]);
      count = 0;
    }
    parts.at(-1)!.push(run);
    count += run.taskRunCount;
  }
  return parts;
}
