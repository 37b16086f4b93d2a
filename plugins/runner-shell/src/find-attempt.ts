import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { attemptsIn, helperFolders, helperOf, isIdleJournal, readJournal, type Found } from './journal.ts';
import { isAlive } from './process-table.ts';
import { busySessions } from './process-tree.ts';

const LOOK_MS = 10;
/** A helper that is left alone ends at once; on a machine that is slow beyond reason it is waited for this long. */
const PATIENCE_MS = 15_000;

/** What an attempt of an agent before has come to. */
export type Search =
  | Found
  /** No helper has begun it, and none will. */
  | 'NEVER_STARTED'
  /** A helper that does not end may still begin it. */
  | 'UNDECIDED';

/** Which journal tells of which attempt: the journals of agents before are read once, not once per attempt. */
export class FormerAttempts {
  readonly #stateDirectory: string;
  /** By attempt, the folder of its helper. */
  readonly #folders = new Map<string, string>();
  /** By folder, the attempts of its helper that may still be asked for. */
  readonly #left = new Map<string, Set<string>>();
  /** By folder, how long its journal was when it was read. */
  readonly #read = new Map<string, number>();

  constructor(stateDirectory: string) {
    this.#stateDirectory = stateDirectory;
  }

  /** What a journal says of an attempt now; null when none does. */
  find(attempt: string): Found | null {
    return this.#known(attempt) ?? (this.#readAll() ? this.#known(attempt) : null);
  }

  /**
   * Finds an attempt that was handed to an agent before. A helper writes down what it begins before it begins it, and
   * outlives its agent: so an attempt was never started when no journal tells of it, and no helper is left that could
   * still read it from its FIFO.
   */
  async search(attempt: string): Promise<Search> {
    for (const from = performance.now(); ; await delay(LOOK_MS)) {
      // In this order: what a helper begins between the two looks is found by the second one of the next round.
      const mayStillBegin = this.#mayStillBegin();
      const found = this.find(attempt);
      if (found !== null) return found;
      if (!mayStillBegin) return 'NEVER_STARTED';
      if (performance.now() - from > PATIENCE_MS) return 'UNDECIDED';
    }
  }

  /** Nobody will ask for this attempt any more. When that is so of all that a dead helper has begun, its folder goes. */
  release(attempt: string): void {
    const folder = this.#folders.get(attempt);
    if (folder === undefined) return;
    this.#folders.delete(attempt);
    const left = this.#left.get(folder);
    left?.delete(attempt);
    if (left === undefined || left.size > 0) return;
    const helper = helperOf(join(folder, 'journal'));
    if (helper !== null && isAlive(helper)) return;
    this.#left.delete(folder);
    rmSync(folder, { recursive: true, force: true });
  }

  #known(attempt: string): Found | null {
    const folder = this.#folders.get(attempt);
    if (folder === undefined) return null;
    const path = join(folder, 'journal');
    const entry = readJournal(path, attempt);
    return entry === null ? null : { folder, path, entry };
  }

  /** True when there was anything new. */
  #readAll(): boolean {
    let isNew = false;
    for (const name of helperFolders(this.#stateDirectory)) {
      const folder = join(this.#stateDirectory, name);
      const path = join(folder, 'journal');
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size === this.#read.get(folder)) continue;
      isNew = true;
      const attempts = attemptsIn(path);
      for (const attempt of attempts) this.#folders.set(attempt, folder);
      this.#left.set(folder, new Set(attempts));
      this.#read.set(folder, size);
    }
    return isNew;
  }

  /** Whether a helper of an agent before lives that has nothing to do: it ends as soon as it has read what was left. */
  #mayStillBegin(): boolean {
    return helperFolders(this.#stateDirectory).some((name) => {
      const path = join(this.#stateDirectory, name, 'journal');
      if (!existsSync(path)) return false;
      const helper = helperOf(path);
      return helper !== null && !busySessions.has(helper.pid) && isAlive(helper) && isIdleJournal(path);
    });
  }
}
