import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { RunnerPlugin } from '@gantry/plugin-kit/runner';
import http from '@gantry/runner-http';
import { Executor } from '../server/agent/executor.ts';
import { LogShipper } from '../server/agent/log-shipper.ts';
import { nodeSecrets } from '../server/agent/secret-source.ts';
import { StateKeeper } from '../server/agent/state-keeper.ts';
import { systemClock } from '../server/clock.ts';
import type { AttemptSpec } from '../server/domain/effect.ts';
import { attemptId, runId } from '../server/domain/ids.ts';
import { median } from './http-load.ts';

/*
 * HTTP tasks against node:http itself. Both sides make the same GET over kept connections, 50 at a time, to a server in
 * another process that answers from a constant: the client alone is measured. One side is `http.get`; the other is the
 * executor with the http runner, to the attempt's end, the answer printed into its log.
 */

const IN_FLIGHT = 50;
const REQUESTS = 20_000;
const ROUNDS = 5;
const ANSWER =
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\nConnection: keep-alive\r\n\r\n{"status":"ok","items":[1]}';

if (process.argv[2] === 'serve') serve();
else await measure();

/** Answers every request with the same bytes. A request ends with its head: there are only GETs. */
function serve(): void {
  const end = Buffer.from('\r\n\r\n');
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (bytes.subarray(-4).equals(end)) socket.write(ANSWER);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
  process.on('disconnect', () => process.exit());
}

async function measure(): Promise<void> {
  const server = fork(new URL(import.meta.url), ['serve']);
  const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  try {
    const [port] = (await once(server, 'message')) as [number];
    const url = `http://127.0.0.1:${port}/health`;
    const sides = { limit: limitOf(url), runner: runnerOf(url, folder) };
    const rates: Record<keyof typeof sides, number[]> = { limit: [], runner: [] };
    for (const side of ['limit', 'runner'] as const) await sides[side](REQUESTS / 4);
    for (let round = 0; round < ROUNDS; round++) {
      for (const side of ['limit', 'runner'] as const) {
        const begin = performance.now();
        await sides[side](REQUESTS);
        rates[side].push(REQUESTS / ((performance.now() - begin) / 1_000));
      }
    }
    const [limit, runner] = [median(rates.limit), median(rates.runner)];
    const show = (rate: number) => Math.round(rate).toLocaleString('en-US').padStart(8);
    console.log(
      `Node ${process.version}, ${availableParallelism()} cores, ${cpus()[0]?.model ?? ''}; medians of ${ROUNDS}`,
    );
    console.log(`node:http, ${IN_FLIGHT} in flight     ${show(limit)} requests/s`);
    console.log(`http tasks, ${IN_FLIGHT} in flight    ${show(runner)} attempts/s`);
    console.log(`ratio ${(runner / limit).toFixed(2)} (floor 0.40, aim 0.50)`);
  } finally {
    server.disconnect();
    await http.close?.();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Side = (requests: number) => Promise<void>;

/** What Node's own client can do. */
function limitOf(url: string): Side {
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  const { hostname, port, pathname: path } = new URL(url);
  const options = { hostname, port, path, agent };
  return (requests) =>
    new Promise((resolve, reject) => {
      let begun = 0;
      let ended = 0;
      const next = () => {
        begun++;
        get(options, (answer) => {
          answer.on('data', () => undefined);
          answer.on('end', () => {
            if (++ended === requests) resolve();
            else if (begun < requests) next();
          });
        }).on('error', reject);
      };
      for (let count = 0; count < IN_FLIGHT; count++) next();
    });
}

/** The same requests as attempts of one task. */
function runnerOf(url: string, dataDirectory: string): Side {
  const log = pino({ level: 'silent' });
  const run = runId('0199a000-0000-7000-8000-000000000001');
  const config = { url };
  let ordinal = 0;
  let onEnd: (failure: string | null) => void = () => undefined;
  const executor = new Executor({
    nodeName: 'bench',
    dataDirectory,
    settings: { http: { allow: ['127.0.0.1'] } },
    clock: systemClock,
    log,
    states: new StateKeeper(
      { firstNumber: () => 0, saveState: () => Promise.resolve(), previousState: () => Promise.resolve(null) },
      systemClock,
    ),
    secrets: nodeSecrets(null, {}),
    shipper: new LogShipper(() => Promise.resolve(), systemClock, log),
    findRunner: () => http as unknown as RunnerPlugin,
    firstNumber: () => 0,
    running: () => undefined,
    preparing: () => undefined,
    progress: () => undefined,
    settled: () => undefined,
    ended: (_, { state, failure }) => onEnd(state === 'SUCCEEDED' ? null : JSON.stringify(failure)),
    checkpoint: () => Promise.resolve(),
  });
  const start = () => {
    const number = 1;
    const spec: AttemptSpec = {
      attempt: attemptId(run, ordinal, number),
      number,
      run,
      pipeline: 'bench',
      taskKey: 'request',
      mapIndex: null,
      runner: 'http',
      with: config,
      env: {},
      secrets: [],
      inputs: {},
      resources: {},
      gpus: [],
      timeoutMs: null,
      killGraceMs: 1_000,
    };
    ordinal++;
    executor.start(spec);
  };
  return (requests) =>
    new Promise((resolve, reject) => {
      let begun = IN_FLIGHT;
      let ended = 0;
      onEnd = (failure) => {
        if (failure !== null) reject(new Error(`An attempt failed: ${failure}`));
        else if (++ended === requests) resolve();
        else if (begun++ < requests) start();
      };
      for (let count = 0; count < IN_FLIGHT; count++) start();
    });
}
