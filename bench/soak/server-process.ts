import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../server/cli/main.ts', import.meta.url));
const START_MS = 120_000;

/** A `gantry server` process, to ask and to look at from outside. */
export interface SoakedServer {
  /** Data of a GraphQL operation. Rejects with the server's words. */
  ask<Data>(query: string, variables?: Readonly<Record<string, unknown>>): Promise<Data>;
  /** Resident memory. Bytes. */
  rssBytes(): number;
  /** What was alive on the heap after the last full collection; NaN before the first. Bytes. */
  liveBytes(): number;
  /** The database with its log. Bytes. */
  databaseBytes(): number;
  folderBytes(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a server on an empty folder and waits until it is ready. */
export async function startServer(
  folder: string,
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<SoakedServer> {
  const token = randomBytes(24).toString('hex');
  const child = spawn(process.execPath, ['--trace-gc', '--disable-warning=ExperimentalWarning', MAIN, 'server'], {
    env: {
      ...process.env,
      GANTRY_PORT: String(port),
      GANTRY_DATA_DIR: folder,
      GANTRY_LOG_LEVEL: 'warn',
      GANTRY_ADMIN_TOKEN: token,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: folder,
  });
  // `… Mark-Compact 92.1 (130.2) -> 50.7 (131.0) MB …`: what is left is alive; the rest of the time most of a heap is garbage.
  let live = Number.NaN;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const collected = [...text.matchAll(/Mark-Compact[^\n]*? -> ([\d.]+) \(/g)].at(-1)?.[1];
    if (collected !== undefined) live = Number(collected) * 2 ** 20;
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const call = (path: string, body?: string, bearer?: string): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const headers = {
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      };
      const method = body === undefined ? 'GET' : 'POST';
      const asked = request({ agent, port, host: '127.0.0.1', path, method, headers }, (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece)).on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString() }));
      });
      asked.on('error', (error: NodeJS.ErrnoException) => {
        // The server closed an idle connection just as it was used again: it has not seen the request.
        if (asked.reusedSocket && error.code === 'ECONNRESET') resolve(call(path, body, bearer));
        else reject(error);
      });
      asked.end(body);
    });
  const ended = endOf(child);
  await untilReady(() => call('/graphql', '{"query":"{ viewer { name } }"}', token), ended);
  return {
    async ask<Data>(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Data> {
      const { text } = await call('/graphql', JSON.stringify({ query, variables }), token);
      const answer = JSON.parse(text) as { readonly data?: Data; readonly errors?: unknown };
      if (answer.data === undefined || answer.errors !== undefined) throw new Error(text);
      return answer.data;
    },
    rssBytes: () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1_024,
    liveBytes: () => live,
    databaseBytes: () =>
      ['gantry.db', 'gantry.db-wal'].reduce(
        (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
        0,
      ),
    async folderBytes() {
      let bytes = 0;
      for (const name of await readdir(folder, { recursive: true })) {
        bytes += (await stat(join(folder, name)).catch(() => null))?.size ?? 0;
      }
      return bytes;
    },
    async stop() {
      agent.destroy();
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve));
}

/** Ready is who knows the token, too. */
async function untilReady(ask: () => Promise<{ readonly text: string }>, ended: Promise<unknown>): Promise<void> {
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  for (const until = performance.now() + START_MS; performance.now() < until && !hasEnded; await delay(50)) {
    const answer = await ask().catch(() => null);
    if (answer?.text.includes('"viewer":{') === true) return;
  }
  throw new Error('The server did not become ready.');
}
