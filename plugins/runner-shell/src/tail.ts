import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import type { Writable } from 'node:stream';

const PIECE_BYTES = 64 * 1024;
/** The most that one look reads of one file: others want their turn. */
const LOOK_BYTES = 4 * 1024 * 1024;
/** More than this unread: the middle is skipped, with a marker. */
const BACKLOG_BYTES = 32 * 1024 * 1024;
/** A file that has grown to this is cut off: the disk is bounded, however long the command floods. */
const CUT_BYTES = 64 * 1024 * 1024;
const KEPT_BYTES = 8 * 1024 * 1024;

const piece = Buffer.allocUnsafe(PIECE_BYTES);

/** Follows one growing file into a stream. */
export class Tail {
  readonly #path: string;
  readonly #target: () => Writable;
  #descriptor: number | null = null;
  #offset = 0;
  #isFull = false;

  /** @param target Asked for when there is something to write: a command that prints nothing needs no stream. */
  constructor(path: string, target: () => Writable) {
    this.#path = path;
    this.#target = target;
  }

  /** Reads what has come since; true when there was something. Waits its turn while the stream is full. */
  look(): boolean {
    if (this.#isFull) return true;
    const size = this.#size();
    if (size <= this.#offset) return false;
    if (size - this.#offset > BACKLOG_BYTES) this.#skipTo(size - KEPT_BYTES);
    this.#read(Math.min(size, this.#offset + LOOK_BYTES));
    if (this.#offset >= CUT_BYTES) this.#cut();
    return true;
  }

  /** Reads the rest, however long it takes, and closes the file. */
  async finish(): Promise<void> {
    while (this.look()) {
      if (this.#isFull) await new Promise((resolve) => this.#target().once('drain', resolve));
    }
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #size(): number {
    try {
      this.#descriptor ??= openSync(this.#path, 'r+');
      return fstatSync(this.#descriptor).size;
    } catch {
      return 0;
    }
  }

  #read(end: number): void {
    while (this.#offset < end && !this.#isFull) {
      const count = readSync(this.#descriptor!, piece, 0, Math.min(PIECE_BYTES, end - this.#offset), this.#offset);
      if (count === 0) return;
      this.#offset += count;
      // Copied: the stream may keep it for a while.
      this.#write(Buffer.from(piece.subarray(0, count)));
    }
  }

  #write(content: Buffer | string): void {
    const target = this.#target();
    if (target.write(content)) return;
    this.#isFull = true;
    target.once('drain', () => (this.#isFull = false));
  }

  #skipTo(offset: number): void {
    this.#write(`\n… ${offset - this.#offset} bytes skipped here: they came faster than they could be read …\n`);
    this.#offset = offset;
  }

  /** The command appends, so it goes on at the new end. */
  #cut(): void {
    const unread = this.#size() - this.#offset;
    ftruncateSync(this.#descriptor!, 0);
    this.#offset = 0;
    if (unread > 0) this.#write(`\n… about ${unread} bytes skipped here: they came faster than they could be read …\n`);
  }
}
