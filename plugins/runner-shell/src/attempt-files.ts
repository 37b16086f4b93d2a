import { createHash } from 'node:crypto';
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What an attempt may have on the disk; its working folder is the agent's. */
export type AttemptFile = 'stdout' | 'stderr' | 'output' | 'inputs.json' | 'script' | 'stdin' | 'job';

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
  readonly #made: AttemptFile[] = ['stdout', 'stderr', 'output'];

  constructor(folder: string, attempt: string) {
    this.#prefix = join(folder, nameOf(attempt));
  }

  path(file: AttemptFile): string {
    return `${this.#prefix}.${file}`;
  }

  /** Writes what the command is to read. For its user only. Returns the path. */
  write(file: AttemptFile, content: string, mode = 0o600): string {
    const path = this.path(file);
    writeFileSync(path, content, { mode });
    this.#made.push(file);
    return path;
  }

  remove(): void {
    for (const file of this.#made) {
      try {
        const path = this.path(file);
        if (existsSync(path)) unlinkSync(path);
      } catch {
        // Removed by somebody else, or it will be by the sweep.
      }
    }
  }
}
