import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startServer, type SoakedServer } from './soak/server-process.ts';

/*
 * Whether a server that is never restarted stays as it is: many small runs through the real process and its API, with
 * retention on. Memory, database and folder must stop growing, and triggering a run must not become slower. Exits with
 * 1 when a bound is missed.
 *
 * The rate is the most that is asked for; a slower server is asked as fast as it answers.
 *
 *   npm run bench -- soak [--runs 100000] [--rate 200] [--kept 1000] [--shell 0.05] [--only-rows]
 *
 * `--only-rows` judges what is kept and nothing that depends on time or on the machine.
 */

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '200' },
    kept: { type: 'string', default: '1000' },
    shell: { type: 'string', default: '0.05' },
    port: { type: 'string', default: '4791' },
    'only-rows': { type: 'boolean', default: false },
  },
});
const RUNS = Number(options.runs);
const RATE = Number(options.rate);
const KEPT = Number(options.kept);
const SHELL_SHARE = Number(options.shell);
const TENTHS = 10;
/** What is looked at how often. Milliseconds. */
const SAMPLE_MS = 1_000;
/** Triggers are held back while more runs than this have not ended. */
const MAX_UNFINISHED = 500;
/** Requests that are under way at once, at most. */
const CLIENTS = 16;
/** Memory counts from here on: what is loaded and compiled at first stays. */
const WARM_TENTHS = 3;
/** A shorter soak does not judge resident memory. Seconds. */
const RSS_AFTER_S = 300;
const MIB = 1 << 20;

const PIPELINES = {
  mock: `name: mock\ntasks:\n  - { key: a, runner: mock, with: { outputs: { n: 1 } } }\n`,
  shell: `name: shell\ntasks:\n  - { key: a, runner: shell, with: { command: echo one } }\n  - { key: b, needs: [a], runner: shell, with: { command: seq 1 40 } }\n`,
} as const;
const TRIGGER = `mutation ($pipeline: String!, $key: String) { triggerRun(input: { pipeline: $pipeline, idempotencyKey: $key }) {
  __typename ... on TriggerRunPayload { run { id } } ... on Error { message } } }`;
const UNFINISHED = `{ runs(first: 0, filter: { states: [QUEUED, RUNNING, PAUSED, CANCELLING] }) { totalCount } }`;
const STORAGE = `{ runs(first: 0) { totalCount } storage { pendingDeletions kinds { kind rows bytes }
  lastSweep { runs longestPiece problem } } }`;

