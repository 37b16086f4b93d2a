import type { Selectable } from 'kysely';
import type { Reason, Usage } from '@gantry/plugin-kit/vocabulary';
import type { Attempt } from '../domain/attempt.ts';
import type { RunId } from '../domain/ids.ts';
import { isTerminalRun, runTransitions, type RunState } from '../domain/run.ts';
import { isActiveTaskRun, taskRunTransitions, type TaskRun, type TaskRunState } from '../domain/task-run.ts';
import { columns, whole } from './columns.ts';
import { numberedPlace, pageOf, rowsToRead } from './cursor.ts';
import { mended } from './damage.ts';
import { piecesOf, type Database } from './database.ts';
import { endedAttempts } from './ended-attempts.ts';
import type { TaskRunStore } from './store.ts';
import type { TaskRunTable } from './tables.ts';
import { mendedAttempt, mendedTaskRun, usageOf } from './task-run-row.ts';

const place = numberedPlace('taskRun');
const ACTIVE = (Object.keys(taskRunTransitions) as TaskRunState[]).filter(isActiveTaskRun);
const UNFINISHED = (Object.keys(runTransitions) as RunState[]).filter((state) => !isTerminalRun(state));
/** Of so many runs the durations are read, and at most so many rows. */
const RUNS_OF_DURATIONS = 200;
const MAX_DURATIONS = 20_000;
/** Runs whose pages one statement reads. */
const PAGES_AT_ONCE = 100;

interface TaskRunPlace {
  readonly run: RunId;
  readonly ordinal: number;
}
/** One run's ordinals, for `run_key = ? AND ordinal IN (…)`: it walks the primary key on both databases. */
interface RunOrdinals {
  readonly key: number;
  readonly run: RunId;
  readonly ordinals: number[];
}

