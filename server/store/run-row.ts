import type { Selectable } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import type { Run } from '../domain/run.ts';
import { isTerminalRun } from '../domain/run.ts';
import { columns, time, timeOrNull, whole } from './columns.ts';
import { mended, unreadable, type Mended, type Neutral } from './damage.ts';
import type { RunTable } from './tables.ts';

/** Turns a row into a run. */
export function runOf(row: Selectable<RunTable>): Run {
  const { id } = row;
  const read = columns.run;
  return {
    id: id as RunId,
    key: whole(row.run_key, 'run', 'run_key', id),
    pool: row.pool,
    pipeline: row.pipeline,
    version: whole(row.version, 'run', 'version', id),
    params: read.params(row.params, id),
    priority: whole(row.priority, 'run', 'priority', id),
    trigger: read.trigger(row.trigger_type, id),
    createdBy: row.created_by,
    retryOf: row.retry_of as RunId | null,
    createdAt: time(row.created_at, 'run', 'created_at', id),
    state: read.state(row.state, id),
    startedAt: timeOrNull(row.started_at, 'run', 'started_at', id),
    finishedAt: timeOrNull(row.finished_at, 'run', 'finished_at', id),
    reason: row.reason === null ? null : read.reason(row.reason, id),
    taskRunCount: whole(row.task_run_count, 'run', 'task_run_count', id),
    finishedCount: whole(row.finished_count, 'run', 'finished_count', id),
    failedCount: whole(row.failed_count, 'run', 'failed_count', id),
    revision: whole(row.revision, 'run', 'revision', id),
  };
}

const NEUTRAL: Neutral<Selectable<RunTable>> = {
  version: 0,
  params: '{}',
  priority: 0,
  trigger_type: 'MANUAL',
  created_at: 0,
  state: 'FAILED',
  started_at: null,
  finished_at: null,
  reason: null,
  task_run_count: 0,
  finished_count: 0,
  failed_count: 0,
  revision: 0,
};

/** Turns a row that may be damaged into a run: a damaged one has FAILED, with the reason. */
export function mendedRun(row: Selectable<RunTable>): Mended<Run> {
  const { value, damage } = mended(row, runOf, NEUTRAL);
  if (damage === null) return { value, damage };
  const state = isTerminalRun(value.state) ? value.state : 'FAILED';
  return { value: { ...value, state, reason: value.reason ?? unreadable(damage) }, damage };
}
