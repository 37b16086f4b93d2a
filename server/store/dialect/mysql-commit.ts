import type { Clock } from '../../clock.ts';
import type { Change, StoredTaskRun } from '../../domain/change.ts';
import { retrying } from '../database.ts';
import { type HeldLease, StoreUnavailable } from '../store.ts';
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
  SHADOW_COLUMNS,
  shadowRow,
  supersededAttempt,
  TASK_RUN_CHANGING,
  type Value,
  USAGE_COLUMNS,
  usageRow,
} from './images.ts';
import { isRetriable, mysqlError } from './mysql-error.ts';
import type { MysqlConnection, MysqlPool } from './mysql-pool.ts';
import { insertStatements, literal, takeOver } from './mysql-statements.ts';
import { type CountedStatement, rowsFound, type Updated, updateStatements } from './mysql-updates.ts';

/** How often the outcome of a COMMIT whose answer was lost is asked for, and how far apart. */
const OUTCOME_TRIES = 5;
const OUTCOME_APART_MS = 300;

const taskRunValues = (taskRun: StoredTaskRun): Value[] => {
  const values: Value[] = [];
  pushTaskRun(values, taskRun);
  return values;
};
/** Alike rows beside each other, so that most columns are constant per statement. */
const byState = (a: StoredTaskRun, b: StoredTaskRun): number =>
  a.state < b.state ? -1 : a.state > b.state ? 1 : a.runKey - b.runKey || a.ordinal - b.ordinal;

/** The left side is assigned in the order written, and sees what was assigned before it: the limit comes first. */
const LIMIT_THEN_REST =
  'capacity_limit=IF(VALUES(capacity)<capacity,GREATEST(VALUES(capacity),capacity_limit),' +
  'GREATEST(VALUES(capacity),LEAST(capacity_limit,reserved))),' +
  takeOver(['capacity', 'reserved', 'revision']);

/** The first statement of the transaction: only the owner, and only with the next sequence, changes a row by it. */
const guardOf = ({ name, epoch }: HeldLease, seq: number, { writtenSeq }: Change): string =>
  `UPDATE lease SET seq=seq+1,written_seq=${literal(writtenSeq)} WHERE name=${literal(name)} AND epoch=${literal(epoch)} AND seq=${literal(seq - 1)}`;

const RUNS: Updated = { table: 'run', changing: RUN_CHANGING, keys: ['run_key'] };
const COUNTS: Updated = { table: 'run', changing: RUN_COUNTS, keys: ['run_key'] };
const TASK_RUNS: Updated = {
  table: 'task_run',
  changing: TASK_RUN_CHANGING,
  keys: ['run_key', 'ordinal'],
  placeholders: { task_key: '', state: '', failures: 0, losses: 0, revision: 0 },
};
const COMMANDS: Updated = { table: 'command', changing: ['receipt', 'run'], keys: ['id'] };
const POOL_SCHEDULERS: Updated = { table: 'pool', changing: POOL_CHANGING, keys: ['name'] };
const POOLS: Updated = { table: 'pool', changing: ['scheduler_memory'], keys: ['name'] };

/** A change as the texts of its statements. */
interface Statements {
  readonly updates: readonly CountedStatement[];
  readonly inserts: readonly string[];
}

function statementsOf(lease: HeldLease, seq: number, change: Change): Statements {
  const { createdTaskRuns, changedTaskRuns, nodes, receipts } = change;
  const inserts = [
    ...insertStatements('run', [...RUN_FIXED, ...RUN_CHANGING, 'run_key'], change.createdRuns.map(createdRun)),
    ...insertStatements(
      'task_run',
      ['task_key', ...TASK_RUN_CHANGING, 'run_key', 'ordinal'],
      createdTaskRuns.map((taskRun) => [taskRun.taskKey, ...taskRunValues(taskRun)]),
    ),
    ...insertStatements('attempt', ATTEMPT_COLUMNS, change.supersededAttempts.map(supersededAttempt)),
    ...insertStatements(
      'pool_shadow',
      SHADOW_COLUMNS,
      change.poolUpdate ? [shadowRow(lease.name, change.poolUpdate)] : [],
      ` ON DUPLICATE KEY UPDATE ${takeOver(SHADOW_COLUMNS)}`,
    ),
    ...insertStatements(
      'pool_default',
      POOL_DEFAULT_COLUMNS,
      change.poolIdempotent === undefined ? [] : [poolDefaultRow(lease.name, change.poolIdempotent)],
      ` ON DUPLICATE KEY UPDATE ${takeOver(POOL_DEFAULT_COLUMNS)}`,
    ),
    ...insertStatements(
      'decision',
      DECISION_COLUMNS,
      change.decision ? [decisionRow(lease.name, seq, change.decision)] : [],
    ),
    ...insertStatements('attempt_gpu', GPU_COLUMNS, change.gpus.map(gpuRow)),
    ...insertStatements('attempt_usage', USAGE_COLUMNS, change.usages.map(usageRow)),
    ...insertStatements('task_run_reason', REASON_COLUMNS, reasonRows(change.reasons)),
    ...insertStatements('evidence', EVIDENCE_COLUMNS, change.evidence.map(evidenceRow)),
    ...insertStatements(
      'node',
      [...NODE_COLUMNS, 'name'],
      nodes.map(nodeRow),
      ` ON DUPLICATE KEY UPDATE ${takeOver(NODE_COLUMNS)}`,
    ),
    ...resourceStatements(change),
    ...insertStatements('node_record', NODE_RECORD_COLUMNS, change.nodeRecords.map(nodeRecordRow)),
    ...insertStatements(
      'event',
      ['pool', 'seq', 'epoch', 'at', 'body', 'assigned'],
      [[lease.name, seq, lease.epoch, change.at, eventBody(change), assignedBody(change)]],
    ),
  ];
  const updates = [
    ...updateStatements(RUNS, change.changedRuns.map(changedRun)),
    ...updateStatements(COUNTS, change.countedRuns.map(countedRun)),
    ...updateStatements(TASK_RUNS, [...changedTaskRuns].sort(byState).map(taskRunValues)),
    ...updateStatements(
      COMMANDS,
      receipts.map(({ command, receipt, run }) => [JSON.stringify(receipt), run ?? null, command]),
    ),
  ];
  if (change.poolUpdate !== undefined) {
    updates.push(...updateStatements(POOL_SCHEDULERS, [poolRow(lease.name, change.poolUpdate)]));
  } else if (change.schedulerMemory !== undefined) {
    updates.push(...updateStatements(POOLS, [[JSON.stringify(change.schedulerMemory), lease.name]]));
  }
  return { updates, inserts };
}

