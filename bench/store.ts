// How fast does the store commit? `npm run bench -- store` prints, for both databases, task runs per second through
// Store.commit (with the event row, the guard and the flush) beside the raw limit of the same database in the same run:
// the same rows' state column by the fastest bare statements, 500 rows a transaction, as bench/README.md defines it.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import mysql from 'mysql2/promise';
import { systemClock } from '../server/clock.ts';
import type { Change, StoredTaskRun } from '../server/domain/change.ts';
import { runId } from '../server/domain/ids.ts';
import type { Run } from '../server/domain/run.ts';
import { openStore } from '../server/store/open.ts';
import { startMariadb } from '../test/support/databases.ts';

const TASK_RUNS = 40_000;
const BATCH = 2_000;
const LIMIT_BATCH = 500;
const ROUNDS = 5;

const id = runId('0190f3a0-0000-7000-8000-000000000001');
const run: Run = {
  id,
  key: 1,
  pool: 'default',
  pipeline: 'bench',
  version: 1,
  params: {},
  priority: 0,
  trigger: 'MANUAL',
  createdBy: 'bench',
  retryOf: null,
  createdAt: 1_700_000_000_000,
  state: 'RUNNING',
  startedAt: 1_700_000_000_000,
  finishedAt: null,
  reason: null,
  taskRunCount: TASK_RUNS,
  finishedCount: 0,
  failedCount: 0,
  revision: 1,
};

function taskRun(ordinal: number, state: 'READY' | 'ASSIGNED' | 'SUCCEEDED', at: number): StoredTaskRun {
  const isDone = state === 'SUCCEEDED';
  return {
    run: id,
    runKey: 1,
    ordinal,
    taskKey: 'task',
    mapIndex: ordinal,
    state,
    attempt:
      state === 'READY'
        ? null
        : {
            number: 1,
            node: `node-${ordinal % 16}`,
            state,
            assignedAt: at,
            startedAt: isDone ? at + 1 : null,
            finishedAt: isDone ? at + 2 : null,
            failure: null,
          },
    readyAt: at,
    dueAt: null,
    finishedAt: isDone ? at + 2 : null,
    failures: 0,
    losses: 0,
    outputs: isDone ? {} : null,
    revision: at % 1_000,
  };
}

function change(part: Partial<Change>, rows: readonly StoredTaskRun[]): Change {
  return {
    at: 1_700_000_000_000,
    createdRuns: [],
    changedRuns: [],
    countedRuns: [],
    createdTaskRuns: [],
    changedTaskRuns: [],
    assigned: { nodes: [], tasks: [] },
    writtenSeq: 0,
    supersededAttempts: [],
    evidence: [],
    gpus: [],
    usages: [],
    reasons: [],
    nodeRecords: [],
    nodes: [],
    receipts: [],
    events: {
      runs: [[id, 'bench', 'RUNNING', 0]],
      taskRuns: rows.map(({ ordinal, state }) => [0, ordinal, state, 1] as const),
      nodes: [],
      receipts: [],
    },
    ...part,
  };
}

/** One way to the database, timed apart from the others. */
interface Contender {
  readonly name: string;
  /** Makes what a round will write: that is the engine's work, not the store's. */
  prepare?(number: number): void;
  /** Writes every task run once. */
  round(number: number): Promise<void>;
  close(): Promise<void>;
}

async function commits(url: string): Promise<readonly Contender[]> {
  const store = await openStore({ url, clock: systemClock });
  const lease = await store.leases.acquire('default', 'bench', 3_600_000);
  if (!lease) throw new Error('The lease of a fresh database is not free.');
  let { seq } = lease;
  const all = Array.from({ length: TASK_RUNS }, (_, ordinal) => taskRun(ordinal, 'READY', 1_700_000_000_000));
  await store.commit(lease, (seq += 1), change({ createdRuns: [run] }, []));
  let changes: readonly Change[] = [];
  const round = async () => {
    for (const each of changes) await store.commit(lease, (seq += 1), each);
  };
  const pieces = <Row>(rows: readonly Row[]): Row[][] =>
    Array.from({ length: Math.ceil(rows.length / BATCH) }, (_, index) =>
      rows.slice(index * BATCH, (index + 1) * BATCH),
    );
  const update = (state: 'ASSIGNED' | 'SUCCEEDED') => (number: number) => {
    const rows = all.map(({ ordinal }) => taskRun(ordinal, state, 1_700_000_000_000 + number));
    changes = pieces(rows).map((piece) => change({ countedRuns: [run], changedTaskRuns: piece }, piece));
  };
  const none = async () => {};
  return [
    {
      name: 'create',
      prepare(number) {
        const of = { ...run, key: number, id: runId(`${id}-${number}`) };
        const rows = number === 1 ? all : all.map((row) => ({ ...row, runKey: number, run: of.id }));
        const first = change({ createdRuns: number === 1 ? [] : [of] }, []);
        changes = [first, ...pieces(rows).map((piece) => change({ createdTaskRuns: piece }, piece))];
      },
      round,
      close: none,
    },
    { name: 'assign', prepare: update('ASSIGNED'), round, close: none },
    { name: 'succeed', prepare: update('SUCCEEDED'), round, close: () => store.close() },
  ];
}

