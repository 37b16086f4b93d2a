import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** How much of each stream has been handed on. Bytes. */
export interface LogPosition {
  stdout: number;
  stderr: number;
  /** The end of stderr: at most so much as KEPT_BYTES. */
  lastWords: Buffer;
}

/** Nothing has been handed on yet. */
export const atBeginning = (): LogPosition => ({ stdout: 0, stderr: 0, lastWords: Buffer.alloc(0) });

/** So much of the end of stderr is kept, to tell why a container ended. Bytes. */
const KEPT_BYTES = 4_096;

const HEADER_BYTES = 8;

/**
 * Hands on what a container prints, in the engine's framing: a byte for the stream, three of nothing, four for the
 * length, and then so much of it. It waits where a stream is full, so a flood is held up at its source. What `position`
 * says has been handed on before is left out: a log that is read anew begins at its beginning.
 */
export async function handOn(
  source: AsyncIterable<Buffer> | Iterable<Buffer>,
  targets: { readonly stdout: Writable; readonly stderr: Writable },
  position: LogPosition,
): Promise<void> {
  const seen = { stdout: 0, stderr: 0 };
  let header = Buffer.alloc(0);
  let left = 0;
  let stream: 'stdout' | 'stderr' = 'stdout';
  for await (const chunk of source) {
    let piece: Buffer = chunk;
    while (piece.length > 0) {
      if (left === 0) {
        const taken = piece.subarray(0, HEADER_BYTES - header.length);
        header = Buffer.concat([header, taken]);
        piece = piece.subarray(taken.length);
        if (header.length < HEADER_BYTES) break;
        stream = header[0] === 2 ? 'stderr' : 'stdout';
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const text = piece.subarray(0, left);
      piece = piece.subarray(text.length);
      left -= text.length;
      const known = Math.min(text.length, Math.max(0, position[stream] - seen[stream]));
      seen[stream] += text.length;
      const fresh = text.subarray(known);
      if (fresh.length === 0) continue;
      position[stream] += fresh.length;
      if (stream === 'stderr') position.lastWords = endOf(position.lastWords, fresh);
      if (!targets[stream].write(fresh)) await once(targets[stream], 'drain');
    }
  }
}

/** A copy, because a piece of a chunk would keep the whole of it. */
const endOf = (before: Buffer, piece: Buffer): Buffer =>
  piece.length >= KEPT_BYTES
    ? Buffer.from(piece.subarray(-KEPT_BYTES))
    : Buffer.concat([before.subarray(-(KEPT_BYTES - piece.length)), piece]);
