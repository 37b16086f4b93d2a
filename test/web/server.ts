import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnGantry, type GantryProcess } from '../end-to-end/gantry-process.ts';

/** A real server in a process of its own, on a data folder of its own, with the runner `mock` beside the others. */
export interface WebServer {
  /** Without a slash at its end. The same after `restart`. */
  readonly url: string;
  /** Of an admin. */
  readonly token: string;
  /** Asks the API over HTTP, as an admin. Throws on errors and on refusals. */
  ask<Data>(query: string, variables?: Readonly<Record<string, unknown>>): Promise<Data>;
  /** Ends it without a warning, as `kill -9`. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port and data. */
  restart(): Promise<void>;
  /** Ends it and takes its data away. */
  stop(): Promise<void>;
}

/** Starts a server and waits until it is ready. `words` are more options of `gantry server`. */
export async function startWebServer(words: readonly string[] = []): Promise<WebServer> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-web-'));
  const dataDir = join(folder, 'data');
  let port = 0;
  let child: GantryProcess;
  const start = async (): Promise<string> => {
    child = spawnGantry(['server', '--port', String(port), '--data-dir', dataDir, '--enable-mock-runner', ...words]);
    const listening = await child.event((event) => event['type'] === 'server.listening');
    return String(listening['url']);
  };
  const url = await start();
  port = Number(new URL(url).port);
  const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
  const kill = async (): Promise<void> => {
    child.child.kill('SIGKILL');
    await child.ended();
  };
  return {
    url,
    token,
    kill,
    restart: async () => void (await start()),
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
    ask: async <Data>(query: string, variables: Readonly<Record<string, unknown>> = {}) => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as { readonly data: Data; readonly errors?: unknown };
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      const refused = Object.values(data as object).find((each: { readonly message?: string }) => each?.message);
      if (refused !== undefined) throw new Error(JSON.stringify(refused));
      return data;
    },
  };
}

/** Applies a pipeline. */
export async function applyPipeline(server: WebServer, yaml: string): Promise<void> {
  await server.ask(
    `mutation ($yaml: String!) { applyPipeline(input: { yaml: $yaml }) {
       __typename ... on InvalidPipeline { message problems { message line } } } }`,
    { yaml },
  );
}

/** Triggers a run and tells its id. */
export async function triggerRun(server: WebServer, pipeline: string, params: object = {}): Promise<string> {
  const { triggerRun: result } = await server.ask<{ readonly triggerRun: { readonly run: { readonly id: string } } }>(
    `mutation ($input: TriggerRunInput!) { triggerRun(input: $input) {
       __typename ... on TriggerRunPayload { run { id } } ... on Error { message } } }`,
    { input: { pipeline, params } },
  );
  return result.run.id;
}

/** Makes a token and tells its secret. */
export async function createToken(server: WebServer, name: string, role: 'VIEWER' | 'OPERATOR'): Promise<string> {
  const { createToken: result } = await server.ask<{ readonly createToken: { readonly secret: string } }>(
    `mutation ($input: CreateTokenInput!) { createToken(input: $input) {
       __typename ... on CreateTokenPayload { secret } ... on Error { message } } }`,
    { input: { name, role } },
  );
  return result.secret;
}
