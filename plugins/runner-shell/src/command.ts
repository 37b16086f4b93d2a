import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Attempt } from '@gantry/plugin-kit/runner';
import type { Helpers } from './helpers.ts';
import type { Exit, HelperMessage, StartMessage } from './messages.ts';
import {
  endEscapees,
  endGroup,
  identityOf,
  isAlive,
  isGroupAlive,
  signal,
  type ProcessIdentity,
} from './process-tree.ts';
import { Tail } from './tail.ts';
import type { Watch } from './watch.ts';

/** A command that has lived this long is worth a checkpoint; a shorter one would only pay for it. Milliseconds. */
export const CHECKPOINT_MS = 50;
/** How often a command is looked at that nobody will tell of. Milliseconds. */
const LOOK_MS = 200;

/** How a command ended, as far as anybody can know. */
export type End =
  | ({ readonly type: 'EXITED' } & Pick<Exit, 'code' | 'signal'>)
  | { readonly type: 'FAILED'; readonly code: string; readonly message: string }
  /** It is gone, and nobody was there to hear how. */
  | { readonly type: 'UNKNOWN' };

/** What a restart needs to find a command again. */
export interface Handle extends ProcessIdentity {
  readonly folder: string;
}

/** One running command: its output followed, its tree ended when it is to stop, its end awaited. */
export class Command {
  readonly #attempt: Attempt<never, never>;
  readonly #folder: string;
  readonly #watch: Watch;
  readonly #stdout: Tail;
  readonly #stderr: Tail;
  readonly startedAt: number;
  #identity: ProcessIdentity | null = null;
  #isCheckpointed = false;
  #hasEnded = false;

  constructor(attempt: Attempt<never, never>, folder: string, watch: Watch, now: number) {
    this.#attempt = attempt;
    this.#folder = folder;
    this.#watch = watch;
    this.startedAt = now;
    this.#stdout = new Tail(join(folder, 'stdout'), () => attempt.stdout);
    this.#stderr = new Tail(join(folder, 'stderr'), () => attempt.stderr);
  }

  /** Starts it through a helper and resolves with its end, when all its output has been handed on. */
  async start(helpers: Helpers, message: StartMessage): Promise<End> {
    const end = await new Promise<End>((resolve) => {
      helpers.start(message, {
        onMessage: (answer) => this.#hear(answer, resolve),
        onHelperLost: () => void this.#followToTheEnd().then(resolve),
      });
    });
    return this.#finish(end);
  }

  /** Follows one that was started before a restart. */
  async reattach(handle: Handle): Promise<End> {
    this.#identity = handle;
    this.#isCheckpointed = true;
    this.#listenToSignals();
    this.#watch.add(this);
    return this.#finish(await this.#followToTheEnd());
  }

  /** A look from the shared timer: output, and whether a checkpoint is due. */
  look(now: number): boolean {
    if (this.#hasEnded) return false;
    if (!this.#isCheckpointed && this.#identity && now - this.startedAt >= CHECKPOINT_MS) {
      this.#isCheckpointed = true;
      this.#identify();
      const handle: Handle = { folder: this.#folder, ...this.#identity };
      void this.#attempt.checkpoint(handle as never).catch(() => undefined);
    }
    const hasOutput = this.#stdout.look();
    return this.#stderr.look() || hasOutput;
  }

  #hear(answer: HelperMessage, resolve: (end: End) => void): void {
    switch (answer.type) {
      case 'STARTED':
        this.#identity = { pid: answer.pid, startTicks: null, bootId: null };
        this.#attempt.started();
        this.#listenToSignals();
        this.#watch.add(this);
        break;
      case 'FAILED':
        resolve(answer);
        break;
      case 'EXITED':
        resolve(answer);
        break;
      default:
        answer satisfies never;
    }
  }

  /** Who it is beyond its pid, which may be given to another: asked only when it is needed. */
  #identify(): void {
    if (this.#identity?.startTicks === null) this.#identity = identityOf(this.#identity.pid);
  }

  #listenToSignals(): void {
    const { stop, kill } = this.#attempt;
    const onStop = () => {
      if (!this.#hasEnded) signal(-this.#identity!.pid, 'SIGTERM');
    };
    const onKill = () => {
      if (this.#hasEnded) return;
      signal(-this.#identity!.pid, 'SIGKILL');
      endEscapees(this.#attempt.id);
    };
    if (stop.aborted) onStop();
    else stop.addEventListener('abort', onStop, { once: true });
    if (kill.aborted) onKill();
    else kill.addEventListener('abort', onKill, { once: true });
  }

  /** Nobody will tell: looks at the process until it is gone, and then for what its helper wrote down. */
  async #followToTheEnd(): Promise<End> {
    if (!this.#identity) return this.#written() ?? { type: 'UNKNOWN' };
    this.#identify();
    const identity = this.#identity;
    for (;;) {
      const written = this.#written();
      if (written) return written;
      if (!isAlive(identity)) {
        // Its helper may be about to write.
        await delay(LOOK_MS);
        return this.#written() ?? { type: 'UNKNOWN' };
      }
      await delay(LOOK_MS);
    }
  }

  #written(): End | null {
    try {
      const { code, signal: name } = JSON.parse(readFileSync(join(this.#folder, 'exit'), 'utf8')) as Exit;
      return { type: 'EXITED', code, signal: name };
    } catch {
      return null;
    }
  }

  /** Nothing of it is left, and all that it printed has been handed on. */
  async #finish(end: End): Promise<End> {
    this.#hasEnded = true;
    this.#watch.remove(this);
    const { pid } = this.#identity ?? {};
    if (pid !== undefined && isGroupAlive(pid)) {
      const count = await endGroup(pid);
      if (count > 0) this.#note(`${count} ${count === 1 ? 'process was' : 'processes were'} left behind and ended.`);
    }
    if (this.#attempt.stop.aborted || end.type === 'UNKNOWN') endEscapees(this.#attempt.id);
    await this.#stdout.finish();
    await this.#stderr.finish();
    return end;
  }

  #note(text: string): void {
    this.#attempt.stderr.write(`gantry: ${text}\n`);
  }
}
