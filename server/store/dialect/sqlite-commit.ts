import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Change, StoredTaskRun } from '../../domain/change.ts';
import type { HeldLease } from '../store.ts';
import { leaseLost, type Committer } from './committer.ts';
import {
  assignedBody,
  ATTEMPT_COLUMNS,
  changedRun,
  countedRun,
  createdRun,
  DECISION_COLUMNS,
  decisionRow,
  EVIDENCE_COLUMNS,
  eventBody,
  evidenceRow,
  GPU_COLUMNS,
  gpuRow,
  NODE_COLUMNS,
  NODE_RECORD_COLUMNS,
  nodeRecordRow,
  nodeRow,
  POOL_CHANGING,
  POOL_DEFAULT_COLUMNS,
  poolDefaultRow,
  poolRow,
  pushTaskRun,
  REASON_COLUMNS,
  reasonRows,
  resourceImages,
  RUN_CHANGING,
  RUN_COUNTS,
  RUN_FIXED,
  runImage,
  SHADOW_COLUMNS,
  shadowRow,
  supersededAttempt,
  TASK_RUN_CHANGING,
  taskRunImage,
  type Value,
  USAGE_COLUMNS,
  usageRow,
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
    countRun: prepare(`UPDATE run SET ${set(RUN_COUNTS)} WHERE run_key = ?`),
    createTaskRun: prepare(insert('task_run', TASK_RUN_INSERTED)),
    createTaskRuns: prepare(insert('task_run', TASK_RUN_INSERTED, ROWS_PER_INSERT)),
    changeTaskRun: prepare(`UPDATE task_run SET ${set(TASK_RUN_CHANGING)} WHERE run_key = ? AND ordinal = ?`),
    attempt: prepare(insert('attempt', ATTEMPT_COLUMNS)),
    gpus: prepare(insert('attempt_gpu', GPU_COLUMNS)),
    usage: prepare(insert('attempt_usage', USAGE_COLUMNS)),
    reason: prepare(insert('task_run_reason', REASON_COLUMNS)),
    evidence: prepare(insert('evidence', EVIDENCE_COLUMNS)),
    changeNode: prepare(`UPDATE node SET ${set(NODE_COLUMNS)} WHERE name = ?`),
    createNode: prepare(insert('node', [...NODE_COLUMNS, 'name'])),
    nodeRecord: prepare(insert('node_record', NODE_RECORD_COLUMNS)),
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
    updatePool: prepare(`UPDATE pool SET ${set(POOL_CHANGING)} WHERE name = ?`),
    shadow: prepare(insert('pool_shadow', SHADOW_COLUMNS).replace('INSERT', 'INSERT OR REPLACE')),
    poolDefault: prepare(insert('pool_default', POOL_DEFAULT_COLUMNS).replace('INSERT', 'INSERT OR REPLACE')),
    decision: prepare(insert('decision', DECISION_COLUMNS)),
    event: prepare('INSERT INTO event (pool, seq, epoch, at, body, assigned) VALUES (?, ?, ?, ?, ?, ?)'),
  };
}

