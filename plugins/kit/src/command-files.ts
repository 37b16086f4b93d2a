import { isUtf8 } from 'node:buffer';
import { statSync, writeFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { beginningOf } from './beginning.ts';
import { readPlainFile } from './plain-file.ts';
import { readProgressLine, type ProgressCount } from './progress.ts';
import { MAX_STATE_BYTES, type Json } from './vocabulary.ts';

/** How often a file that changes is looked at, and one that does not. Milliseconds. */
const BUSY_MS = 250;
const QUIET_MS = 1_000;
/** After so long without a change a file is quiet. Milliseconds. */
const QUIET_AFTER_MS = 5_000;
/** Of a growing file the end is enough: its last whole line counts. Bytes. */
const TAIL_BYTES = 4_096;

/** What of an attempt is told by its command's files. */
export interface CommandTold {
  readonly previousState: Json;
  /** Where the command is told that its checkpoint cannot be kept. */
  readonly stderr: Writable;
  progress(at: number | ProgressCount, message?: string): void;
  saveState(state: Json): Promise<void>;
}

/** Where a command writes; absolute. */
export interface CommandPaths {
  /** The file $GANTRY_PROGRESS. It need not exist. */
  readonly progress: string;
  /** The file $GANTRY_CHECKPOINT. */
  readonly checkpoint: string;
}

/** What $GANTRY_CHECKPOINT is to hold when a command starts: text as a command saved it, else JSON; null for no file. */
export function checkpointText({ previousState }: Pick<CommandTold, 'previousState'>): string | null {
  if (previousState === null) return null;
  return typeof previousState === 'string' ? previousState : JSON.stringify(previousState);
}

/** Writes it, before the command starts. Whether there is anything. */
export function restoreCheckpoint(path: string, told: Pick<CommandTold, 'previousState'>): boolean {
  const text = checkpointText(told);
  if (text === null) return false;
  // Never into what a link leads to: the folder may be one that commands write to.
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  return true;
}

/**
 * Follows the files in which a command tells its progress (`3/10 message`, `45%`, a line each) and keeps its checkpoint
 * (any text), and hands on what they say. One clock for all commands, and nothing but a `stat` while nothing changes; a
 * command that ends within a quarter of a second costs no more than the last look. The returned function ends it.
 */
export function followCommand(paths: CommandPaths, told: CommandTold): () => void {
  const files = filesOf(paths, told);
  for (const file of files) followed.add(file);
  clock ??= setInterval(tick, BUSY_MS).unref();
  return () => {
    for (const file of files) {
      followed.delete(file);
      file.look(Infinity);
    }
    if (followed.size > 0 || clock === null) return;
    clearInterval(clock);
    clock = null;
  };
}

/** The last look alone, for a command that has ended before it was worth following. */
export function lookAtCommand(paths: CommandPaths, told: CommandTold): void {
  for (const file of filesOf(paths, told)) file.look(Infinity);
}

const filesOf = (paths: CommandPaths, told: CommandTold): readonly FollowedFile[] => [
  new ProgressFile(paths.progress, told),
  new CheckpointFile(paths.checkpoint, told),
];

const followed = new Set<FollowedFile>();
let clock: NodeJS.Timeout | null = null;

function tick(): void {
  const now = performance.now();
  for (const file of followed) file.look(now);
}

/** A file that a command owns, and of which it may make what it likes. */
abstract class FollowedFile {
  protected readonly path: string;
  /** Size and time of writing, as they were when it was looked at. */
  protected version = '';
  #changedAt = performance.now();
  #lookAt = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Looks, if it is time to. At Infinity for the last time. */
  look(now: number): void {
    if (now < this.#lookAt) return;
    const version = versionOf(this.path);
    const hasChanged = version !== this.version;
    this.version = version;
    if (hasChanged) this.#changedAt = now;
    this.looked(hasChanged, now === Infinity);
    this.#lookAt = now + (now - this.#changedAt > QUIET_AFTER_MS ? QUIET_MS : BUSY_MS) - BUSY_MS / 2;
  }

  protected abstract looked(hasChanged: boolean, isLast: boolean): void;
}

function versionOf(path: string): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.size} ${stat.mtimeMs} ${stat.ino}`;
  } catch {
    return '';
  }
}

class ProgressFile extends FollowedFile {
  readonly #told: CommandTold;
  #said = '';

  constructor(path: string, told: CommandTold) {
    super(path);
    this.#told = told;
  }

  protected override looked(hasChanged: boolean): void {
    if (!hasChanged) return;
    const end = readPlainFile(this.path, TAIL_BYTES);
    if (end === null) return;
    const lines = end.bytes.toString().split('\n');
    // Of a longer file it begins in the middle of a line, which would say something else than the whole.
    if (end.size > TAIL_BYTES) lines.shift();
    // What follows the last line end is still being written.
    for (let at = lines.length - 2; at >= 0; at--) {
      const said = beginningOf(lines[at]!, 1_000);
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

/** Read when it has not changed between two looks: a file that is being written holds half of what it will say. */
class CheckpointFile extends FollowedFile {
  readonly #told: CommandTold;
  /** The version that was read last, and what was saved last. */
  #read = '';
  #saved: Json;

  constructor(path: string, told: CommandTold) {
    super(path);
    this.#told = told;
    this.#saved = told.previousState;
  }

  protected override looked(hasChanged: boolean, isLast: boolean): void {
    const { version } = this;
    if (version === this.#read || version === '' || (hasChanged && !isLast)) return;
    const bytes = readPlainFile(this.path, MAX_STATE_BYTES + 1)?.bytes;
    if (bytes === undefined || (versionOf(this.path) !== version && !isLast)) return;
    this.#read = version;
    if (bytes.length > MAX_STATE_BYTES) return this.#refuse(`it holds more than ${MAX_STATE_BYTES} bytes`);
    if (!isUtf8(bytes)) return this.#refuse('it is not UTF-8');
    const state = bytes.toString();
    if (state === this.#saved) return;
    this.#saved = state;
    this.#told.saveState(state).catch((error: unknown) => this.#refuse((error as Error).message));
  }

  #refuse(why: string): void {
    this.#told.stderr.write(`gantry: $GANTRY_CHECKPOINT is not kept: ${why}.\n`);
  }
}
