import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/*
 * How long `gantry server` takes on an empty data folder until it is ready, and what it holds in memory when it has
 * nothing to do; beside Node itself, which starts and listens and does nothing else.
 *
 *   npm run bench -- startup [rounds]
 */

const [rounds = '5'] = process.argv.slice(2);
const IDLE_MS = 5_000;
const gantry = fileURLToPath(new URL('../bin/gantry', import.meta.url));
const BARE = `require('node:http').createServer((_, answer) => answer.end()).listen(+process.env.GANTRY_PORT)`;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Resolves with whether the answer is 200; rejects when nobody listens. */
const isReady = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/readyz', agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    }).on('error', reject);
  });

/** The process itself, or the one that it has started in its place, and what it holds. */
function residentBytes(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  const own = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;
  return children.reduce((sum, child) => Math.max(sum, residentBytes(Number(child))), own);
}

async function start(
  [program, ...args]: readonly [string, ...string[]],
  port: number,
): Promise<{ readyMs: number; rssBytes: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-startup-'));
  const began = performance.now();
  const server = spawn(program, args, {
    env: { ...process.env, GANTRY_PORT: String(port), GANTRY_DATA_DIR: join(folder, 'data') },
    stdio: 'ignore',
    cwd: folder,
  });
  try {
    while (!(await isReady(port).catch(() => false))) await delay(2);
    const readyMs = performance.now() - began;
    await delay(IDLE_MS);
    return { readyMs, rssBytes: residentBytes(server.pid!) };
  } finally {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

const results: Record<'bare' | 'gantry', { readyMs: number; rssBytes: number }[]> = { bare: [], gantry: [] };
for (let round = 0; round < Number(rounds); round++) {
  results.bare.push(await start([process.execPath, '-e', BARE], 41_731));
  results.gantry.push(await start([gantry, 'server'], 41_732));
}
for (const [name, measured] of Object.entries(results)) {
  const readyMs = median(measured.map((each) => each.readyMs));
  const mebibytes = median(measured.map((each) => each.rssBytes)) / 1_048_576;
  console.log(
    `${name.padEnd(7)} ready in ${readyMs.toFixed(0).padStart(5)} ms, ${mebibytes.toFixed(0)} MiB resident when idle`,
  );
}