/** The rows as they are now, for a commit that must wait while the engine goes on with its own objects. */
const imagesOf = (change: Change): Change => ({
  ...change,
  changedRuns: change.changedRuns.map(runImage),
  countedRuns: change.countedRuns.map(runImage),
  createdRuns: change.createdRuns.map(runImage),
  createdTaskRuns: change.createdTaskRuns.map(taskRunImage),
  changedTaskRuns: change.changedTaskRuns.map(taskRunImage),
  nodes: change.nodes.map((node) => ({ ...node, reserved: { ...node.reserved } })),
});

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
    let images = change;
    if (!this.#writing.tryAcquire()) {
      images = imagesOf(change);
      await this.#writing.acquire();
    }
    try {
      this.#write(lease, seq, images);
    } catch (error) {
      throw sqliteError(error);
    } finally {
      this.#writing.release();
    }
  }

  #write(lease: HeldLease, seq: number, change: Change): void {
    const { begin, end, undo, guard } = this.#statements;
    begin.run();
    try {
      if (guard.run(change.writtenSeq, lease.name, lease.epoch, seq - 1).changes !== 1) throw leaseLost(lease, seq);
      this.#writeRows(lease, seq, change);
      end.run();
    } catch (error) {
      // A full disk rolls back by itself.
      if (this.#database.isTransaction) undo.run();
      throw error;
    }
  }

  #writeRows(lease: HeldLease, seq: number, change: Change): void {
    const statements = this.#statements;
    for (const run of change.createdRuns) statements.createRun.run(...createdRun(run));
    for (const run of change.changedRuns) statements.changeRun.run(...changedRun(run));
    for (const run of change.countedRuns) statements.countRun.run(...countedRun(run));
    this.#createTaskRuns(change.createdTaskRuns);
    for (const taskRun of change.changedTaskRuns) {
      if (runTaskRun(statements.changeTaskRun, taskRun).changes !== 1) throw missingTaskRun(taskRun);
    }
    for (const superseded of change.supersededAttempts) statements.attempt.run(...supersededAttempt(superseded));
    for (const held of change.gpus) statements.gpus.run(...gpuRow(held));
    for (const used of change.usages) statements.usage.run(...usageRow(used));
    for (const row of reasonRows(change.reasons)) statements.reason.run(...row);
    for (const evidence of change.evidence) statements.evidence.run(...evidenceRow(evidence));
    for (const node of change.nodes) {
      const row = nodeRow(node);
      if (statements.changeNode.run(...row).changes === 0) statements.createNode.run(...row);
    }
    for (const resource of resourceImages(change.nodes)) {
      if (statements.changeResource.run(resource).changes === 0) statements.createResource.run(resource);
    }
    for (const record of change.nodeRecords) statements.nodeRecord.run(...nodeRecordRow(record));
    for (const { command, receipt, run } of change.receipts) {
      statements.receipt.run(JSON.stringify(receipt), run ?? null, command);
    }
    if (change.schedulerMemory !== undefined) {
      statements.memory.run(JSON.stringify(change.schedulerMemory), lease.name);
    }
    if (change.poolUpdate !== undefined) {
      statements.updatePool.run(...poolRow(lease.name, change.poolUpdate));
      statements.shadow.run(...shadowRow(lease.name, change.poolUpdate));
    }
    if (change.poolIdempotent !== undefined)
      statements.poolDefault.run(...poolDefaultRow(lease.name, change.poolIdempotent));
    if (change.decision !== undefined) statements.decision.run(...decisionRow(lease.name, seq, change.decision));
    statements.event.run(lease.name, seq, lease.epoch, change.at, eventBody(change), assignedBody(change));
  }

  #createTaskRuns(taskRuns: readonly StoredTaskRun[]): void {
    const { createTaskRun, createTaskRuns } = this.#statements;
    let start = 0;
    for (; start + ROWS_PER_INSERT <= taskRuns.length; start += ROWS_PER_INSERT) {
      const values: Value[] = [];
      for (let index = start; index < start + ROWS_PER_INSERT; index++) pushCreated(values, taskRuns[index]!);
      createTaskRuns.run(...values);
    }
    for (; start < taskRuns.length; start++) {
      const values: Value[] = [];
      pushCreated(values, taskRuns[start]!);
      createTaskRun.run(...values);
    }
  }
}

function pushCreated(values: Value[], taskRun: StoredTaskRun): void {
  values.push(taskRun.taskKey);
  pushTaskRun(values, taskRun);
}

/** Runs with the values of `pushTaskRun`, without a list of them: this is most of what a server writes. */
function runTaskRun(statement: StatementSync, taskRun: StoredTaskRun) {
  const { attempt } = taskRun;
  return statement.run(
    taskRun.mapIndex,
    taskRun.state,
    attempt === null ? null : attempt.number,
    attempt === null ? null : attempt.state,
    attempt === null ? null : attempt.node,
    attempt === null ? null : attempt.assignedAt,
    attempt === null ? null : attempt.startedAt,
    attempt === null ? null : attempt.finishedAt,
    attempt === null || attempt.failure === null ? null : JSON.stringify(attempt.failure),
    taskRun.readyAt,
    taskRun.dueAt,
    taskRun.finishedAt,
    taskRun.failures,
    taskRun.losses,
    taskRun.outputs === null ? null : JSON.stringify(taskRun.outputs),
    taskRun.revision,
    taskRun.runKey,
    taskRun.ordinal,
  );
}

/** A bug of ours: memory and store have parted. */
const missingTaskRun = ({ run, ordinal }: StoredTaskRun): Error =>
  new Error(`The task run ${ordinal} of the run ${run} is to be changed but is not stored.`);