async function sqliteLimit(path: string): Promise<Contender> {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec('CREATE TABLE task (id INTEGER PRIMARY KEY, state INTEGER, at INTEGER, node TEXT)');
  const insert = database.prepare('INSERT INTO task VALUES (?, 0, 0, ?)');
  database.exec('BEGIN');
  for (let row = 0; row < TASK_RUNS; row++) insert.run(row, `node-${row % 16}`);
  database.exec('COMMIT');
  const update = database.prepare('UPDATE task SET state = ?, at = ? WHERE id = ?');
  return {
    name: `limit: update of 2 columns, ${LIMIT_BATCH} rows`,
    async round(number) {
      for (let start = 0; start < TASK_RUNS; start += LIMIT_BATCH) {
        database.exec('BEGIN IMMEDIATE');
        for (let row = start; row < start + LIMIT_BATCH; row++) update.run(number, number, row);
        database.exec('COMMIT');
      }
    },
    close: async () => database.close(),
  };
}

async function mariadbLimit(url: string): Promise<Contender> {
  const { username, pathname, searchParams } = new URL(url);
  const connection = await mysql.createConnection({
    user: username,
    database: pathname.slice(1),
    socketPath: searchParams.get('socketPath')!,
  });
  await connection.query('CREATE TABLE task (id BIGINT PRIMARY KEY, state INT, at BIGINT, node VARCHAR(64))');
  const ids = Array.from({ length: TASK_RUNS }, (_, row) => row);
  for (let start = 0; start < TASK_RUNS; start += BATCH) {
    const rows = ids.slice(start, start + BATCH).map((row) => `(${row},0,0,'node-${row % 16}')`);
    await connection.query(`INSERT INTO task VALUES ${rows.join(',')}`);
  }
  return {
    name: `limit: ODKU of 2 columns, ${LIMIT_BATCH} rows`,
    async round(number) {
      for (let start = 0; start < TASK_RUNS; start += LIMIT_BATCH) {
        const rows = ids.slice(start, start + LIMIT_BATCH).map((row) => `(${row},${number},${number})`);
        await connection.query(
          `INSERT INTO task (id, state, at) VALUES ${rows.join(',')} ON DUPLICATE KEY UPDATE state=VALUES(state), at=VALUES(at)`,
        );
      }
    },
    close: () => connection.end(),
  };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

async function compare(title: string, contenders: readonly Contender[]): Promise<void> {
  const rates = contenders.map((): number[] => []);
  for (let number = 1; number <= ROUNDS; number++) {
    for (const [index, contender] of contenders.entries()) {
      contender.prepare?.(number);
      const start = performance.now();
      await contender.round(number);
      rates[index]!.push(TASK_RUNS / ((performance.now() - start) / 1_000));
    }
  }
  for (const contender of contenders) await contender.close();
  const limit = median(rates[0]!);
  console.log(`\n${title}: task runs per second, median of ${ROUNDS} rounds of ${TASK_RUNS.toLocaleString('en')}`);
  for (const [index, { name }] of contenders.entries()) {
    const values = rates[index]!;
    const [low, high] = [Math.min(...values), Math.max(...values)].map((value) =>
      Math.round(value).toLocaleString('en'),
    );
    const rate = median(values);
    console.log(
      `  ${name.padEnd(42)} ${Math.round(rate).toLocaleString('en').padStart(9)}  [${low}..${high}]  ${(rate / limit).toFixed(2)} of the limit`,
    );
  }
}

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, ${BATCH} task runs per commit`);
const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
try {
  const only = process.argv[2];
  if (only !== 'mariadb') {
    const stores = await commits(`sqlite:${join(folder, 'gantry.db')}`);
    await compare('SQLite, WAL, synchronous=FULL', [await sqliteLimit(join(folder, 'limit.db')), ...stores]);
  }
  if (only !== 'sqlite') {
    const server = await startMariadb(['--innodb-buffer-pool-size=512M']);
    try {
      const stores = await commits(await server.fresh());
      await compare('MariaDB, innodb_flush_log_at_trx_commit=1', [await mariadbLimit(await server.fresh()), ...stores]);
    } finally {
      await server.stop();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
