import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./starter.sh', import.meta.url));

/** What every command finds in its environment, whatever its task says. Nothing else of the server's gets there. */
export const baseEnvironment = (): Record<string, string> => ({
  // The server's own Node first, so that scripts run on the version that Gantry brings.
  PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}`,
  LANG: process.env['LANG'] ?? 'C.UTF-8',
});

/**
 * The small shell (starter.sh) that starts helpers. It exists because fork copies the page tables of whoever forks: from
 * a server of 1 GiB that takes 36 times longer. The server forks once, for this.
 */
export class Starter {
  readonly #shell: string;
  #process: ChildProcess | null = null;
  readonly #waiting = new Map<string, { resolve(): void; reject(error: Error): void }>();

  /** @param shell What helpers run in. Absolute. */
  constructor(shell: string) {
    this.#shell = shell;
  }

  /** Makes the FIFOs of a helper in a folder. */
  make(folder: string): Promise<void> {
    return this.#order(`make ${folder}`);
  }

  /** Starts the helper of a folder whose FIFOs are open on this side. */
  start(folder: string): Promise<void> {
    return this.#order(`start ${folder}`);
  }

  #order(order: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(order, { resolve, reject });
      this.#process ??= this.#launch();
      this.#hold(true);
      (this.#process.stdin as Writable).write(`${order}\n`);
    });
  }

  close(): void {
    this.#process?.stdin?.end();
    this.#lost('The starter of helpers was closed.');
  }

  #launch(): ChildProcess {
    const child = spawn('/bin/sh', [PROGRAM, this.#shell], {
      stdio: ['pipe', 'pipe', 'ignore'],
      // What ends the agent's group (Ctrl-C) must not end it.
      detached: true,
      cwd: '/',
      env: baseEnvironment(),
    });
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      const failed = line.startsWith('!');
      this.#told(failed ? line.slice(1) : line, failed ? 'mkfifo or setsid failed.' : null);
    });
    child.stdin!.on('error', () => undefined);
    child.on('error', (error) => this.#process === child && this.#lost(error.message));
    child.on('exit', () => this.#process === child && this.#lost('The starter of helpers died.'));
    return child;
  }

  #told(order: string, problem: string | null): void {
    const waiter = this.#waiting.get(order);
    this.#waiting.delete(order);
    if (this.#waiting.size === 0) this.#hold(false);
    if (problem === null) waiter?.resolve();
    else waiter?.reject(new Error(problem));
  }

  #lost(problem: string): void {
    this.#process = null;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Error(problem));
  }

  /** While nothing is asked of it, it does not keep this process alive. */
  #hold(isNeeded: boolean): void {
    const child = this.#process;
    if (!child) return;
    for (const handle of [child, child.stdin as Holdable | null, child.stdout as Holdable | null]) {
      if (isNeeded) handle?.ref?.();
      else handle?.unref?.();
    }
  }
}

/** Pipes of a child are sockets, which the types do not say. */
interface Holdable {
  ref?(): void;
  unref?(): void;
}
