import { closeSync, fstatSync, ftruncateSync, openSync, readSync, statSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';

const PIECE_BYTES = 64 * 1024;
/** The most that one look reads of one file: others want their turn, and a flood must not busy the whole process. */
const LOOK_BYTES = 512 * 1024;
/** So often a file that grows is read on before it is cut back. */
const CUT_STEPS = 32;

/** Bounds of what one stream may take. Bytes. */
export interface TailBounds {
  /** More than this unread: all but the last part is skipped, with a marker. */
  readonly backlogBytes: number;
  /** What is kept of a backlog that was too long. */
  readonly keptBytes: number;
  /** A file that has grown to this is cut back, read or not: so the disk is bounded. */
  readonly fileBytes: number;
}
const BOUNDS: TailBounds = {
  backlogBytes: 16 * 1024 * 1024,
  keptBytes: 4 * 1024 * 1024,
  fileBytes: 64 * 1024 * 1024,
};

/**
 * Follows one growing file into a stream. The command has it open for appending, so the file may be cut back to nothing
 * under it at any time. What the stream does not take in time is skipped, never waited for: the command is not held up.
 */
export class Tail {
  readonly #path: string;
  readonly #target: () => Writable;
  readonly #bounds: TailBounds;
  #descriptor: number | null = null;
  #offset = 0;
  #cutBytes = 0;
  #seenInFile = 0;
  #isFull = false;
  #isEnding = false;
  /** Bytes that were skipped and not yet spoken of, and what follows them: no longer in the file. */
  #skipped = 0;
  #kept: Buffer | null = null;

  /** @param target Asked for when there is something to write: a command that prints nothing needs no stream. */
  constructor(path: string, target: () => Writable, bounds: TailBounds = BOUNDS) {
    this.#path = path;
    this.#target = target;
    this.#bounds = bounds;
  }

  /** How much was printed, as far as it has been looked at. Bytes. */
  get seenBytes(): number {
    return this.#cutBytes + this.#seenInFile;
  }

  /** Hands on what has come since; true when there was something. While the stream is full it only keeps the bounds. */
  look(): boolean {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    this.#seenInFile = size;
    if (this.#isFull) {
      if (size > this.#bounds.fileBytes) this.#cutBack();
      return true;
    }
    const hadKept = this.#kept !== null;
    this.#writeKept();
    if (size <= this.#offset) return hadKept;
    this.#descriptor ??= openSync(this.#path, 'r+');
    if (size - this.#offset > this.#bounds.backlogBytes) {
      this.#writeMarker(size - this.#bounds.keptBytes - this.#offset);
      this.#offset = size - this.#bounds.keptBytes;
    }
    this.#read(Math.min(size, this.#offset + LOOK_BYTES));
    if (this.#offset > this.#bounds.fileBytes && !this.#isEnding) this.#cutBack();
    return true;
  }

  /** Hands on the rest; null when there is none. To be called when nothing writes to the file any more. */
  finish(): Promise<void> | null {
    this.#isEnding = true;
    if (!this.#isFull && !this.look()) {
      this.close();
      return null;
    }
    return this.#finish();
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  async #finish(): Promise<void> {
    try {
      do {
        if (this.#isFull) await new Promise((resolve) => this.#target().once('drain', resolve));
        else await turn();
      } while (this.look());
    } finally {
      this.close();
    }
  }

  #read(end: number): void {
    while (this.#offset < end && !this.#isFull) {
      // Not one buffer for all: the stream may keep it for a while.
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - this.#offset));
      const count = readSync(this.#descriptor!, piece, 0, piece.length, this.#offset);
      if (count === 0) return;
      this.#offset += count;
      this.#write(count === piece.length ? piece : piece.subarray(0, count));
    }
  }

  #write(content: Buffer | string): void {
    const target = this.#target();
    if (target.write(content)) return;
    this.#isFull = true;
    target.once('drain', () => (this.#isFull = false));
  }

  #writeMarker(bytes: number): void {
    this.#write(`\n… ${bytes} bytes are left out here: they came faster than they were taken …\n`);
  }

  #writeKept(): void {
    if (this.#kept === null) return;
    if (this.#skipped > 0) this.#writeMarker(this.#skipped);
    if (this.#kept.length > 0) this.#write(this.#kept);
    this.#skipped = 0;
    this.#kept = null;
  }

  /**
   * Empties the file. The last of what was not yet read is kept: a command's last words are its most important ones. So
   * it is read up to the very moment of the cut, in ever smaller steps; what comes between the last look at its size and
   * the cut is lost, the time of one system call.
   */
  #cutBack(): void {
    this.#descriptor ??= openSync(this.#path, 'r+');
    const { keptBytes, fileBytes } = this.#bounds;
    let pieces: Buffer[] = [];
    let position = this.#offset;
    for (let step = 1; ; step++) {
      const { size } = fstatSync(this.#descriptor);
      if (size === position) break;
      if (step > CUT_STEPS) {
        // It is written faster than it is read. While there is room, the next look may be luckier.
        if (size < 2 * fileBytes) return;
        break;
      }
      if (size - position > keptBytes) {
        pieces = [];
        position = size - keptBytes;
      }
      const piece = Buffer.allocUnsafe(size - position);
      const count = readSync(this.#descriptor, piece, 0, piece.length, position);
      pieces.push(piece.subarray(0, count));
      position += count;
    }
    ftruncateSync(this.#descriptor, 0);
    const unread = Buffer.concat(pieces);
    const kept = unread.subarray(Math.max(0, unread.length - keptBytes));
    this.#skipped += position - this.#offset - kept.length + (this.#kept?.length ?? 0);
    this.#cutBytes += position;
    this.#seenInFile = 0;
    this.#offset = 0;
    this.#kept = kept;
  }
}
