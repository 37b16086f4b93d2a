import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Change } from '../../domain/change.ts';
import type { HeldLease } from '../store.ts';
import { leaseLost, type Committer } from './committer.ts';
import {
  assignedBody,
  ATTEMPT_COLUMNS,
  changedRun,
  createdRun,
  EVIDENCE_COLUMNS,
  eventBody,
  evidenceRow,
  NODE_COLUMNS,
  nodeRow,
  pushTaskRun,
  resourceImages,
  type ResourceImage,
  RUN_CHANGING,
  RUN_FIXED,
  supersededAttempt,
  TASK_RUN_CHANGING,
  TASK_RUN_VALUES,
  type Value,
} from './images.ts';
import type { Mutex } from './mutex.ts';
import { sqliteError } from './sqlite.ts';

/** Task runs per multi-row INSERT: measured best together with the single-row remainder. */
const ROWS_PER_INSERT = 64;

const set = (columns: readonly string[]): string => columns.map((column) => `${column} = ?`).join(', ');
const insert = (table: string, columns: readonly string[], rows = 1): string => {
  const row = `(${columns.map(() => '?').join(', ')})`;
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${Array.from({ length: rows }, () => row).join(', ')}`;
};
const TASK_RUN_INSERTED = ['task_key', ...TASK_RUN_CHANGING, 'run_key', 'ordinal'];

/** Statements that are prepared once and kept for ever. */
function prepareAll(database: DatabaseSync) {
  const prepare = (text: string): StatementSync => database.prepare(text);
  return {
    begin: prepare('BEGIN IMMEDIATE'),
    end: prepare('COMMIT'),
    undo: prepare('ROLLBACK'),
    guard: prepare('UPDATE lease SET seq = seq + 1, written_seq = ? WHERE name = ? AND epoch = ? AND seq = ?'),
    createRun: prepare(insert('run', [...RUN_FIXED, ...RUN_CHANGING, 'run_key'])),
    changeRun: prepare(`UPDATE run SET ${set(RUN_CHANGING)} WHERE run_key = ?`),
    createTaskRun: prepare(insert('task_run', TASK_RUN_INSERTED)),
    createTaskRuns: prepare(insert('task_run', TASK_RUN_INSERTED, ROWS_PER_INSERT)),
    changeTaskRun: prepare(`UPDATE task_run SET ${set(TASK_RUN_CHANGING)} WHERE run_key = ? AND ordinal = ?`),
    attempt: prepare(insert('attempt', ATTEMPT_COLUMNS)),
    evidence: prepare(insert('evidence', EVIDENCE_COLUMNS)),
    changeNode: prepare(`UPDATE node SET ${set(NODE_COLUMNS)} WHERE name = ?`),
    createNode: prepare(insert('node', [...NODE_COLUMNS, 'name'])),
    // Right-hand sides see the row as it was: in normal operation the limit is the capacity. When that shrinks, what
    // was allowed until now stays so in this commit; from the next on, no more than was held (I4).
    changeResource: prepare(`UPDATE node_resource SET
      capacity_limit = CASE WHEN :capacity < capacity THEN max(:capacity, capacity_limit)
        ELSE max(:capacity, min(capacity_limit, reserved)) END,
      capacity = :capacity, reserved = :reserved, revision = :revision
      WHERE node = :node AND resource = :resource`),
    createResource: prepare(`INSERT INTO node_resource (node, resource, capacity, capacity_limit, reserved, revision)
      VALUES (:node, :resource, :capacity, :capacity, :reserved, :revision)`),
    receipt: prepare('UPDATE command SET receipt = ?, run = ? WHERE id = ?'),
    memory: prepare('UPDATE pool SET scheduler_memory = ? WHERE name = ?'),
    event: prepare('INSERT INTO event (pool, seq, epoch, at, body, assigned) VALUES (?, ?, ?, ?, ?, ?)'),
  };
}

/** A change as plain parameters. */
interface Parameters {
  readonly createdRuns: readonly Value[][];
  readonly changedRuns: readonly Value[][];
  /** Flat: `task_key` and the values of `pushTaskRun`, row after row. */
  readonly createdTaskRuns: readonly Value[];
  /** Flat: the values of `pushTaskRun`, row after row. */
  readonly changedTaskRuns: readonly Value[];
  readonly attempts: readonly Value[][];
  readonly evidence: readonly Value[][];
  readonly nodes: readonly Value[][];
  readonly resources: readonly ResourceImage[];
  readonly receipts: readonly Value[][];
  readonly memory: string | undefined;
  readonly at: number;
  readonly events: string;
  readonly assigned: string | null;
  readonly writtenSeq: number;
}

function parametersOf(change: Change): Parameters {
  const createdTaskRuns: Value[] = [];
  for (const taskRun of change.createdTaskRuns) {
    createdTaskRuns.push(taskRun.taskKey);
    pushTaskRun(createdTaskRuns, taskRun);
  }
  const changedTaskRuns: Value[] = [];
  for (const taskRun of change.changedTaskRuns) pushTaskRun(changedTaskRuns, taskRun);
  return {
    createdRuns: change.createdRuns.map(createdRun),
    changedRuns: change.changedRuns.map(changedRun),
    createdTaskRuns,
    changedTaskRuns,
    attempts: change.supersededAttempts.map(supersededAttempt),
    evidence: change.evidence.map(evidenceRow),
    nodes: change.nodes.map(nodeRow),
    resources: resourceImages(change.nodes),
    receipts: change.receipts.map(({ command, receipt, run }) => [JSON.stringify(receipt), run ?? null, command]),
    memory: change.schedulerMemory === undefined ? undefined : JSON.stringify(change.schedulerMemory),
    at: change.at,
    events: eventBody(change),
    assigned: assignedBody(change),
    writtenSeq: change.writtenSeq,
  };
}

/**
 * Writes changes on the writer's connection. BEGIN to COMMIT is one synchronous stretch: nothing else of this process
 * runs in between, and with the mutex no transaction of Kysely's is open then.
 */
export class SqliteCommitter implements Committer {
  readonly #database: DatabaseSync;
  /** Prepared at the first commit: before that, there may be no tables. */
  #prepared: ReturnType<typeof prepareAll> | undefined;
  readonly #writing: Mutex;

  constructor(database: DatabaseSync, writing: Mutex) {
    this.#database = database;
    this.#writing = writing;
  }

  get #statements() {
    return (this.#prepared ??= prepareAll(this.#database));
  }

  async commit(lease: HeldLease, seq: number, change: Change): Promise<void> {
    const parameters = parametersOf(change);
    if (!this.#writing.tryAcquire()) await this.#writing.acquire();
    try {
      this.#write(lease, seq, parameters);
    } catch (error) {
      throw sqliteError(error);
    } finally {
      this.#writing.release();
    }
  }

  #write(lease: HeldLease, seq: number, parameters: Parameters): void {
    const { begin, end, undo, guard } = this.#statements;
    begin.run();
    try {
      if (guard.run(parameters.writtenSeq, lease.name, lease.epoch, seq - 1).changes !== 1) throw leaseLost(lease, seq);
      this.#writeRows(lease, seq, parameters);
      end.run();
    } catch (error) {
      // A full disk rolls back by itself.
      if (this.#database.isTransaction) undo.run();
      throw error;
    }
  }

  #writeRows(lease: HeldLease, seq: number, parameters: Parameters): void {
    const statements = this.#statements;
    each(statements.createRun, parameters.createdRuns);
    each(statements.changeRun, parameters.changedRuns);
    this.#createTaskRuns(parameters.createdTaskRuns);
    this.#changeTaskRuns(parameters.changedTaskRuns);
    each(statements.attempt, parameters.attempts);
    each(statements.evidence, parameters.evidence);
    for (const node of parameters.nodes) {
      if (statements.changeNode.run(...node).changes === 0) statements.createNode.run(...node);
    }
    for (const resource of parameters.resources) {
      if (statements.changeResource.run(resource).changes === 0) statements.createResource.run(resource);
    }
    each(statements.receipt, parameters.receipts);
    if (parameters.memory !== undefined) statements.memory.run(parameters.memory, lease.name);
    statements.event.run(lease.name, seq, lease.epoch, parameters.at, parameters.events, parameters.assigned);
  }

  #createTaskRuns(values: readonly Value[]): void {
    const { createTaskRun, createTaskRuns } = this.#statements;
    const width = TASK_RUN_VALUES + 1;
    const chunk = width * ROWS_PER_INSERT;
    let start = 0;
    for (; start + chunk <= values.length; start += chunk) createTaskRuns.run(...values.slice(start, start + chunk));
    for (; start < values.length; start += width) createTaskRun.run(...values.slice(start, start + width));
  }

  #changeTaskRuns(values: readonly Value[]): void {
    const { changeTaskRun } = this.#statements;
    for (let start = 0; start < values.length; start += TASK_RUN_VALUES) {
      const row = values.slice(start, start + TASK_RUN_VALUES);
      if (changeTaskRun.run(...row).changes !== 1) throw missingTaskRun(row);
    }
  }
}

function each(statement: StatementSync, rows: readonly SQLInputValue[][]): void {
  for (const row of rows) statement.run(...row);
}

/** A bug of ours: memory and store have parted. */
function missingTaskRun(row: readonly Value[]): Error {
  return new Error(`The task run ${row.at(-1)} of the run with key ${row.at(-2)} is to be changed but is not stored.`);
}
