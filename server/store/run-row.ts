import type { Selectable } from 'kysely';
import type { RunId } from '../domain/ids.ts';
import type { Run } from '../domain/run.ts';
import { columns, whole } from './columns.ts';
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
    createdAt: whole(row.created_at, 'run', 'created_at', id),
    state: read.state(row.state, id),
    startedAt: row.started_at === null ? null : whole(row.started_at, 'run', 'started_at', id),
    finishedAt: row.finished_at === null ? null : whole(row.finished_at, 'run', 'finished_at', id),
    reason: row.reason === null ? null : read.reason(row.reason, id),
    taskRunCount: whole(row.task_run_count, 'run', 'task_run_count', id),
    finishedCount: whole(row.finished_count, 'run', 'finished_count', id),
    failedCount: whole(row.failed_count, 'run', 'failed_count', id),
    revision: whole(row.revision, 'run', 'revision', id),
  };
}
