import { mkdtempSync, rmSync } from 'node:fs';
import { randomUUIDv7 } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { assemble, type Assembly } from '../server/assemble.ts';
import { loadConfig } from '../server/config/load.ts';
import { runId } from '../server/domain/ids.ts';
import { isTerminalRun } from '../server/domain/run.ts';
import type { Task } from '../server/domain/task.ts';
import { createLog } from '../server/log.ts';
import { aDefinition, aTask } from '../test/support/builders.ts';
import { startMariadb } from '../test/support/databases.ts';

/*
 * How many no-op tasks a second go through the whole of one server process: commands, engine, placement by a scheduler
 * plugin, dispatch, the embedded agent with its journal, the mock runner, reports, durable state and the event log.
 *
 *   npm run bench -- throughput [sqlite|mariadb] [rounds]
 */

/** Enough in flight to fill batches, few enough that an assignment is over before its row would be written. */
const SLOTS = '4096';

const [only, rounds = '3'] = process.argv.slice(2);
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const perSecond = (count: number, ms: number): number => (count / ms) * 1_000;

interface Case {
  readonly name: string;
  readonly tasks: readonly Task[];
  readonly runs: number;
  readonly taskRuns: number;
}

const layered = Array.from({ length: 40 }, (_, index) => {
  const layer = Math.floor(index / 4);
  const needs = layer === 0 ? [] : [`t${(layer - 1) * 4 + (index % 4)}`, `t${(layer - 1) * 4 + ((index + 1) % 4)}`];
  return aTask(`t${index}`, { needs });
});
const fan = (width: number): readonly Task[] => [
  aTask('split', { with: { outputs: { parts: Array.from({ length: width }, (_, index) => index) } } }),
  aTask('work', { needs: ['split'], forEach: '${{ tasks.split.outputs.parts }}' }),
  aTask('join', { needs: ['work'] }),
];
const CASES: readonly Case[] = [
  {
    name: 'independent',
    tasks: [aTask('work', { forEach: Array.from({ length: 100_000 }, (_, index) => index) })],
    runs: 2,
    taskRuns: 200_000,
  },
  { name: 'layered-40', tasks: layered, runs: 1_000, taskRuns: 40_000 },
  { name: 'fan-1000', tasks: fan(1_000), runs: 1, taskRuns: 1_002 },
  { name: 'fan-100000', tasks: fan(100_000), runs: 1, taskRuns: 100_002 },
  {
    name: 'chain-40',
    tasks: Array.from({ length: 40 }, (_, index) =>
      aTask(`t${index}`, { needs: index === 0 ? [] : [`t${index - 1}`] }),
    ),
    runs: 1,
    taskRuns: 40,
  },
];

if (only !== 'mariadb') {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  await measure('SQLite, synchronous=FULL', folder, undefined);
  console.log(`  machine: ${Math.round(sqliteLimit(join(folder, 'limit.db')))} row updates/s in batches of 500, raw`);
  rmSync(folder, { recursive: true, force: true });
}
if (only !== 'sqlite') {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  const server = await startMariadb();
  try {
    await measure('MariaDB, flush at commit', folder, await server.fresh());
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
process.exit(0);

async function measure(label: string, folder: string, databaseUrl: string | undefined): Promise<void> {
  const env = {
    GANTRY_DATA_DIR: folder,
    GANTRY_NODE_SLOTS: SLOTS,
    GANTRY_ENABLE_MOCK_RUNNER: 'true',
    ...(databaseUrl === undefined ? {} : { GANTRY_DATABASE_URL: databaseUrl }),
  };
  const loaded = loadConfig({ env, cwd: folder });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const server = await assemble(loaded.config, createLog('error', 'json'));
  await server.engines.start();
  await server.retention.start();
  await server.agent.start();
  console.log(label);
  for (const one of CASES) {
    const definition = aDefinition(one.tasks, { name: one.name });
    await server.store.pipelines.apply(definition, { source: null, hash: one.name, actor: 'bench', at: 0 });
    const results = [];
    for (let round = 0; round < Number(rounds); round++) results.push(await play(server, one));
    const whole = median(results.map(({ wholeMs }) => wholeMs));
    const drain = median(results.map(({ wholeMs, createdMs }) => wholeMs - createdMs));
    const created = median(results.map(({ createdMs }) => createdMs));
    console.log(
      `  ${one.name.padEnd(12)} ${whole.toFixed(1).padStart(8)} ms whole (created in ${created.toFixed(1)} ms)` +
        `  ${Math.round(perSecond(one.taskRuns, drain)).toString().padStart(7)} completions/s after creation` +
        `  ${Math.round(perSecond(one.taskRuns, whole)).toString().padStart(7)} /s with it`,
    );
  }
  console.log(`  resident: ${Math.round(process.memoryUsage().rss / 1_048_576)} MiB`);
  await server.agent.stop();
  await server.retention.stop();
  await server.engines.stop();
  await server.store.close();
}

async function play(
  server: Assembly,
  { name, runs }: Case,
): Promise<{ readonly wholeMs: number; readonly createdMs: number }> {
  const ids = Array.from({ length: runs }, () => runId(randomUUIDv7()));
  const left = new Set<string>(ids);
  let unlisten = (): void => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    unlisten = server.hub.listen((batch) => {
      for (const [run, , state, changed] of batch.runs) {
        if (changed !== 1 || !isTerminalRun(state) || !left.delete(run)) continue;
        if (state !== 'SUCCEEDED') reject(new Error(`Run ${run} of ${name} ended ${state}.`));
      }
      if (left.size === 0) resolve();
    });
  });
  const began = performance.now();
  await Promise.all(
    ids.map((run) =>
      server.commands.submit(
        'default',
        { type: 'TRIGGER_RUN', run, pipeline: name, version: 1, params: {}, priority: 0 },
        'bench',
      ),
    ),
  );
  const createdMs = performance.now() - began;
  await ended;
  unlisten();
  return { wholeMs: performance.now() - began, createdMs };
}

/** What the database itself can do: updates of rows like ours, in transactions of 500, flushed. */
function sqliteLimit(path: string): number {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
  database.exec(
    'CREATE TABLE row(run INTEGER, ordinal INTEGER, state TEXT, node TEXT, at INTEGER, PRIMARY KEY(run, ordinal)) WITHOUT ROWID',
  );
  const insert = database.prepare('INSERT INTO row VALUES (1, ?, ?, ?, ?)');
  const update = database.prepare('UPDATE row SET state = ?, node = ?, at = ? WHERE run = 1 AND ordinal = ?');
  const count = 100_000;
  database.exec('BEGIN');
  for (let ordinal = 0; ordinal < count; ordinal++) insert.run(ordinal, 'READY', null, 0);
  database.exec('COMMIT');
  const began = performance.now();
  for (let start = 0; start < count; start += 500) {
    database.exec('BEGIN');
    for (let ordinal = start; ordinal < start + 500; ordinal++) update.run('SUCCEEDED', 'local', 1, ordinal);
    database.exec('COMMIT');
  }
  const rate = perSecond(count, performance.now() - began);
  database.close();
  return rate;
}
