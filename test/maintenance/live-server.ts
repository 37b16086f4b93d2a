import { spawnGantry, type GantryProcess } from '../end-to-end/gantry-process.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A server in a process of its own, and a line to its API. */
export interface LiveServer {
  readonly url: string;
  readonly process: GantryProcess;
  /** Asks the API as the admin of the data folder. */
  ask<Data>(query: string, variables?: Readonly<Record<string, unknown>>): Promise<Data>;
  /** As a power failure would. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server; rejects with what it wrote when it does not come up. */
export async function serve(folder: string, databaseUrl?: string, tokenFolder = folder): Promise<LiveServer> {
  const started = spawnGantry(['server', '--port', '0', '--log-level', 'warn'], {
    GANTRY_DATA_DIR: folder,
    GANTRY_ENABLE_MOCK_RUNNER: 'true',
    ...(databaseUrl === undefined ? {} : { GANTRY_DATABASE_URL: databaseUrl }),
  });
  const { url } = await started.event(({ type }) => type === 'server.listening');
  const token = readFileSync(join(tokenFolder, 'admin-token'), 'utf8').trim();
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    started.child.kill(signal);
    await started.ended();
  };
  return {
    url: String(url),
    process: started,
    async ask(query, variables = {}) {
      const response = await fetch(`${String(url)}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query, variables }),
      });
      const answer = (await response.json()) as { readonly data?: unknown; readonly errors?: unknown };
      if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
      return answer.data as never;
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

/** Runs a command that needs no server; its exit code and what it wrote. */
export async function command(
  words: readonly string[],
  folder: string,
  databaseUrl?: string,
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const ran = spawnGantry(words, {
    GANTRY_DATA_DIR: folder,
    ...(databaseUrl === undefined ? {} : { GANTRY_DATABASE_URL: databaseUrl }),
  });
  return { code: await ran.ended(), stderr: ran.stderr() };
}
