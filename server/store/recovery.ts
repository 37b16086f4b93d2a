import type { RunId } from '../domain/ids.ts';
import type { DamagedRun, RecoveredRun } from '../domain/input.ts';
import type { PipelineDefinition } from '../domain/pipeline.ts';
import type { Run } from '../domain/run.ts';
import type { TaskRun } from '../domain/task-run.ts';
import { CorruptRow, whole } from './columns.ts';
import { piecesOf, type Database } from './database.ts';
import type { PipelineStore } from './store.ts';
import { taskRunOf } from './task-run-row.ts';

/** Task runs per statement of a recovery. */
const RECOVERED_AT_ONCE = 20_000;

/** Told of each run that cannot be recovered, once; it is left out then. */
export type OnDamaged = (damaged: DamagedRun) => void;

/** Runs with everything that is stored of them, in their order. Without `onDamaged` throws CorruptRow for a bad row. */
export async function recover(
  database: Database,
  pipelines: PipelineStore,
  runs: readonly Run[],
  onDamaged?: OnDamaged,
): Promise<RecoveredRun[]> {
  const bad = new Map<number, CorruptRow>();
  const blame = (runKey: number, error: unknown): void => {
    if (!(error instanceof CorruptRow) || onDamaged === undefined) throw error;
    if (!bad.has(runKey)) bad.set(runKey, error);
  };
  const definitions = await definitionsOf(database, pipelines, runs, onDamaged !== undefined);
  const taskRuns = await taskRunsOf(database, runs, blame);
  const recovered: RecoveredRun[] = [];
  for (const run of runs) {
    const definition = definitions.get(versionKey(run));
    if (definition === undefined || typeof definition === 'string') {
      const why = definition ?? `${run.pipeline} has no version ${run.version}`;
      blame(run.key, new CorruptRow('run', run.id, 'version', why));
    }
    const damage = bad.get(run.key);
    if (damage !== undefined)
      onDamaged?.({ id: run.id, key: run.key, pipeline: run.pipeline, message: damage.message });
    else recovered.push({ run, definition: definition as PipelineDefinition, taskRuns: taskRuns.get(run.key) ?? [] });
  }
  return recovered;
}

const versionKey = ({ pipeline, version }: Pick<Run, 'pipeline' | 'version'>): string => `${version} ${pipeline}`;

/** The definitions of the runs' versions; a text says why one cannot be read. */
async function definitionsOf(
  database: Database,
  pipelines: PipelineStore,
  runs: readonly Run[],
  isLenient: boolean,
): Promise<Map<string, PipelineDefinition | string>> {
  const pinned = new Map(runs.map((run) => [versionKey(run), { pipeline: run.pipeline, number: run.version }]));
  const definitions = new Map<string, PipelineDefinition | string>();
  const versions = await pipelines.versions([...pinned.values()], ({ pipeline, number }, damage) => {
    if (!isLenient) throw damage;
    database.tellOfDamage(damage);
    definitions.set(versionKey({ pipeline, version: number }), damage.message);
  });
  for (const version of versions) {
    if (version)
      definitions.set(versionKey({ pipeline: version.pipeline, version: version.number }), version.definition);
  }
  return definitions;
}

type Blame = (runKey: number, error: unknown) => void;

/** The task runs of runs, by the runs' keys, each list by ordinal. */
async function taskRunsOf(database: Database, runs: readonly Run[], blame: Blame): Promise<Map<number, TaskRun[]>> {
  const byRun = new Map(runs.map(({ key }): [number, TaskRun[]] => [key, []]));
  for (const piece of piecesOf(runs, database.dialect.listLimit)) {
    for (const part of partsOf(piece)) {
      // A run with very many task runs is read in slices, so that no answer is larger than a packet.
      const most = Math.max(...part.map(({ taskRunCount }) => taskRunCount));
      for (let from = 0; from < Math.max(most, 1); from += RECOVERED_AT_ONCE)
        // The count may be a bad one, too.
        if ((await readSlice(database, part, from, byRun, blame)) === 0) break;
    }
  }
  return byRun;
}

/** Adds the task runs with ordinals from `from`, at most RECOVERED_AT_ONCE of each run. Resolves with how many. */
async function readSlice(
  { reader }: Database,
  runs: readonly Run[],
  from: number,
  byRun: ReadonlyMap<number, TaskRun[]>,
  blame: Blame,
): Promise<number> {
  const ids = new Map<number, RunId>(runs.map(({ key, id }) => [key, id]));
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
    try {
      byRun.get(key)?.push(taskRunOf(row, ids.get(key)!));
    } catch (error) {
      blame(key, error);
    }
  }
  return rows.length;
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
