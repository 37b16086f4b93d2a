import type { NodeLogChunk } from '../protocol/gateway.ts';

/** The most that one attempt's ring keeps. Bytes. */
export const RING_BYTES = 8 * 1024 * 1024;
/** What the rings of a node may take together: many floods at once get shorter tails, not more memory. Bytes. */
const ALL_RINGS_BYTES = 64 * 1024 * 1024;
/** What a ring begins with, and always gets. Bytes. */
const FIRST_BYTES = 64 * 1024;
/** Stretches of one stream that are told apart; what alternates byte by byte must not cost more than its bytes. */
const MAX_STRETCHES = 65_536;

type Stream = NodeLogChunk['stream'];

/** A stretch of output of one stream. */
export interface Stretch {
  readonly stream: Stream;
  readonly at: number;
  readonly bytes: Buffer;
}

/** Shared by the rings of a node. */
export class RingMemory {
  #left = ALL_RINGS_BYTES;

  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }
  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** Keeps the last bytes of what is put in, with the stream that they came from, and counts what it had to let go. */
export class OutputRing {
  readonly #memory: RingMemory;
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #start = 0;
  #size = 0;
  #stretches: { readonly stream: Stream; readonly at: number; length: number }[] = [];
  #firstStretch = 0;
  #leftOut = 0;

  constructor(memory: RingMemory) {
    this.#memory = memory;
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.#size;
  }
  /** Bytes that were let go, all before those that are kept. */
  get leftOut(): number {
    return this.#leftOut;
  }

  put(stream: Stream, at: number, bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#makeRoom(bytes.length);
    const capacity = this.#buffer.length;
    const kept = bytes.length > capacity ? bytes.subarray(bytes.length - capacity) : bytes;
    this.#leftOut += bytes.length - kept.length;
    this.#letGo(this.#size + kept.length - capacity);
    const place = (this.#start + this.#size) % capacity;
    const atEnd = Math.min(kept.length, capacity - place);
    kept.copy(this.#buffer, place, 0, atEnd);
    kept.copy(this.#buffer, 0, atEnd);
    this.#size += kept.length;
    const last = this.#stretches.at(-1);
    if (last?.stream === stream && this.#stretches.length > this.#firstStretch) last.length += kept.length;
    else this.#stretches.push({ stream, at, length: kept.length });
    const excess = this.#stretches.length - this.#firstStretch - MAX_STRETCHES;
    if (excess > 0) this.#letGo(this.#stretches[this.#firstStretch]!.length);
  }

  /** Hands out everything in order, and is empty and without memory of its own afterwards. */
  *drain(): Generator<Stretch> {
    for (; this.#firstStretch < this.#stretches.length; this.#firstStretch++) {
      const { stream, at, length } = this.#stretches[this.#firstStretch]!;
      const end = this.#start + length;
      const capacity = this.#buffer.length;
      const bytes =
        end <= capacity
          ? this.#buffer.subarray(this.#start, end)
          : Buffer.concat([this.#buffer.subarray(this.#start), this.#buffer.subarray(0, end - capacity)]);
      yield { stream, at, bytes };
      this.#start = end % capacity;
    }
    this.#memory.give(this.#buffer.length - FIRST_BYTES);
    this.#buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#stretches = [];
    this.#firstStretch = this.#start = this.#size = this.#leftOut = 0;
  }

  #makeRoom(bytes: number): void {
    const needed = Math.min(this.#size + bytes, RING_BYTES);
    let capacity = this.#buffer.length;
    while (capacity < needed) capacity *= 2;
    if (capacity === this.#buffer.length || !this.#memory.take(capacity - this.#buffer.length)) return;
    const buffer = Buffer.allocUnsafeSlow(capacity);
    const atEnd = this.#buffer.copy(buffer, 0, this.#start, Math.min(this.#start + this.#size, this.#buffer.length));
    this.#buffer.copy(buffer, atEnd, 0, this.#size - atEnd);
    this.#buffer = buffer;
    this.#start = 0;
  }

  #letGo(bytes: number): void {
    if (bytes <= 0) return;
    this.#leftOut += bytes;
    this.#size -= bytes;
    this.#start = (this.#start + bytes) % this.#buffer.length;
    for (let left = bytes; left > 0;) {
      const stretch = this.#stretches[this.#firstStretch]!;
      const gone = Math.min(stretch.length, left);
      stretch.length -= gone;
      left -= gone;
      if (stretch.length === 0) this.#firstStretch++;
    }
    if (this.#firstStretch > 1_024 && this.#firstStretch * 2 > this.#stretches.length) {
      this.#stretches.splice(0, this.#firstStretch);
      this.#firstStretch = 0;
    }
  }
}
