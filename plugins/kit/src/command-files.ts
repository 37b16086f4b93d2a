import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { readProgressLine, type ProgressCount } from './progress.ts';

/** How often a file that changes is looked at, and one that does not. Milliseconds. */
const BUSY_MS = 250;
const QUIET_MS = 1_000;
/** After so long without a change a file is quiet. Milliseconds. */
const QUIET_AFTER_MS = 5_000;
/** Of a growing file the end is enough: its last whole line counts. Bytes. */
const TAIL_BYTES = 4_096;

/** What of an attempt is told by its command's files. */
export interface CommandTold {
  progress(at: number | ProgressCount, message?: string): void;
}

/** Where a command writes; absolute. */
export interface CommandPaths {
  /** The file $GANTRY_PROGRESS. It need not exist. */
  readonly progress: string;
}

/**
 * Follows the file that a command tells its progress in (`3/10 message`, `45%`, a line each), and hands it on. One clock
 * for all commands, and nothing but a `stat` while nothing changes; a command that ends within a quarter of a second
 * costs nothing at all. The returned function ends it, after a last look.
 */
export function followCommand(paths: CommandPaths, told: CommandTold): () => void {
  const file = new ProgressFile(paths.progress, told);
  followed.add(file);
  clock ??= setInterval(tick, BUSY_MS).unref();
  return () => {
    followed.delete(file);
    file.look(Infinity);
    if (followed.size > 0 || clock === null) return;
    clearInterval(clock);
    clock = null;
  };
}

const followed = new Set<ProgressFile>();
let clock: NodeJS.Timeout | null = null;

function tick(): void {
  const now = performance.now();
  for (const file of followed) file.look(now);
}

/** One command's file. */
class ProgressFile {
  readonly #path: string;
  readonly #told: CommandTold;
  #size = 0;
  #writtenAt = 0;
  #changedAt = performance.now();
  #lookAt = 0;
  #said = '';

  constructor(path: string, told: CommandTold) {
    this.#path = path;
    this.#told = told;
  }

  /** Looks, if it is time to. The command owns the file, and may make of it what it likes: nothing here throws. */
  look(now: number): void {
    if (now < this.#lookAt) return;
    try {
      const { size, mtimeMs } = statSync(this.#path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
      if (size !== this.#size || mtimeMs !== this.#writtenAt) {
        this.#size = size;
        this.#writtenAt = mtimeMs;
        this.#changedAt = now;
        this.#tell(lastLines(this.#path));
      }
    } catch {
      // Unreadable, or no file at all: then it tells nothing.
    }
    this.#lookAt = now + (now - this.#changedAt > QUIET_AFTER_MS ? QUIET_MS : BUSY_MS) - BUSY_MS / 2;
  }

  #tell(text: string): void {
    const lines = text.split('\n');
    // What follows the last line end is still being written.
    for (let at = lines.length - 2; at >= 0; at--) {
      const said = lines[at]!.slice(0, 1_000);
      const progress = readProgressLine(said);
      if (progress === null) continue;
      if (said === this.#said) return;
      this.#said = said;
      const { fraction, done, total, message } = progress;
      if (done === null) this.#told.progress(fraction ?? 0, message ?? undefined);
      else
        this.#told.progress({ done, ...(total === null ? {} : { total }), ...(message === null ? {} : { message }) });
      return;
    }
  }
}

/** The end of a file, which must be a plain one: a pipe would hold up the whole process, a link lead anywhere. */
function lastLines(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return '';
    const bytes = Buffer.alloc(Math.min(stat.size, TAIL_BYTES));
    const start = stat.size - bytes.length;
    const text = bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, start));
    // Half a line would say something else than the whole one.
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    closeSync(file);
  }
}
