import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { systemClock } from '../../server/clock.ts';
import { attemptId } from '../../server/domain/ids.ts';
import { connect } from '../../server/store/dialect/connect.ts';
import { dataTables, migrations } from '../../server/store/migrations/migrate.ts';
import { TABLES_OF_RUN } from '../../server/store/removal.ts';
import { KIND_OF_TABLE } from '../../server/store/stored-kinds.ts';
import type { Store } from '../../server/store/store.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { anAttempt, applyWork, aRun, aTaskRun, committer, idOf, open, ownerOf } from './rows.ts';

const CHILD = join(import.meta.dirname, 'deleting-child.ts');
const TASK_RUNS = 20;

/** Ended runs with something in every table that has rows of runs. */
async function addRuns(store: Store, first: number, count: number): Promise<void> {
  const commit = committer(store, await ownerOf(store));
  const keys = Array.from({ length: count }, (_, index) => first + index);
  const attempt = anAttempt({ number: 2, state: 'SUCCEEDED', startedAt: 2_100, finishedAt: 2_200 });
  const ordinals = Array.from({ length: TASK_RUNS }, (_, ordinal) => ordinal);
  const places = keys.flatMap((runKey) => ordinals.map((ordinal) => ({ runKey, ordinal, number: 1 })));
  await commit({
    createdRuns: keys.map((key) =>
      aRun(key, { state: 'SUCCEEDED', finishedAt: 3_000 + key, taskRunCount: TASK_RUNS, createdAt: 1_000 + key }),
    ),
    createdTaskRuns: places.map(({ runKey, ordinal }) => aTaskRun(runKey, ordinal, { state: 'SUCCEEDED', attempt })),
    supersededAttempts: places.map((place) => ({ ...place, attempt: anAttempt({ state: 'FAILED', finishedAt: 9 }) })),
    evidence: places.map((place) => ({ ...place, at: 1, node: 'node-1', report: {} })),
    gpus: places.map((place) => ({ ...place, gpus: [0] })),
    usages: places.map((place) => ({ ...place, usage: { cpuMs: 1 } })),
  });
  for (const key of keys) {
    const attempts = ordinals.map((ordinal) => attemptId(idOf(key), ordinal, 2));
    await store.logs.append(attempts.map((id) => ({ attempt: id, seq: 1, stream: 'STDOUT', at: 1, text: 'hello\n' })));
    await store.states.save({ attempt: attempts[0]!, seq: 1, state: { at: 1 } });
  }
  const some = (await store.logPacking.unpacked(null, TASK_RUNS)).slice(0, 10);
  await store.logPacking.pack(some);
}

