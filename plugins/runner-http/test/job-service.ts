import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request that the service has seen. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
type Act = (response: ServerResponse) => void;

/** Answers with JSON. */
export const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Act =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
  };

/** A service with long-running jobs: what it says is a test's to write down, and what it was asked is kept. */
export class JobService {
  readonly #server: Server;
  readonly #scripts = new Map<string, Act[]>();
  readonly #waiting: { readonly isIt: (seen: Seen) => boolean; readonly resolve: (seen: Seen) => void }[] = [];
  seen: Seen[] = [];

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async listen(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** What it answers to `GET /jobs/7`, one after the other; the last answer stays. Forgets what it was asked. */
  answers(scripts: Record<string, readonly Act[]>): void {
    this.seen = [];
    this.#scripts.clear();
    for (const [request, acts] of Object.entries(scripts)) this.#scripts.set(request, [...acts]);
  }

  /** What it was asked, in order. */
  get asked(): string[] {
    return this.seen.map(({ method, path }) => `${method} ${path}`);
  }

  /** Resolves when it is asked for that. */
  untilAsked(request: string): Promise<Seen> {
    const isIt = ({ method, path }: Seen) => `${method} ${path}` === request;
    return new Promise((resolve) => this.#waiting.push({ isIt, resolve }));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = { method: request.method!, path: request.url!, headers: request.headers, body: await text(request) };
    this.seen.push(seen);
    const script = this.#scripts.get(`${seen.method} ${seen.path}`);
    const act = script && script.length > 1 ? script.shift() : script?.[0];
    if (act) act(response);
    else response.writeHead(404).end();
    for (const { isIt, resolve } of this.#waiting) if (isIt(seen)) resolve(seen);
  }
}
