import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { HelperMessage, StartMessage } from './messages.ts';

const PROGRAM = fileURLToPath(new URL('./helper.ts', import.meta.url));
/** More helpers than cores start no more commands a second. */
const COUNT = Math.max(1, Math.min(4, availableParallelism()));

/** Hears what becomes of one command. */
export interface Listener {
  onMessage(message: HelperMessage): void;
  /** The helper is gone: the command may run on, and nobody will know how it ends. */
  onHelperLost(): void;
}

interface Helper {
  readonly process: ChildProcess;
  readonly listeners: Map<string, Listener>;
}

/** The helper processes of this agent, started when first needed; each command goes to the one with the fewest. */
export class Helpers {
  #helpers: Helper[] = [];

  start(message: StartMessage, listener: Listener): void {
    const helper = this.#choose();
    helper.listeners.set(message.id, listener);
    helper.process.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  /** Lets the helpers go: they end when their last command has. */
  async close(): Promise<void> {
    const helpers = this.#helpers;
    this.#helpers = [];
    await Promise.all(
      helpers.map(async ({ process: child, listeners }) => {
        child.stdin!.end();
        if (listeners.size === 0 && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
        else child.unref();
      }),
    );
  }

  #choose(): Helper {
    if (this.#helpers.length < COUNT) this.#helpers.push(this.#launch());
    return this.#helpers.reduce((least, helper) => (helper.listeners.size < least.listeners.size ? helper : least));
  }

  #launch(): Helper {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // A session of its own: what ends the agent's group must not end the commands.
      detached: true,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    });
    const helper: Helper = { process: child, listeners: new Map() };
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const message = JSON.parse(line) as HelperMessage;
      const listener = helper.listeners.get(message.id);
      if (message.type !== 'STARTED') helper.listeners.delete(message.id);
      listener?.onMessage(message);
    });
    child.stdin!.on('error', () => undefined);
    child.on('error', () => this.#lost(helper));
    child.on('exit', () => this.#lost(helper));
    return helper;
  }

  #lost(helper: Helper): void {
    this.#helpers = this.#helpers.filter((other) => other !== helper);
    const listeners = [...helper.listeners.values()];
    helper.listeners.clear();
    for (const listener of listeners) listener.onHelperLost();
  }
}
