import type { Duplex } from 'node:stream';
import { textFrame } from './text-frame.ts';

const NOTHING = Buffer.alloc(0);

/** Bytes that may wait in a socket before its subscriptions begin to hold back. */
export const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * The way out of one socket. What is written in one turn of the event loop leaves in one system call; who wants to
 * write more than the client reads is told when it may go on.
 */
export class Outlet {
  readonly #socket: Duplex;
  #isCorked = false;
  readonly #waiting = new Set<() => void>();

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('drain', () => {
      for (const resume of this.#waiting) {
        if (this.isFull) return;
        this.#waiting.delete(resume);
        resume();
      }
    });
  }

  /** Whether more should not be written now. */
  get isFull(): boolean {
    return this.#socket.writableLength > MAX_WAITING_BYTES;
  }

  write(frame: Buffer): void {
    if (this.#socket.destroyed) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(frame);
  }

  /** Writes one text message. */
  writeText(text: string): void {
    this.write(textFrame(NOTHING, Buffer.from(text), NOTHING));
  }

  /** Calls back once when there is room again. */
  whenRoom(resume: () => void): void {
    this.#waiting.add(resume);
  }

  forget(resume: () => void): void {
    this.#waiting.delete(resume);
  }
}