/** First every row is there, holding nothing; then the CHECK judges the update alone. */
function resourceStatements({ nodes }: Change): string[] {
  const columns = ['node', 'resource', 'capacity', 'capacity_limit', 'reserved', 'revision'];
  const images = resourceImages(nodes);
  return [
    ...insertStatements(
      'node_resource',
      columns,
      images.map(({ node, resource, capacity, revision }) => [node, resource, capacity, capacity, 0, revision]),
      ' ON DUPLICATE KEY UPDATE node=VALUES(node)',
    ),
    ...insertStatements(
      'node_resource',
      columns,
      images.map(({ node, resource, capacity, reserved, revision }) => [
        node,
        resource,
        capacity,
        Math.max(capacity, reserved),
        reserved,
        revision,
      ]),
      ` ON DUPLICATE KEY UPDATE ${LIMIT_THEN_REST}`,
    ),
  ];
}

/** Writes changes on connections of the engine's own. */
export class MysqlCommitter implements Committer {
  readonly #pool: MysqlPool;
  readonly #clock: Clock;

  constructor(pool: MysqlPool, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  async commit(lease: HeldLease, seq: number, change: Change): Promise<void> {
    const guard = guardOf(lease, seq, change);
    const statements = statementsOf(lease, seq, change);
    await retrying({ isRetriable }, this.#clock, () => this.#write(lease, seq, guard, statements));
  }

  async #write(lease: HeldLease, seq: number, guard: string, statements: Statements): Promise<void> {
    const connection = await this.#pool.acquire();
    let isOutcomeOpen = false;
    let failure: unknown;
    try {
      await connection.query('START TRANSACTION');
      if (rowsFound(await connection.query(guard), { counts: 'FOUND' }) !== 1) throw leaseLost(lease, seq);
      await writeRows(connection, statements);
      isOutcomeOpen = true;
      await connection.query('COMMIT');
      return;
    } catch (error) {
      failure = mysqlError(error);
      isOutcomeOpen &&= connection.isBroken;
      await connection.rollback();
    } finally {
      connection.release();
    }
    if (isOutcomeOpen && (await this.#isStored(lease, seq))) return;
    throw failure;
  }

  /** Whether the commit took place. The lock on the lease waits until the server has settled it one way or the other. */
  async #isStored(lease: HeldLease, seq: number): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#readBack(lease, seq);
      } catch (error) {
        if (tries === OUTCOME_TRIES) {
          throw new StoreUnavailable(
            `The connection was lost during the commit of sequence ${seq} of the pool ${lease.name}, and the database cannot tell whether it took place. Load anew.`,
            { cause: error },
          );
        }
        await this.#clock.sleep(OUTCOME_APART_MS);
      }
    }
  }

  async #readBack(lease: HeldLease, seq: number): Promise<boolean> {
    const connection = await this.#pool.acquire();
    try {
      await connection.query('START TRANSACTION');
      await connection.query(`SELECT seq FROM lease WHERE name=${literal(lease.name)} FOR UPDATE`);
      const rows = await connection.query(
        `SELECT 1 FROM event WHERE pool=${literal(lease.name)} AND seq=${seq} AND epoch=${lease.epoch}`,
      );
      return Array.isArray(rows) && rows.length === 1;
    } finally {
      await connection.rollback();
      connection.release();
    }
  }
}

async function writeRows(connection: MysqlConnection, { updates, inserts }: Statements): Promise<void> {
  for (const statement of updates) {
    const found = rowsFound(await connection.query(statement.text), statement);
    if (found !== statement.rows) {
      // A bug of ours: memory and store have parted.
      const { rows, text } = statement;
      throw new Error(`${rows - found} of ${rows} rows that are to be changed are not stored: ${text.slice(0, 30)}…`);
    }
  }
  for (const text of inserts) await connection.query(text);
}
