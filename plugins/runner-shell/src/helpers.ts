import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Helper } from './helper.ts';
import { HELPER_FOLDER } from './journal.ts';
import { busySessions } from './process-tree.ts';
import { Starter } from './starter.ts';
import { sweep } from './sweep.ts';

/** dash starts commands about 1.3 times as fast as bash, because it uses vfork. */
const SHELLS = ['/bin/dash', '/bin/sh'];
/** So many are kept however long they are idle; others for as long as IDLE_MS. */
const KEPT = 2;
const IDLE_MS = 10_000;
/** For a helper that has not reported by then nobody waits any longer. Milliseconds. */
const READY_MS = 15_000;

/** What an agent before has left is swept so long after the start. Milliseconds. */
const SWEEP_AFTER_MS = 10 * 60 * 1000;

/** No helper could be had: a fault of the node. */
export class NoHelper extends Error {}

interface Waiter {
  resolve(helper: Helper): void;
  reject(error: NoHelper): void;
}

/**
 * The helpers of one node: as many as there are commands running, kept for the next ones. One command each, because a
 * shell that waits for its command in the foreground starts it with a single vfork. Measured here with /bin/true and
 * captured output, eight in flight, C's posix_spawn = 2,255/s: this 2,054/s; a fork per command for a background
 * subshell 1,593/s, without a process group of its own; setsid per command 1,029/s; bash with `set -m` 1,253/s; perl
 * 1,337/s; a small Node process about 950/s. (dash has no `set -m` without a terminal.)
 */
export class Helpers {
  /** Whether commands of an agent before were running when this began. */
  readonly hasForerunners: boolean;
  readonly #stateDirectory: string;
  readonly #readyMs: number;
  readonly #starter: Starter;
  readonly #idle: Helper[] = [];
  readonly #busy = new Set<Helper>();
  readonly #waiting: Waiter[] = [];
  readonly #launches = new Set<Promise<void>>();
  #isClosed = false;
  #trimmer: NodeJS.Timeout | null = null;
  readonly #sweeper: NodeJS.Timeout;

  /**
   * @param shell What helpers run in; absolute. The fastest that is there when absent.
   * @param readyMs How long one may take to report. Milliseconds.
   */
  constructor(stateDirectory: string, shell?: string, readyMs = READY_MS) {
    this.#readyMs = readyMs;
    this.#stateDirectory = stateDirectory;
    this.#starter = new Starter(shell ?? SHELLS.find((path) => existsSync(path)) ?? '/bin/sh');
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    this.hasForerunners = sweep(stateDirectory, Infinity);
    // Not before this one's agent has asked for what it may ask for, however long the one before has been dead.
    this.#sweeper = setTimeout(() => sweep(stateDirectory), SWEEP_AFTER_MS).unref();
  }

  /** One that is idle, or a new one. Rejects with NoHelper. */
  take(): Promise<Helper> | Helper {
    for (let helper; (helper = this.#idle.pop());) {
      if (helper.isGone) continue;
      this.#busy.add(helper);
      return helper;
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#launches.size < this.#waiting.length) this.#launch();
    });
  }

  /** Gives one back whose command has ended, with nothing left of it. */
  giveBack(helper: Helper): void {
    this.#busy.delete(helper);
    if (helper.isGone) {
      helper.forget();
      return;
    }
    if (this.#isClosed) {
      this.#dismiss(helper);
      return;
    }
    if (this.#waiting.length > 0 && helper.rest(performance.now())) {
      this.#busy.add(helper);
      this.#waiting.shift()!.resolve(helper);
      return;
    }
    if (!helper.rest(performance.now())) {
      this.#dismiss(helper);
      if (this.#launches.size < this.#waiting.length) this.#launch();
      return;
    }
    this.#idle.push(helper);
    this.#trimmer ??= setInterval(() => this.#trim(), IDLE_MS / 2).unref();
  }

  /** Lets all go. Running commands run on, and are found again by their journals. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#trimmer) clearInterval(this.#trimmer);
    clearTimeout(this.#sweeper);
    for (const { reject } of this.#waiting.splice(0)) reject(new NoHelper('The runner was closed.'));
    for (const helper of this.#busy) helper.abandon();
    this.#busy.clear();
    for (const helper of this.#idle.splice(0)) this.#dismiss(helper);
    // One that is left alone before it is ready would wait for its FIFO for ever.
    await Promise.all(this.#launches);
    this.#starter.close();
  }

  #launch(): void {
    const folder = join(this.#stateDirectory, `${HELPER_FOLDER}${randomUUID()}`);
    let isLate = false;
    const launch = this.#begin(folder).then(
      (helper) => {
        clearTimeout(late);
        busySessions.add(helper.pid);
        this.#launches.delete(launch);
        this.giveBack(helper);
      },
      (error: Error) => {
        clearTimeout(late);
        this.#launches.delete(launch);
        rmSync(folder, { recursive: true, force: true });
        if (!isLate) this.#waiting.shift()?.reject(new NoHelper(error.message));
      },
    );
    this.#launches.add(launch);
    // On a machine that is slow beyond reason it may come yet: it is taken when it does, but nobody waits for it.
    const late = setTimeout(() => {
      isLate = true;
      this.#launches.delete(launch);
      this.#waiting.shift()?.reject(new NoHelper(`A helper did not report within ${this.#readyMs} ms.`));
    }, this.#readyMs);
  }

  async #begin(folder: string): Promise<Helper> {
    mkdirSync(folder, { mode: 0o700 });
    await this.#starter.make(folder);
    return new Promise((resolve, reject) => {
      const helper: Helper = new Helper(
        folder,
        () => resolve(helper),
        () => {
          busySessions.delete(helper.pid);
          reject(new Error('A helper died before it was ready.'));
        },
      );
      this.#starter.start(folder).catch((error: Error) => {
        helper.abandon();
        reject(error);
      });
    });
  }

  #trim(): void {
    const now = performance.now();
    // The one that was given back last is taken first, so the others are at the front.
    while (this.#idle.length > KEPT && now - this.#idle[0]!.idleSince > IDLE_MS) this.#dismiss(this.#idle.shift()!);
  }

  #dismiss(helper: Helper): void {
    busySessions.delete(helper.pid);
    helper.dismiss();
    helper.forget();
  }
}
