import { accessSync, constants, statfsSync } from 'node:fs';

/** A disk with less room than this is full for whoever failed on it. Bytes. */
const LITTLE_BYTES = 1_048_576;
/** With less than this, not even the lines that a command hands on can be sure to have been written. Bytes. */
const NOTHING_BYTES = 16_384;

/** What a command that lacked space is told with. */
export interface LackOfSpace {
  /** The node’s, as its kernel says; the task’s where only the command itself said so. */
  readonly kind: 'INFRASTRUCTURE' | 'APPLICATION';
  readonly code: 'DISK_FULL';
  /** A clause: “the disk that holds /x is full”. */
  readonly message: string;
  readonly remedy: string;
}

/** How programs say it, whatever they are written in. */
const SAID = /no space left on device|disk quota exceeded|\bENOSPC\b|\bEDQUOT\b/i;

/**
 * Whether a command that failed lacked space: a disk that it wrote to is full now, or it said so itself, and has cleared
 * up since.
 *
 * @param folders Where it may have written. Those that cannot be written to say nothing.
 * @param lastWords The end of what it printed on stderr.
 */
export function lackOfSpace(folders: readonly string[], lastWords: string): LackOfSpace | null {
  const full = folders.find((folder) => isFull(folder, LITTLE_BYTES));
  const remedy = 'Make room on the node’s disk, or have the task write less.';
  if (full !== undefined)
    return { kind: 'INFRASTRUCTURE', code: 'DISK_FULL', message: `the disk that holds ${full} is full`, remedy };
  if (!SAID.test(lastWords)) return null;
  return { kind: 'APPLICATION', code: 'DISK_FULL', message: 'it said that a disk was full', remedy };
}

/** So fast no disk is filled: as long as it would take, room that was seen is still there. Bytes per millisecond. */
const FASTEST = 10_000_000;
/** What was seen last, by folder. */
const seen = new Map<string, { readonly bytes: number; readonly atMs: number }>();
const MAX_SEEN = 64;

/**
 * Whether what a command handed on in a folder may be cut short, though it succeeded: there is no room for another line.
 * Asked of the system only when what it said last may have changed: short commands would pay for it.
 *
 * @param folder One for many commands, and not of each its own.
 */
export function mayBeCutShort(folder: string): boolean {
  const now = performance.now();
  const known = seen.get(folder);
  if (known !== undefined && known.bytes - (now - known.atMs) * FASTEST > NOTHING_BYTES) return false;
  if (seen.size >= MAX_SEEN) seen.clear();
  seen.set(folder, { bytes: roomIn(folder), atMs: now });
  return isFull(folder, NOTHING_BYTES);
}

/** What the agent's user may still write in a folder. Bytes; 0 where nobody knows. */
function roomIn(folder: string): number {
  try {
    const { bavail, bfree, bsize } = statfsSync(folder);
    return (process.getuid?.() === 0 ? bfree : bavail) * bsize;
  } catch {
    return 0;
  }
}

function isFull(folder: string, leastBytes: number): boolean {
  try {
    const { bavail, bfree, bsize, blocks, files, ffree } = statfsSync(folder);
    // Some file systems are the kernel's own, and have no size at all.
    if (blocks === 0) return false;
    // Root may use what is reserved for it.
    const left = (process.getuid?.() === 0 ? bfree : bavail) * bsize;
    if (left >= leastBytes && (files === 0 || ffree > 0)) return false;
    // One that is only to be read is always full.
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