interface Sample {
  readonly rss: number;
  readonly heap: number;
}
interface Tenth {
  readonly seconds: number;
  readonly rss: number;
  readonly heap: number;
  readonly database: number;
  readonly folder: number;
  readonly kept: number;
  readonly p50: number;
  readonly p99: number;
}
interface Storage {
  readonly runs: { readonly totalCount: number };
  readonly storage: {
    readonly pendingDeletions: number;
    readonly kinds: readonly { readonly kind: string; readonly rows: number; readonly bytes: number }[];
    readonly lastSweep: {
      readonly runs: number;
      readonly longestPiece: string;
      readonly problem: string | null;
    } | null;
  };
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
const ascending = (values: readonly number[]): number[] => values.toSorted((one, other) => one - other);

const folder = mkdtempSync(join(tmpdir(), 'gantry-soak-'));
const server = await startServer(join(folder), Number(options.port), {
  GANTRY_ENABLE_MOCK_RUNNER: 'true',
  // A file that never changes, and would hide what grows beside the database.
  GANTRY_BALLAST: '0',
  GANTRY_RETENTION_RUNS: String(KEPT),
  GANTRY_RETENTION_AGE: '1h',
  GANTRY_RETENTION_INTERVAL: '5s',
  GANTRY_RETENTION_KEYS: '30s',
  GANTRY_RETENTION_AUDIT: '30s',
  GANTRY_RETENTION_EVENTS: '30s',
});
let failures: string[];
try {
  for (const yaml of Object.values(PIPELINES)) {
    await server.ask('mutation ($yaml: String!) { applyPipeline(input: { yaml: $yaml }) { __typename } }', { yaml });
  }
  const tenths = await soak(server);
  failures = await judge(server, tenths);
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) console.log(`MISSED  ${failure}`);
if (failures.length === 0) console.log('All bounds are met.');
process.exit(failures.length === 0 ? 0 : 1);

/** Triggers all runs at the rate; what each tenth was like. */
async function soak(soaked: SoakedServer): Promise<Tenth[]> {
  const tenths: Tenth[] = [];
  const began = performance.now();
  let latencies: number[] = [];
  let samples: Sample[] = [];
  let isHeld = false;
  let isOver = false;
  const watching = (async () => {
    for (; !isOver; await delay(SAMPLE_MS)) {
      samples.push({ rss: soaked.rssBytes(), heap: soaked.liveBytes() });
      isHeld = (await unfinished(soaked)) > MAX_UNFINISHED;
    }
  })();
  console.log('tenth     time     RSS   alive  database  folder    runs   trigger p50 / p99');
  const flying = new Set<Promise<void>>();
  let heldMs = 0;
  for (let index = 0; index < RUNS; index++) {
    const due = began + heldMs + (index / RATE) * 1_000;
    const early = due - performance.now();
    if (early > 0) await delay(early);
    for (; isHeld; await delay(20)) heldMs += 20;
    // A server that cannot keep the rate is asked as fast as it answers, so that a latency is its own.
    while (flying.size >= CLIENTS) await Promise.race(flying);
    const sent = trigger(soaked, index).then((ms) => void latencies.push(ms));
    flying.add(sent);
    void sent.finally(() => flying.delete(sent)).catch(() => undefined);
    if ((index + 1) % (RUNS / TENTHS) === 0) {
      await Promise.all(flying);
      tenths.push(await tenthOf(soaked, began, samples, latencies));
      show(tenths);
      latencies = [];
      samples = [];
    }
  }
  while ((await unfinished(soaked)) > 0) await delay(100);
  isOver = true;
  await watching;
  return tenths;
}

async function trigger(soaked: SoakedServer, index: number): Promise<number> {
  // Spread evenly, and every other one with an idempotency key.
  const isShell = Math.floor((index + 1) * SHELL_SHARE) > Math.floor(index * SHELL_SHARE);
  const variables = { pipeline: isShell ? 'shell' : 'mock', key: index % 2 === 0 ? `soak-${index}` : null };
  const sentAt = performance.now();
  const { triggerRun } = await soaked.ask<{ triggerRun: { __typename: string; message?: string } }>(TRIGGER, variables);
  if (triggerRun.__typename !== 'TriggerRunPayload') throw new Error(JSON.stringify(triggerRun));
  return performance.now() - sentAt;
}

async function unfinished(soaked: SoakedServer): Promise<number> {
  return (await soaked.ask<{ runs: { totalCount: number } }>(UNFINISHED)).runs.totalCount;
}

async function tenthOf(
  soaked: SoakedServer,
  began: number,
  samples: readonly Sample[],
  latencies: readonly number[],
): Promise<Tenth> {
  const { runs } = await soaked.ask<{ runs: { totalCount: number } }>('{ runs(first: 0) { totalCount } }');
  const sorted = ascending(latencies);
  return {
    seconds: (performance.now() - began) / 1_000,
    rss: at(ascending(samples.map(({ rss }) => rss)), 0.5),
    heap: samples.at(-1)?.heap ?? Number.NaN,
    database: soaked.databaseBytes(),
    folder: await soaked.folderBytes(),
    kept: runs.totalCount,
    p50: at(sorted, 0.5),
    p99: at(sorted, 0.99),
  };
}

function show(tenths: readonly Tenth[]): void {
  const { seconds, rss, heap, database, folder: all, kept, p50, p99 } = tenths.at(-1)!;
  const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
  const cells = [
    String(tenths.length),
    `${seconds.toFixed(0)} s`,
    mib(rss),
    mib(heap),
    mib(database),
    mib(all),
    String(kept),
  ];
  const widths = [5, 8, 8, 8, 10, 8, 8];
  const line = cells.map((cell, index) => cell.padStart(widths[index]!)).join('');
  console.log(`${line}   ${p50.toFixed(1).padStart(6)} / ${p99.toFixed(1)} ms`);
}

/** Waits until retention has caught up, and says which bounds are missed. */
async function judge(soaked: SoakedServer, tenths: readonly Tenth[]): Promise<string[]> {
  let last = await soaked.ask<Storage>(STORAGE);
  // Two pipelines keep so many each; a sweep may have been under way.
  const mostKept = 2 * KEPT;
  const isBehind = ({ runs, storage }: Storage): boolean =>
    runs.totalCount > mostKept || storage.pendingDeletions > 0 || storage.lastSweep === null;
  for (let tries = 0; tries < 120 && isBehind(last); tries++) {
    await delay(1_000);
    last = await soaked.ask<Storage>(STORAGE);
  }
  for (const { kind, rows, bytes } of last.storage.kinds) {
    console.log(
      `  ${kind.toLowerCase().padEnd(10)} ${String(rows).padStart(8)} rows ${(bytes / MIB).toFixed(2).padStart(8)} MiB`,
    );
  }
  const { lastSweep } = last.storage;
  const runsKept = last.runs.totalCount;
  console.log(
    `  ${Math.round(last.storage.kinds.reduce((sum, { bytes }) => sum + bytes, 0) / runsKept)} bytes of tables and indexes per run that is kept`,
  );
  console.log(`  last sweep: ${JSON.stringify(lastSweep)}`);
  const failures: string[] = [];
  const bound = (isMet: boolean, text: string): void => void (isMet || failures.push(text));
  bound(runsKept <= mostKept, `${runsKept} runs are kept, not ${mostKept}`);
  bound(last.storage.pendingDeletions === 0, `${last.storage.pendingDeletions} deleted runs still have rows`);
  bound(lastSweep?.problem === null, `the last sweep was broken off: ${lastSweep?.problem}`);
  if (options['only-rows']) return failures;
  const [first, end] = [tenths.slice(0, 2), tenths.slice(-2)];
  const warm = tenths[WARM_TENTHS - 1]!;
  const mean = (list: readonly Tenth[], of: (tenth: Tenth) => number) =>
    list.reduce((sum, tenth) => sum + of(tenth), 0) / list.length;
  const grown = (of: (tenth: Tenth) => number, since = warm): number => Math.max(...end.map(of)) - of(since);
  const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;
  // In the first minutes V8 lets garbage pile up: resident memory says something after them, what is alive at once.
  const settled = tenths.find(({ seconds }) => seconds >= RSS_AFTER_S);
  const grownRss = settled === undefined ? 0 : grown(({ rss }) => rss, settled);
  bound(grownRss <= 20 * MIB, `memory has grown by ${mib(grownRss)} since ${RSS_AFTER_S} seconds`);
  bound(!(grown(({ heap }) => heap) > 20 * MIB), `what is alive has grown by ${mib(grown(({ heap }) => heap))}`);
  // A tenth of what it was, or the size of a log that is copied and begun again.
  const grownDatabase = grown(({ database }) => database);
  bound(grownDatabase <= Math.max(warm.database / 10, 8 * MIB), `the database has grown by ${mib(grownDatabase)}`);
  // The node compacts its journal when that has come to 32 MiB.
  const beside = Math.max(...end.map(({ folder: all, database }) => all - database));
  bound(beside <= 40 * MIB, `the folder holds ${mib(beside)} beside the database`);
  const [p99Then, p99Now] = [mean(first, ({ p99 }) => p99), mean(end, ({ p99 }) => p99)];
  // Two runs of the same thing lie a quarter apart at the 99th percentile.
  bound(p99Now <= p99Then * 1.25, `p99 of triggerRun went from ${p99Then.toFixed(1)} to ${p99Now.toFixed(1)} ms`);
  console.log(`  p99 of triggerRun, last two tenths beside the first two: ${(p99Now / p99Then).toFixed(2)}`);
  return failures;
}
