import type { Selectable } from 'kysely';
import type { Usage } from '@gantry/plugin-kit/vocabulary';
import type { Attempt } from '../domain/attempt.ts';
import type { RunId } from '../domain/ids.ts';
import type { TaskRun } from '../domain/task-run.ts';
import { columns, CorruptRow, time, timeOrNull, whole } from './columns.ts';
import { mended, unreadable, type Mended, type Neutral } from './damage.ts';
import type { AttemptTable, AttemptUsageTable, TaskRunTable } from './tables.ts';

const TABLE = 'task_run';

/** Turns a row into a task run. Does without a schema per row: a recovery reads hundreds of thousands. */
export function taskRunOf(row: Selectable<TaskRunTable>, run: RunId): TaskRun {
  const key = `${run}.${row.ordinal}`;
  const read = columns.taskRun;
  return {
    run,
    ordinal: whole(row.ordinal, TABLE, 'ordinal', key),
    taskKey: row.task_key,
    mapIndex: row.map_index === null ? null : whole(row.map_index, TABLE, 'map_index', key),
    state: read.state(row.state, key),
    attempt: row.attempt_number === null ? null : latestAttemptOf(row, key),
    readyAt: timeOrNull(row.ready_at, TABLE, 'ready_at', key),
    dueAt: timeOrNull(row.due_at, TABLE, 'due_at', key),
    finishedAt: timeOrNull(row.finished_at, TABLE, 'finished_at', key),
    failures: whole(row.failures, TABLE, 'failures', key),
    losses: whole(row.losses, TABLE, 'losses', key),
    outputs: row.outputs === null ? null : read.outputs(row.outputs, key),
    revision: whole(row.revision, TABLE, 'revision', key),
  };
}

/** The columns of the latest attempt. */
type LatestAttempt = Pick<
  Selectable<TaskRunTable>,
  'attempt_number' | 'attempt_state' | 'node' | 'assigned_at' | 'started_at' | 'attempt_finished_at' | 'failure'
>;

/** Turns the latest attempt of a task run, which has one, into itself. `key` names the row. */
export function latestAttemptOf(row: LatestAttempt, key: string): Attempt {
  if (row.attempt_number === null || row.attempt_state === null || row.node === null || row.assigned_at === null) {
    throw new CorruptRow(TABLE, key, 'attempt_number', 'an attempt without state, node or time of assignment');
  }
  const read = columns.taskRun;
  return {
    number: whole(row.attempt_number, TABLE, 'attempt_number', key),
    node: row.node,
    state: read.attemptState(row.attempt_state, key),
    assignedAt: time(row.assigned_at, TABLE, 'assigned_at', key),
    startedAt: timeOrNull(row.started_at, TABLE, 'started_at', key),
    finishedAt: timeOrNull(row.attempt_finished_at, TABLE, 'attempt_finished_at', key),
    failure: row.failure === null ? null : read.failure(row.failure, key),
  };
}

/** Turns a row of the history into an attempt. */
export function attemptOf(row: Selectable<AttemptTable>): Attempt {
  const key = `${row.run_key}.${row.ordinal}.${row.number}`;
  const read = columns.attempt;
  return {
    number: whole(row.number, 'attempt', 'number', key),
    node: row.node,
    state: read.state(row.state, key),
    assignedAt: time(row.assigned_at, 'attempt', 'assigned_at', key),
    startedAt: timeOrNull(row.started_at, 'attempt', 'started_at', key),
    finishedAt: timeOrNull(row.finished_at, 'attempt', 'finished_at', key),
    failure: row.failure === null ? null : read.failure(row.failure, key),
  };
}

/** Turns a row into what an attempt used up. */
export function usageOf(row: Selectable<AttemptUsageTable>): Usage {
  const key = `${row.run_key}.${row.ordinal}.${row.number}`;
  const { peak_memory_bytes: peak, cpu_ms: cpu } = row;
  return {
    ...(peak === null ? {} : { peakMemoryBytes: whole(peak, 'attempt_usage', 'peak_memory_bytes', key) }),
    ...(cpu === null ? {} : { cpuMs: whole(cpu, 'attempt_usage', 'cpu_ms', key) }),
  };
}

const NEUTRAL: Neutral<Selectable<TaskRunTable>> = {
  map_index: null,
  state: 'FAILED',
  attempt_number: null,
  attempt_state: 'FAILED',
  assigned_at: 0,
  started_at: null,
  attempt_finished_at: null,
  failure: null,
  ready_at: null,
  due_at: null,
  finished_at: null,
  failures: 0,
  losses: 0,
  outputs: null,
  revision: 0,
};
const NEUTRAL_ATTEMPT: Neutral<Selectable<AttemptTable>> = {
  state: 'FAILED',
  assigned_at: 0,
  started_at: null,
  finished_at: null,
  failure: null,
};

const withReason = <Of extends Attempt | null>(attempt: Of, damage: CorruptRow | null): Of =>
  attempt === null || damage === null || attempt.failure !== null
    ? attempt
    : { ...attempt, failure: { kind: 'INFRASTRUCTURE', reason: unreadable(damage) } };

/** Turns a row that may be damaged into a task run; what is missing of it is the failure of its attempt. */
export function mendedTaskRun(row: Selectable<TaskRunTable>, run: RunId): Mended<TaskRun> {
  const { value, damage } = mended(row, (each) => taskRunOf(each, run), NEUTRAL);
  return { value: damage === null ? value : { ...value, attempt: withReason(value.attempt, damage) }, damage };
}

/** As above, of the latest attempt. A row without one is left out: null. */
export function mendedLatestAttempt(row: LatestAttempt, key: string): Mended<Attempt | null> {
  const { value, damage } = mended(
    row,
    (each) => (each.attempt_number === null ? null : latestAttemptOf(each, key)),
    NEUTRAL,
  );
  return { value: withReason(value, damage), damage };
}

/** As above, of the history. */
export function mendedAttempt(row: Selectable<AttemptTable>): Mended<Attempt> {
  const { value, damage } = mended(row, attemptOf, NEUTRAL_ATTEMPT);
  return { value: withReason(value, damage), damage };
}