describe.each(databases)('deleting runs on $name', ({ start }) => {
  let places: TestDatabases;
  let url: string;
  let store: Store;
  beforeAll(async () => {
    places = await start();
  });
  afterAll(() => places.stop());
  beforeEach(async () => {
    url = await places.fresh();
    store = await open(url);
    await applyWork(store);
  });
  afterEach(() => store.close());

  /** Rows with a `run_key`, by table. The store must be closed. */
  async function rowsOfRuns(): Promise<Readonly<Record<string, number>>> {
    const timeouts = { statementMs: 5_000, acquireMs: 5_000, connectMs: 5_000 };
    const connection = await connect(url, { clock: systemClock, log: () => {}, timeouts });
    try {
      const counts: Record<string, number> = {};
      for (const { name, columns } of await connection.reader.introspection.getTables()) {
        if (!columns.some((column) => column.name === 'run_key')) continue;
        const counted = await sql<{ n: number }>`SELECT COUNT(*) AS n FROM ${sql.table(name)}`.execute(
          connection.reader,
        );
        counts[name] = Number(counted.rows[0]!.n);
      }
      return counts;
    } finally {
      await connection.close();
    }
  }
  const purgeAll = async (rows: number) => {
    let times = 1;
    while ((await store.retention.purge(rows)).hasMore) times++;
    return times;
  };

  it('knows every table that has rows of runs, and what each table is of', async () => {
    await store.close();
    const names = Object.keys(await rowsOfRuns()).filter((name) => name !== 'run' && name !== 'removal');
    expect(names.toSorted()).toEqual(TABLES_OF_RUN.map(({ table }) => table).toSorted());
    const timeouts = { statementMs: 5_000, acquireMs: 5_000, connectMs: 5_000 };
    const connection = await connect(url, { clock: systemClock, log: () => {}, timeouts });
    const tables = (await connection.reader.introspection.getTables()).map(({ name }) => name);
    await connection.close();
    // SQLite's own count of AUTOINCREMENT is no table of ours.
    const ours = tables.filter((name) => !name.startsWith('sqlite_'));
    expect(ours.toSorted()).toEqual(Object.keys(KIND_OF_TABLE).toSorted());
    store = await open(url);
  });

  it('takes a run from every list at once, and everything that is its own in pieces', async () => {
    await addRuns(store, 1, 3);
    expect(await store.retention.remove([2, 77])).toEqual([{ key: 2, id: idOf(2) }]);
    expect(await store.runs.byIds([idOf(2)])).toEqual([null]);
    expect(await store.runs.whole(idOf(2))).toBeNull();
    expect((await store.runs.page({ first: 9 }, {})).rows.map(({ row }) => row.key)).toEqual([3, 1]);
    expect(await store.taskRuns.byIds([{ run: idOf(2), ordinal: 0 }])).toEqual([null]);
    expect(await store.logs.read({ run: idOf(2), ordinal: 0 }, { number: 0, seq: 0 }, 9)).toEqual([]);
    const ended = await store.taskRuns.endedOnNode('node-1', { first: 500 });
    expect(new Set(ended.rows.map(({ row }) => row.run))).toEqual(new Set([idOf(1), idOf(3)]));
    expect((await store.retention.usage()).removalCount).toBe(1);
    // What comes late for it is dropped, and leaves no row behind.
    const late = { attempt: attemptId(idOf(2), 0, 2), seq: 9, stream: 'STDOUT', at: 1, text: 'late\n' } as const;
    await store.logs.append([late]);
    // 124 rows at 7 each, some of which count for more than one.
    expect(await purgeAll(7)).toBeGreaterThan(15);
    await store.close();
    const left = await rowsOfRuns();
    store = await open(url);
    const each = 2 * TASK_RUNS;
    expect(left).toMatchObject({
      run: 2,
      removal: 0,
      task_run: each,
      attempt: each,
      evidence: each,
      attempt_gpu: each,
    });
    expect(left).toMatchObject({ attempt_usage: each, task_run_state: 2 });
    // The ten that were packed are of run 1.
    expect(left).toMatchObject({ log_segment: 10, log_chunk: 30 });
    expect(await store.runs.whole(idOf(3))).toMatchObject({ run: { key: 3 }, taskRuns: { length: TASK_RUNS } });
  });

  it('never deletes what has not ended', async () => {
    const commit = committer(store, await ownerOf(store));
    await commit({ createdRuns: [aRun(1, { state: 'RUNNING' }), aRun(2, { state: 'PAUSED' }), aRun(3)] });
    expect(await store.retention.remove([1, 2, 3])).toEqual([]);
    expect(await store.retention.removeByHand(idOf(1), 'ann', 9)).toBe('NOT_FINISHED');
    expect(await store.retention.removeByHand(idOf(9), 'ann', 9)).toBeNull();
    expect(await store.runs.count({})).toBe(3);
    expect((await store.audit.page({ first: 9 }, { action: 'run.delete' })).rows).toEqual([]);
  });

  it('notes who deleted a run by hand', async () => {
    await addRuns(store, 1, 1);
    expect(await store.retention.removeByHand(idOf(1), 'ann', 9_000)).toBe('REMOVED');
    const [record] = (await store.audit.page({ first: 9 }, { action: 'run.delete' })).rows;
    const details = { pipeline: 'work', state: 'SUCCEEDED', createdAt: 1_001 };
    expect(record?.row).toMatchObject({ actor: 'ann', subject: idOf(1), at: 9_000, details });
  });

  it('is gone on with after kill -9 in the middle: no run is ever seen without its task runs', async () => {
    await addRuns(store, 1, 60);
    await store.close();
    for (const pieces of [1, 3, 10]) {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, url], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(child, 'exit');
      let count = 0;
      for await (const _ of createInterface({ input: child.stdout })) if (++count === pieces) child.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
      store = await open(url);
      const runs = (await store.runs.page({ first: 100 }, {})).rows.map(({ row }) => row);
      expect(runs.length).toBeLessThan(60);
      const whole = await store.runs.withTaskRuns(runs);
      expect(new Set(whole.map(({ taskRuns }) => taskRuns.length))).toEqual(new Set([TASK_RUNS]));
      await store.close();
    }
    store = await open(url);
    await purgeAll(500);
    const kept = await store.runs.count({});
    expect(kept).toBeGreaterThan(0);
    await store.close();
    expect(await rowsOfRuns()).toMatchObject({
      run: kept,
      task_run: kept * TASK_RUNS,
      evidence: kept * TASK_RUNS,
      removal: 0,
    });
    store = await open(url);
  });

  it('finds the oldest runs and what is beyond a number', async () => {
    await addRuns(store, 1, 5);
    expect(await store.retention.newestBeyond('work', 2)).toBe(3);
    expect(await store.retention.newestBeyond('work', 5)).toBeNull();
    expect((await store.retention.oldestRuns('work', 1, 2)).map(({ key, finishedAt }) => [key, finishedAt])).toEqual([
      [2, 3_002],
      [3, 3_003],
    ]);
    expect(await store.retention.pipelines('', 9)).toEqual(['work']);
  });

  it('trims the event log from its beginning, and never what a reload needs', async () => {
    const lease = await ownerOf(store);
    const commit = committer(store, lease);
    for (let seq = 1; seq <= 300; seq++) await commit({ at: seq, writtenSeq: Math.min(seq, 180) });
    const all = { before: Infinity, batches: 50_000 };
    expect(await store.retention.trimEvents('default', { before: 51, batches: 50_000 }, 1_000)).toBe(50);
    expect(await store.events.first('default')).toBe(51);
    expect(await store.retention.trimEvents('default', { before: 0, batches: 240 }, 1_000)).toBe(10);
    expect(await store.retention.trimEvents('default', all, 100)).toBe(100);
    // Assignments after sequence 180 may be in no row yet.
    expect(await store.retention.trimEvents('default', all, 1_000)).toBe(20);
    expect(await store.retention.trimEvents('default', all, 1_000)).toBe(0);
    await commit({ at: 301, writtenSeq: 301 });
    // The newest hundred stay, whatever their age.
    expect(await store.retention.trimEvents('default', all, 1_000)).toBe(21);
    expect([await store.events.first('default'), await store.events.last('default')]).toEqual([202, 301]);
  });

  it('deletes audit records, commands and versions that nobody needs', async () => {
    for (let at = 1; at <= 5; at++) {
      await store.audit.append({ at: at * 10, actor: 'ann', action: 'a', subject: 's', details: {} });
    }
    // The first is of the pipeline, from 1,000.
    await store.audit.append({ at: 2_000, actor: 'ann', action: 'a', subject: 's', details: {} });
    expect(await store.retention.trimAudit(1_500, 4)).toBe(4);
    expect(await store.retention.trimAudit(1_500, 4)).toBe(2);
    expect((await store.audit.page({ first: 9 })).rows.map(({ row }) => row.at)).toEqual([2_000]);

    const wish = (at: number, idempotencyKey?: string) => ({
      pool: 'default',
      command: { type: 'CANCEL_RUN', run: idOf(at) } as const,
      actor: 'ann',
      at,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
    const commands = await store.commands.append([wish(1), wish(2, 'k'), wish(3)]);
    const ids = commands.map(({ id }) => id);
    const commit = committer(store, await ownerOf(store));
    await commit({ receipts: ids.slice(0, 2).map((command) => ({ command, receipt: { ok: true } as const })) });
    expect(await store.retention.settledCommands(0, 9)).toEqual([
      { id: ids[0], at: 1, isKeyed: false },
      { id: ids[1], at: 2, isKeyed: true },
    ]);
    expect(await store.retention.deleteCommands([ids[1]!])).toBe(1);
    expect(await store.commands.isKnown('ann', 'k')).toBe(false);
    expect((await store.commands.pending('default', 0, 9)).map(({ id }) => id)).toEqual([ids[2]]);

    const apply = async (hash: string, at: number) => {
      const [version] = await store.pipelines.versions([{ pipeline: 'work', number: 1 }]);
      await store.pipelines.apply(version!.definition, { source: null, hash, actor: 'ann', at });
    };
    await apply('two', 2_000);
    await apply('three', 3_000);
    await apply('four', 9_000);
    await commit({ createdRuns: [aRun(1, { version: 2, state: 'RUNNING' })] });
    // The third was replaced later, the second is pinned.
    expect(await store.retention.replacedVersions('work', 5_000)).toEqual([1]);
    expect(await store.retention.deleteVersions('work', [1, 2])).toBe(1);
    expect((await store.pipelines.versionPage('work', { first: 9 })).rows.map(({ row }) => row.number)).toEqual([
      4, 3, 2,
    ]);
  });

  it('remembers what is to be kept of pools and pipelines, and who said so', async () => {
    await store.retention.set('PIPELINE', 'work', { age: 5_000, runs: null }, 'ann', 1);
    await store.retention.set('POOL', 'default', { age: 'NEVER', runs: 7 }, 'ann', 2);
    await store.retention.set('PIPELINE', 'work', { age: null, runs: 'NEVER' }, 'bob', 3);
    expect(await store.retention.settings()).toEqual([
      { scope: 'PIPELINE', name: 'work', age: null, runs: 'NEVER', updatedAt: 3, updatedBy: 'bob' },
      { scope: 'POOL', name: 'default', age: 'NEVER', runs: 7, updatedAt: 2, updatedBy: 'ann' },
    ]);
    await store.retention.set('POOL', 'default', { age: null, runs: null }, 'bob', 4);
    expect((await store.retention.settings()).map(({ scope }) => scope)).toEqual(['PIPELINE']);
    expect((await store.audit.page({ first: 9 }, { action: 'retention.set' })).rows).toHaveLength(4);
  });

  it('says what there is, by kind', async () => {
    await addRuns(store, 1, 2);
    const usage = await store.retention.usage();
    const runs = usage.kinds.find(({ kind }) => kind === 'RUNS')!;
    // A run, and of each task run four rows beside itself, and one state.
    if (!usage.isEstimate) expect(runs.rows).toBe(2 * (1 + 5 * TASK_RUNS + 1));
    expect(runs.bytes).toBeGreaterThan(0);
    expect(usage.totalBytes).toBeGreaterThanOrEqual(runs.bytes);
    expect(usage.oldestRunAt).toBe(1_001);
  });
});

describe.each(databases)('a database from before retention on $name', ({ start }) => {
  it('keeps all of its runs until somebody says otherwise', async () => {
    const places = await start();
    try {
      const fresh = await open(await places.fresh());
      expect(await fresh.retention.settings()).toEqual([]);
      await fresh.close();
      const url = await places.fresh();
      const store = await open(url);
      await applyWork(store);
      await addRuns(store, 1, 1);
      await store.close();
      const timeouts = { statementMs: 5_000, acquireMs: 5_000, connectMs: 5_000 };
      const connection = await connect(url, { clock: systemClock, log: () => {}, timeouts });
      const before = migrations.findIndex(({ name }) => name === 'retention');
      const since = dataTables().filter((table) => !dataTables(before).includes(table));
      for (const name of since) await connection.writer.schema.dropTable(name).execute();
      await connection.writer.deleteFrom('migration').where('number', '>', before).execute();
      await connection.close();
      const again = await open(url);
      expect(await again.retention.settings()).toMatchObject([{ scope: 'SERVER', age: 'NEVER', runs: 'NEVER' }]);
      await again.close();
    } finally {
      await places.stop();
    }
  });
});
