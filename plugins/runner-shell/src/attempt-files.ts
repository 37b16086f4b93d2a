import { createHash } from 'node:crypto';
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UserFolder } from './user-folder.ts';

/** What an attempt may have on the disk; its working folder is the agent's. */
export type AttemptFile =
  'stdout' | 'stderr' | 'output' | 'inputs.json' | 'script' | 'stdin' | 'job' | 'run' | 'progress' | 'checkpoint';
/** What the command itself reads or writes by its path; the rest is opened for it. */
const ITS_OWN: ReadonlySet<AttemptFile> = new Set(['output', 'progress', 'checkpoint', 'inputs.json', 'script', 'run']);

/** An attempt's id as a name of a file: ids are the server's, but whatever could be a path is hashed. */
export const nameOf = (attempt: string): string =>
  /^[\w-][\w.-]{0,150}$/.test(attempt) ? attempt : createHash('sha256').update(attempt).digest('hex');

/**
 * The files of one attempt, `<attempt>.<what>` in the folder of the helper that runs it, which only the agent's user may
 * enter. A folder per attempt would cost more than all of them (mkdir and rmdir take 115 µs on ext4 here, a file 40 µs),
 * and in one folder for all, every look at a file would wait for the others that are being made.
 */
export class AttemptFiles {
  readonly #prefix: string;
  readonly #made: AttemptFile[] = ['stdout', 'stderr', 'output', 'progress', 'checkpoint'];
  /** Where what is the command's own is instead, when it runs as another user. */
  readonly userFolder: UserFolder | null;

  constructor(folder: string, attempt: string, userFolder: UserFolder | null = null) {
    this.userFolder = userFolder;
    this.#prefix = join(folder, nameOf(attempt));
  }

  path(file: AttemptFile): string {
    const folder = ITS_OWN.has(file) ? this.userFolder : null;
    return folder === null ? `${this.#prefix}.${file}` : join(folder.path, file);
  }

  /** Writes what the command is to read. For its user only. Returns the path. */
  write(file: AttemptFile, content: string, mode = 0o600): string {
    const path = this.path(file);
    if (this.userFolder !== null && ITS_OWN.has(file)) {
      this.userFolder.write(path, content, mode);
    } else {
      writeFileSync(path, content, { mode });
      this.#made.push(file);
    }
    return path;
  }

  async remove(): Promise<void> {
    for (const file of this.#made) {
      if (this.userFolder !== null && ITS_OWN.has(file)) continue;
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
