import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { spawnGantry, type GantryProcess } from './gantry-process.ts';

const TOKEN = 'admin-token-of-a-real-server-0123456789';
/** Between two looks at what the server says. Milliseconds. */
const LOOK_MS = 50;

/** What a query answers has no static shape. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what tests look into has no static shape
type Data = any;

/** A server process with a folder of its own, which may be stopped, killed and started again on the same data. */
export class RealServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'gantry-real-'));
  readonly #databaseUrl: string;
  #process: GantryProcess | null = null;
  #url = '';

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl;
  }

  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const words = ['server', '--port', '0', '--data-dir', join(this.folder, 'data'), '--enable-mock-runner'];
    this.#process = spawnGantry([...words, '--database-url', this.#databaseUrl, '--http-allow', '127.0.0.0/8'], {
      GANTRY_ADMIN_TOKEN: TOKEN,
      ...env,
    });
    this.#url = String((await this.#process.event(({ type }) => type === 'server.listening'))['url']);
  }

  /** Ends the process by a signal and waits for its end. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#process?.child.kill(signal);
    await this.#process?.ended();
    this.#process = null;
  }

  async remove(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async ask(query: string, variables: object = {}): Promise<Data> {
    const response = await fetch(`${this.#url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** Applies a pipeline and triggers it; the run's id. */
  async run(definition: { readonly name: string; readonly tasks: readonly object[] }): Promise<string> {
    const { applyPipeline } = await this.ask(
      `mutation ($definition: JSON!) { applyPipeline(input: { definition: $definition }) { __typename
        ... on Error { message } } }`,
      { definition },
    );
    if (applyPipeline.__typename !== 'ApplyPipelinePayload') throw new Error(applyPipeline.message);
    const { triggerRun } = await this.ask(
      `mutation ($pipeline: String!) { triggerRun(input: { pipeline: $pipeline }) {
        ... on TriggerRunPayload { run { id } } } }`,
      { pipeline: definition.name },
    );
    return triggerRun.run.id;
  }

  /** The run with its task runs, as it is now. */
  async look(run: string): Promise<Data> {
    const { run: found } = await this.ask(
      `query ($run: ID!) { run(id: $run) { state isFinished reason { code message } taskRuns(first: 100) { nodes {
        taskKey mapIndex state failures losses outputs reason { code message remedy }
        placement { summary { code message } }
        attempts { number state failure { kind code message remedy } } } } } }`,
      { run },
    );
    return found;
  }

  /** Looks until what it sees is as wanted; what it saw then. The test's own timeout is the only limit. */
  async until(run: string, isSo: (seen: Data) => boolean): Promise<Data> {
    for (;;) {
      const seen = await this.look(run);
      if (isSo(seen)) return seen;
      await passed(LOOK_MS);
    }
  }

  untilEnded(run: string): Promise<Data> {
    return this.until(run, ({ isFinished }) => isFinished);
  }

  /** The document that a command of the CLI prints. Rejects when it fails. */
  async cli(...words: readonly string[]): Promise<Data> {
    const command = spawnGantry([...words, '--url', this.#url], { GANTRY_TOKEN: TOKEN });
    let printed = '';
    command.child.stdout!.on('data', (text: string) => (printed += text));
    const code = await command.ended();
    if (code !== 0) throw new Error(`gantry ${words.join(' ')} ended with ${code}: ${printed}${command.stderr()}`);
    return JSON.parse(printed);
  }
}

/** A service that holds back its answers until it is told, and counts what it was asked. */
export class HeldService {
  readonly asked: string[] = [];
  readonly #held: ServerResponse[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #server = createServer((request, response) => this.#take(request, response));
  #isOpen = false;

  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when one more request is held back. */
  nextHeld(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** From now on everything is answered, and what was held back, too. */
  open(): void {
    this.#isOpen = true;
    for (const response of this.#held.splice(0)) response.end('{}');
  }

  hold(): void {
    this.#isOpen = false;
    this.asked.length = 0;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take({ method, url }: IncomingMessage, response: ServerResponse): void {
    this.asked.push(`${method} ${url}`);
    if (this.#isOpen) {
      response.setHeader('content-type', 'application/json');
      response.end('{}');
      return;
    }
    this.#held.push(response);
    this.#waiting.shift()?.();
  }
}