/** Task runs, their attempts and what was said too late about them. */
export function taskRunStore(database: Database): TaskRunStore {
  const { reader, dialect, runKeys } = database;
  const read = (row: Selectable<TaskRunTable>, run: RunId): TaskRun => database.sound(mendedTaskRun(row, run));

  /** Groups places by run, and cuts them so that no statement names too many. Unknown runs are left out. */
  async function grouped(places: readonly TaskRunPlace[]): Promise<RunOrdinals[][]> {
    const keys = await runKeys.of(places.map(({ run }) => run));
    const groups = new Map<number, RunOrdinals>();
    for (const { run, ordinal } of places) {
      const key = keys.get(run);
      if (key === undefined) continue;
      const group = groups.get(key);
      if (group) group.ordinals.push(ordinal);
      else groups.set(key, { key, run, ordinals: [ordinal] });
    }
    const small = [...groups.values()].flatMap(({ key, run, ordinals }) =>
      piecesOf([...new Set(ordinals)], 1_000).map((piece) => ({ key, run, ordinals: piece })),
    );
    return piecesOf(small, dialect.listLimit);
  }

  async function byIds(places: readonly TaskRunPlace[]): Promise<(TaskRun | null)[]> {
    const found = new Map<string, TaskRun>();
    for (const groups of await grouped(places)) {
      const ids = new Map(groups.map(({ key, run }) => [key, run]));
      const rows = await reader
        .selectFrom('task_run')
        .selectAll()
        .where((all) =>
          all.or(
            groups.map(({ key, ordinals }) => all.and([all('run_key', '=', key), all('ordinal', 'in', ordinals)])),
          ),
        )
        .execute();
      for (const row of rows) {
        const taskRun = read(row, ids.get(whole(row.run_key, 'task_run', 'run_key'))!);
        found.set(`${taskRun.ordinal} ${taskRun.run}`, taskRun);
      }
    }
    return places.map(({ run, ordinal }) => found.get(`${ordinal} ${run}`) ?? null);
  }

  return {
    byIds,

    async pagesOfRuns(runs, args, { states }) {
      const limit = rowsToRead(args);
      const after = place.key(args.after) ?? -1;
      const keys = await runKeys.of(runs);
      const byRun = new Map<RunId, TaskRun[]>();
      const known = [...new Set(runs)]
        .flatMap((run) => ({ run, key: keys.get(run) }))
        .filter(({ key }) => key !== undefined);
      for (const piece of piecesOf(known, PAGES_AT_ONCE)) {
        const ids = new Map(piece.map(({ run, key }) => [key!, run]));
        const pages = piece.map(({ key }) => {
          let page = reader.selectFrom('task_run').selectAll().where('run_key', '=', key!).where('ordinal', '>', after);
          if (states !== undefined) page = page.where('state', 'in', states.length === 0 ? [''] : states);
          return reader.selectFrom(page.orderBy('ordinal').limit(limit).as('page')).selectAll();
        });
        const [first, ...others] = pages;
        if (!first) continue;
        const rows = await others.reduce((union, page) => union.unionAll(page), first).execute();
        for (const row of rows) {
          const run = ids.get(whole(row.run_key, 'task_run', 'run_key'))!;
          const list = byRun.get(run);
          if (list) list.push(read(row, run));
          else byRun.set(run, [read(row, run)]);
        }
      }
      for (const list of byRun.values()) list.sort((a, b) => a.ordinal - b.ordinal);
      return runs.map((run) => pageOf(byRun.get(run) ?? [], args, ({ ordinal }) => place.cursor(ordinal)));
    },

    async attempts(places) {
      const found = new Map<string, Attempt[]>();
      for (const groups of await grouped(places)) {
        const ids = new Map(groups.map(({ key, run }) => [key, run]));
        const rows = await reader
          .selectFrom('attempt')
          .selectAll()
          .where((all) =>
            all.or(
              groups.map(({ key, ordinals }) => all.and([all('run_key', '=', key), all('ordinal', 'in', ordinals)])),
            ),
          )
          .orderBy('number')
          .execute();
        for (const row of rows) {
          const key = `${row.ordinal} ${ids.get(whole(row.run_key, 'attempt', 'run_key'))}`;
          const list = found.get(key);
          if (list) list.push(database.sound(mendedAttempt(row)));
          else found.set(key, [database.sound(mendedAttempt(row))]);
        }
      }
      const taskRuns = await byIds(places);
      return places.map(({ run, ordinal }, index) => {
        const latest = taskRuns[index]?.attempt;
        // A commit between the two reads may have moved the latest into the history.
        const earlier = (found.get(`${ordinal} ${run}`) ?? []).filter(({ number }) => number !== latest?.number);
        return latest ? [...earlier, latest] : earlier;
      });
    },

    async usages(attempts) {
      const found = new Map<string, Usage>();
      for (const groups of await grouped(attempts)) {
        const ids = new Map(groups.map(({ key, run }) => [key, run]));
        const rows = await reader
          .selectFrom('attempt_usage')
          .selectAll()
          .where((all) =>
            all.or(
              groups.map(({ key, ordinals }) => all.and([all('run_key', '=', key), all('ordinal', 'in', ordinals)])),
            ),
          )
          .execute();
        for (const row of rows)
          found.set(
            `${row.number} ${row.ordinal} ${ids.get(whole(row.run_key, 'attempt_usage', 'run_key'))}`,
            usageOf(row),
          );
      }
      return attempts.map(({ run, ordinal, number }) => found.get(`${number} ${ordinal} ${run}`) ?? null);
    },

    async reasons(places) {
      const found = new Map<string, Reason>();
      for (const groups of await grouped(places)) {
        const ids = new Map(groups.map(({ key, run }) => [key, run]));
        const rows = await reader
          .selectFrom('task_run_reason')
          .selectAll()
          .where((all) =>
            all.or(
              groups.map(({ key, ordinals }) => all.and([all('run_key', '=', key), all('ordinal', 'in', ordinals)])),
            ),
          )
          .execute();
        for (const row of rows) {
          const run = ids.get(whole(row.run_key, 'task_run_reason', 'run_key'));
          const name = `${row.ordinal} ${run}`;
          found.set(name, columns.taskRunReason.reason(row.reason, name));
        }
      }
      return places.map(({ run, ordinal }) => found.get(`${ordinal} ${run}`) ?? null);
    },

    async evidence({ run, ordinal }) {
      const key = (await runKeys.of([run])).get(run);
      if (key === undefined) return [];
      const rows = await reader
        .selectFrom('evidence')
        .selectAll()
        .where('run_key', '=', key)
        .where('ordinal', '=', ordinal)
        .orderBy('id')
        .execute();
      return rows.map((row) => ({
        runKey: key,
        ordinal,
        number: whole(row.number, 'evidence', 'number', row.id),
        at: whole(row.at, 'evidence', 'at', row.id),
        node: row.node,
        report: database.sound(
          mended(row, ({ report }) => columns.evidence.report(report, row.id), { report: 'null' }),
        ),
      }));
    },

    /** Looks through the unfinished runs: an index for it would cost two more writes per task. */
    async onNode(node, limit) {
      const rows = await reader
        .selectFrom('run')
        .innerJoin('task_run', 'task_run.run_key', 'run.run_key')
        .selectAll('task_run')
        .select('run.id as run')
        .where('run.state', 'in', UNFINISHED)
        .where('run.pool', 'in', (pools) => pools.selectFrom('node').select('pool').where('name', '=', node))
        .where('task_run.node', '=', node)
        .where('task_run.state', 'in', ACTIVE)
        .orderBy('task_run.assigned_at')
        .orderBy('task_run.run_key')
        .orderBy('task_run.ordinal')
        .limit(limit)
        .execute();
      return rows.map((row) => read(row, row.run as RunId));
    },

    endedOnNode: (node, args) => endedAttempts(database, node, args),

    async heldGpus(pool) {
      const rows = await reader
        .selectFrom('run')
        .innerJoin('attempt_gpu', 'attempt_gpu.run_key', 'run.run_key')
        .selectAll('attempt_gpu')
        .where('run.pool', '=', pool)
        .where('run.state', 'in', UNFINISHED)
        .execute();
      return rows.map((row) => ({
        runKey: whole(row.run_key, 'attempt_gpu', 'run_key'),
        ordinal: whole(row.ordinal, 'attempt_gpu', 'ordinal'),
        number: whole(row.number, 'attempt_gpu', 'number'),
        gpus: database.sound(mended(row, ({ gpus }) => columns.attemptGpu.gpus(gpus, row.run_key), { gpus: '[]' })),
      }));
    },

    async durations(pool) {
      const runs = await reader
        .selectFrom('run')
        .select(['run_key', 'pipeline'])
        .where('pool', '=', pool)
        .where('state', '=', 'SUCCEEDED')
        .orderBy('run_key', 'desc')
        .limit(RUNS_OF_DURATIONS)
        .execute();
      const pipelines = new Map(runs.map(({ run_key, pipeline }) => [whole(run_key, 'run', 'run_key'), pipeline]));
      const rows = await reader
        .selectFrom('task_run')
        .select(['run_key', 'task_key', 'started_at', 'attempt_finished_at'])
        .where('run_key', 'in', pipelines.size === 0 ? [-1] : [...pipelines.keys()])
        .where('state', '=', 'SUCCEEDED')
        .orderBy('run_key', 'desc')
        .limit(MAX_DURATIONS)
        .execute();
      return rows.reverse().flatMap(({ run_key, task_key: taskKey, started_at, attempt_finished_at }) => {
        const [began, ended] = [Number(started_at), Number(attempt_finished_at)];
        if (started_at === null || attempt_finished_at === null || !Number.isSafeInteger(ended - began)) return [];
        return { pipeline: pipelines.get(whole(run_key, 'task_run', 'run_key'))!, taskKey, durationMs: ended - began };
      });
    },
  };
}
