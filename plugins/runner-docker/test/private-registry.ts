import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whom the registry knows. */
export const USERNAME = 'robot';
export const PASSWORD = 'a-password-that-must-not-be-seen';
/** PASSWORD as bcrypt with 32 rounds: what the registry's list of users has to hold. */
const HASH = '$2b$05$baPMXWCYGaXZJyALXQnPyOWnfNsw/4w20.VSPIHa0kKTy64pAzveW';

/** How much of a layer comes through while the door is held. Bytes. */
const HELD_AFTER_BYTES = 65_536;

/**
 * Debian's container registry, with a list of users, on a port and a folder of the test's own. What comes to it comes
 * through a door that counts requests and can be held, so that a pull stays in its middle for as long as a test likes.
 */
export class PrivateRegistry {
  readonly #folder = mkdtempSync(join(tmpdir(), 'gantry-registry-'));
  readonly #door = createServer((incoming, answer) => this.#handOn(incoming, answer));
  #daemon: ChildProcess | null = null;
  #port = 0;
  #release: (() => void) | null = null;
  #released: Promise<void> = Promise.resolve();
  /** Every request that came, for example `GET /v2/name/manifests/1`, oldest first. */
  readonly requests: string[] = [];

  /** As it stands before an image's name: the address of the door. */
  get host(): string {
    return `127.0.0.1:${(this.#door.address() as AddressInfo).port}`;
  }

  /** Resolves when it listens. Rejects with what it wrote when it does not come up. */
  async start(): Promise<void> {
    const program = ['/usr/bin/docker-registry', '/usr/bin/registry'].find((path) => existsSync(path));
    if (program === undefined)
      throw new Error('The tests of the docker runner need a registry: apt-get install docker-registry');
    const at = (name: string) => join(this.#folder, name);
    writeFileSync(at('users'), `${USERNAME}:${HASH}\n`);
    const config = {
      version: '0.1',
      log: { level: 'info' },
      storage: { filesystem: { rootdirectory: at('data') } },
      http: { addr: '127.0.0.1:0' },
      auth: { htpasswd: { realm: 'gantry', path: at('users') } },
    };
    // JSON is YAML.
    writeFileSync(at('config.yml'), JSON.stringify(config));
    const env = { PATH: process.env['PATH'], OTEL_TRACES_EXPORTER: 'none' };
    this.#daemon = spawn(program, ['serve', at('config.yml')], { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#port = await listeningPortOf(this.#daemon);
    if (!this.#door.listening) await new Promise<void>((resolve) => this.#door.listen(0, '127.0.0.1', resolve));
  }

  /** From now on a layer stops in its middle, until `release`. */
  hold(): void {
    this.#released = new Promise((resolve) => (this.#release = resolve));
  }
  release(): void {
    this.#release?.();
    this.#release = null;
  }

  /** Nothing answers at its address any more. */
  async stop(): Promise<void> {
    this.release();
    this.#door.closeAllConnections();
    await new Promise((resolve) => this.#door.close(resolve));
    const daemon = this.#daemon;
    if (daemon !== null && daemon.exitCode === null && daemon.signalCode === null) {
      const ended = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #handOn(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method = 'GET', url: path = '/', headers } = incoming;
    this.requests.push(`${method} ${path}`);
    const onward = request({ host: '127.0.0.1', port: this.#port, method, path, headers }, (response) => {
      answer.writeHead(response.statusCode!, response.headers);
      const isLayer = method === 'GET' && path.includes('/blobs/') && response.statusCode === 200;
      void (isLayer ? this.#handOnHeld(response, answer) : response.pipe(answer));
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  }

  async #handOnHeld(response: IncomingMessage, answer: ServerResponse): Promise<void> {
    let seen = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        seen += chunk.length;
        answer.write(chunk);
        if (seen >= HELD_AFTER_BYTES) await this.#released;
      }
      answer.end();
    } catch {
      answer.destroy();
    }
  }
}

function listeningPortOf(daemon: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (text: Buffer) => {
      said += text.toString();
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    daemon.stdout!.on('data', listen);
    daemon.stderr!.on('data', listen);
    daemon.once('error', reject);
    daemon.once('exit', () => reject(new Error(`The registry did not start:\n${said.slice(-4_000)}`)));
  });
}
