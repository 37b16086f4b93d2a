import { promisify } from 'node:util';
import { zstdCompress, zstdDecompressSync } from 'node:zlib';
import { CorruptRow } from './columns.ts';
import type { LogChunk } from './store.ts';

/** A chunk without its attempt: a segment holds those of one. */
export type PackedChunk = Omit<LogChunk, 'attempt'>;

/*
 * A segment: one byte that says how the rest is written, then the rest: the number of chunks, for each of them what its
 * seq is more than that of the chunk before, by how many milliseconds its time differs, its stream and whether the time
 * is earlier, and the length of its text; at last all texts. Numbers take seven bits a byte, the lowest first; the highest bit says that more follow.
 */

const PLAIN = 0;
const ZSTD = 1;
const STREAMS = ['STDOUT', 'STDERR', 'SYSTEM'] as const satisfies readonly LogChunk['stream'][];
/** Shorter ones do not get shorter. Bytes. */
const MIN_COMPRESSED = 64;
/** The most that a segment may hold when it is unpacked, against a damaged row that asks for all memory. Bytes. */
const MAX_UNPACKED = 64 << 20;

const compress = promisify(zstdCompress);

/** Packs chunks in their order. Compression runs beside the event loop. */
export async function packChunks(chunks: readonly PackedChunk[]): Promise<Buffer> {
  const numbers: number[] = [];
  const texts: Buffer[] = [];
  let seq = 0;
  let at = 0;
  put(numbers, chunks.length);
  for (const chunk of chunks) {
    const text = Buffer.from(chunk.text);
    put(numbers, chunk.seq - seq);
    const later = chunk.at - at;
    put(numbers, Math.abs(later));
    put(numbers, STREAMS.indexOf(chunk.stream) * 2 + (later < 0 ? 1 : 0));
    put(numbers, text.length);
    texts.push(text);
    ({ seq, at } = chunk);
  }
  const plain = Buffer.concat([Buffer.from(numbers), ...texts]);
  if (plain.length >= MIN_COMPRESSED) {
    const compressed = await compress(plain);
    if (compressed.length < plain.length) return Buffer.concat([Buffer.of(ZSTD), compressed]);
  }
  return Buffer.concat([Buffer.of(PLAIN), plain]);
}

/** The opposite. `place` names the segment in an error. Throws CorruptRow. */
export function unpackChunks(packed: Uint8Array, place: string): PackedChunk[] {
  const corrupt = (why: string): CorruptRow => new CorruptRow('log_segment', place, 'packed', why);
  const bytes = bodyOf(packed, corrupt);
  let position = 0;
  const take = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[position++];
      if (byte === undefined || factor > Number.MAX_SAFE_INTEGER) throw corrupt('it ends too early');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const count = take();
  if (count > bytes.length) throw corrupt('it names more chunks than it can hold');
  const heads: { readonly seq: number; readonly at: number; readonly stream: LogChunk['stream']; length: number }[] =
    [];
  let seq = 0;
  let at = 0;
  for (let index = 0; index < count; index++) {
    seq += take();
    const later = take();
    const kind = take();
    at += kind % 2 === 0 ? later : -later;
    const stream = STREAMS[kind >> 1];
    if (stream === undefined) throw corrupt('it names a stream that there is not');
    heads.push({ seq, at, stream, length: take() });
  }
  return heads.map(({ length, ...head }) => {
    if (position + length > bytes.length) throw corrupt('it ends too early');
    const text = bytes.toString('utf8', position, position + length);
    position += length;
    return { ...head, text };
  });
}

function bodyOf(packed: Uint8Array, corrupt: (why: string) => CorruptRow): Buffer {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  const kind = bytes[0];
  const body = bytes.subarray(1);
  if (kind === PLAIN) return body;
  if (kind !== ZSTD) throw corrupt(`it is written in the form ${kind}, which this program does not know`);
  try {
    return zstdDecompressSync(body, { maxOutputLength: MAX_UNPACKED });
  } catch (error) {
    throw corrupt((error as Error).message);
  }
}

function put(bytes: number[], value: number): void {
  let left = value;
  while (left >= 128) {
    bytes.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  bytes.push(left);
}
