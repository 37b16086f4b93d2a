// GraphQL requests per second: a simple query, and a list of 100 task runs with joins from the database. Beside stock
// yoga on the same schema and store, Mercurius with JIT (from memory, its best case) and node:http alone.
// `npm run bench -- graphql [seconds per measurement] [rounds]`
import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { createContext } from '../server/api/context.ts';
import { schema } from '../server/api/schema.ts';
import { startApi } from '../test/support/api-server.ts';
import { fill, LIST, SIMPLE } from './graphql-data.ts';
import { load, median, type LoadResult } from './http-load.ts';

interface Contender {
  readonly url: string;
  readonly token: string;
  readonly run: string;
}

/** Serves Gantry; and beside it stock yoga with the same schema, resolvers, loaders and store. */
async function serve(which: string, folder: string): Promise<Contender> {
  const api = await startApi({ url: `sqlite:${join(folder, `${which}.db`)}` });
  const run = await fill(api);
  const token = api.secrets.VIEWER;
  if (which === 'gantry') return { url: api.url, token, run: run.id };
  if (which === 'yoga') {
    const viewer = (await api.tokens.verify(token))!;
    const yoga = createYoga({ schema, context: () => createContext(api.ports, viewer), logging: false });
    return { url: await listen(createServer((request, response) => void yoga(request, response))), token, run: run.id };
  }
  const simple = (await api.post({ query: SIMPLE })).text;
  const list = (await api.post({ query: LIST, variables: { id: run.id } })).text;
  const limit = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = JSON.parse(Buffer.concat(chunks).toString()).query === SIMPLE ? simple : list;
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
      response.end(text);
    });
  });
  return { url: await listen(limit), token, run: run.id };
}

function listen(server: ReturnType<typeof createServer>): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as { port: number }).port}`));
  });
}

/** Mercurius is no dependency: it is installed into a folder of its own, if it can be. */
function installMercurius(folder: string, sample: { readonly simple: unknown; readonly list: unknown }): string | null {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', 'fastify', 'mercurius', 'graphql@16'],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  if (status !== 0) {
    console.error(`!! Mercurius could not be installed, so it is not measured: ${stderr.slice(0, 300)}`);
    return null;
  }
  writeFileSync(join(folder, 'sample.json'), JSON.stringify(sample));
  writeFileSync(join(folder, 'schema.graphql'), printSchema(schema));
  const file = join(folder, 'server.mjs');
  writeFileSync(
    file,
    `import Fastify from 'fastify';
import mercurius from 'mercurius';
import { readFileSync } from 'node:fs';
const sample = JSON.parse(readFileSync(new URL('./sample.json', import.meta.url)));
const app = Fastify();
app.register(mercurius, {
  schema: readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8'),
  resolvers: { Query: { viewer: () => sample.simple.viewer, run: () => sample.list.run } },
  jit: 1,
});
const url = await app.listen({ port: 0, host: '127.0.0.1' });
process.send({ url, token: 'none', run: 'none' });
`,
  );
  return file;
}

function start(file: string, args: readonly string[]): Promise<Contender & { readonly child: ChildProcess }> {
  const child = fork(file, args, { execArgv: ['--disable-warning=ExperimentalWarning'] });
  return new Promise((resolve, reject) => {
    child.once('message', (contender: Contender) => resolve({ ...contender, child }));
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}.`)));
  });
}

async function main(): Promise<void> {
  const durationMs = Number(process.argv[2] ?? 3) * 1_000;
  const rounds = Number(process.argv[3] ?? 3);
  const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  const running: Record<string, Contender & { readonly child: ChildProcess }> = {};
  try {
    for (const which of ['gantry', 'yoga', 'node:http'])
      running[which] = await start(import.meta.filename, ['serve', which, folder]);
    const ask = async (query: string) => {
      const { url, token, run } = running['gantry']!;
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query, variables: { id: run } }),
      });
      return ((await response.json()) as { data: unknown }).data;
    };
    const mercurius = installMercurius(folder, { simple: await ask(SIMPLE), list: await ask(LIST) });
    if (mercurius !== null) running['mercurius'] = await start(mercurius, []);
    for (const [question, query] of [
      ['simple query', SIMPLE],
      ['list of 100 with joins', LIST],
    ] as const) {
      const results: Record<string, LoadResult[]> = {};
      for (let round = 0; round <= rounds; round++) {
        for (const [which, { url, token, run }] of Object.entries(running)) {
          const body = JSON.stringify(query === SIMPLE ? { query } : { query, variables: { id: run } });
          const result = await load(url, { body, token, durationMs: round === 0 ? 1_000 : durationMs });
          // The first round warms up.
          (results[which] ??= []).push(...(round > 0 ? [result] : []));
        }
      }
      report(question, results);
    }
  } finally {
    for (const { child } of Object.values(running)) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(question: string, results: Readonly<Record<string, readonly LoadResult[]>>): void {
  const rate = (which: string) => median((results[which] ?? []).map(({ perSecond }) => perSecond));
  console.log(`\n${question}`);
  for (const [which, rounds] of Object.entries(results)) {
    const p99 = median(rounds.map(({ p99Ms }) => p99Ms)).toFixed(1);
    const ratio = (rate('gantry') / rate(which)).toFixed(2);
    console.log(
      `  ${which.padEnd(10)} ${Math.round(rate(which)).toString().padStart(7)}/s  p99 ${p99} ms  gantry is ${ratio} of it`,
    );
  }
}

if (process.argv[2] === 'serve') process.send!(await serve(process.argv[3]!, process.argv[4]!));
else await main();
