import { createHash } from 'node:crypto';
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UserFolder } from './user-folder.ts';

/** What an attempt may have on the disk; its working folder is the agent's. */
export type AttemptFile =
  | 'stdout'
  | 'stderr'
  | 'output'
  | 'inputs.json'
  | 'script'
  | 'stdin'
  | 'job'
  | 'run'
  | 'progress'
  | 'checkpoint'
  /** The value of a variable that is too large for one. */
  | Aside;
type Aside = `aside-${string}`;
/** What the command itself reads or writes by its path; the rest is opened for it. */
const ITS_OWN: ReadonlySet<AttemptFile> = new Set(['output', 'progress', 'checkpoint', 'inputs.json', 'script', 'run']);
const isItsOwn = (file: AttemptFile): boolean => ITS_OWN.has(file) || file.startsWith('aside-');

/** An attempt's id as a name of a file: ids are the server's, but whatever could be a path is hashed. */
export const nameOf = (attempt: string): string =>
  /^[\w-][\w.-]{0,150}$/.test(attempt) ? attempt : createHash('sha256').update(attempt).digest('hex');

/**
 * The files of one attempt, `<attempt>.<what>` in the folder of the helper that runs it, which only the agent's user may
 * enter. A folder per attempt would cost more than all of them (mkdir and rmdir take 115 µs on ext4 here, a file 40 µs),
 * and in one folder for all, every look at a file would wait for the others that are being made. To make and remove the
 * two files of the output costs as much as all the rest of a short command: so those that stayed empty, and that nobody
 * can have open any more, are handed on to the next one (Helper.keep).
 */
export class AttemptFiles {
  /** That of the helper. */
  readonly folder: string;
  readonly #prefix: string;
  /** What the files of its output are named after: itself, or the attempt that they were made for. */
  readonly streams: string;
  /** They have stayed empty, and become another's. */
  readonly isPassedOn: boolean;
  readonly #streamPrefix: string;
  readonly #made = new Set<AttemptFile>(['stdout', 'stderr', 'output', 'progress', 'checkpoint']);
  /** Where what is the command's own is instead, when it runs as another user. */
  readonly userFolder: UserFolder | null;

  /** @param streams Of an attempt before; its own when absent, null when these have become another's. */
  constructor(
    folder: string,
    attempt: string,
    userFolder: UserFolder | null = null,
    streams: string | null = nameOf(attempt),
  ) {
    this.folder = folder;
    this.userFolder = userFolder;
    this.#prefix = join(folder, nameOf(attempt));
    this.isPassedOn = streams === null;
    this.streams = streams ?? `${nameOf(attempt)}.none`;
    this.#streamPrefix = join(folder, this.streams);
  }

  path(file: AttemptFile): string {
    if (file === 'stdout' || file === 'stderr') return `${this.#streamPrefix}.${file}`;
    const folder = isItsOwn(file) ? this.userFolder : null;
    return folder === null ? `${this.#prefix}.${file}` : join(folder.path, file);
  }

  /** Writes what the command is to read. For its user only. Returns the path. */
  write(file: AttemptFile, content: string, mode = 0o600): string {
    const path = this.path(file);
    if (this.userFolder !== null && isItsOwn(file)) {
      this.userFolder.write(path, content, mode);
    } else {
      writeFileSync(path, content, { mode });
      this.#made.add(file);
    }
    return path;
  }

  /** Whether the file is there, or was. */
  hasStream(file: 'stdout' | 'stderr'): boolean {
    return this.isPassedOn || existsSync(this.path(file));
  }

  /** The files of its output become another's: they are not removed with the rest. Returns what they are named after. */
  passOn(): string {
    this.#made.delete('stdout');
    this.#made.delete('stderr');
    return this.streams;
  }

  async remove(): Promise<void> {
    for (const file of this.#made) {
      if (this.userFolder !== null && isItsOwn(file)) continue;
      try {
        const path = this.path(file);
        if (existsSync(path)) unlinkSync(path);
      } catch {
        // Removed by somebody else, or it will be by the sweep.
      }
    }
    await this.userFolder?.remove();
  }
}
