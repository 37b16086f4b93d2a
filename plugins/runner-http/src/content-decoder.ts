import type { Transform } from 'node:stream';
import {
  brotliDecompressSync,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';

/** An encoding that is undone here. */
type Encoding = 'gzip' | 'deflate' | 'br' | 'zstd';
const ENCODINGS: Readonly<Record<string, Encoding>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
  zstd: 'zstd',
};
/** Encodings in one header. More serve nothing but to cost whoever undoes them. */
const MAX_ENCODINGS = 3;
/** The window that HTTP allows (RFC 9659): 8 MiB of memory. */
const ZSTD = { params: { [constants.ZSTD_d_windowLogMax]: 23 } };

/**
 * What a Content-Encoding header names, in the order in which it is undone; the first name that is not known, or the
 * whole header when there are too many, otherwise.
 */
export function encodingsOf(header: string | undefined): readonly Encoding[] | { readonly unknown: string } {
  if (header === undefined) return [];
  const names = header
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  const unknown = names.find((name) => !Object.hasOwn(ENCODINGS, name));
  if (unknown !== undefined || names.length > MAX_ENCODINGS) return { unknown: (unknown ?? header).slice(0, 60) };
  return names.map((name) => ENCODINGS[name]!).reverse();
}

/** Where decoded bytes go. */
export interface DecodedTarget {
  /** False when it has enough for now; then it calls `resume` of the decoder. */
  piece(bytes: Buffer): boolean;
  end(): void;
  /** The bytes are not what the header says. */
  broken(error: Error): void;
}

/** Undoes encodings while the bytes come, with back-pressure; never more than a few pieces are held. */
export class ContentDecoder {
  readonly #stages: readonly Stage[];

  /** @param drained Called when `write` has said no and may be called again. */
  constructor(encodings: readonly Encoding[], target: DecodedTarget, drained: () => void) {
    const stages: Stage[] = [];
    for (const encoding of encodings.toReversed()) {
      const next = stages[0];
      stages.unshift(
        new Stage(encoding, {
          piece: (bytes) => (next === undefined ? target.piece(bytes) : next.write(bytes)),
          end: () => (next === undefined ? target.end() : next.end()),
          broken: (error) => target.broken(error),
        }),
      );
    }
    for (const [at, stage] of stages.entries()) stage.drained = at === 0 ? drained : () => stages[at - 1]!.resume();
    this.#stages = stages;
  }

  /** False when it has enough for now. */
  write(bytes: Buffer): boolean {
    return this.#stages[0]!.write(bytes);
  }

  end(): void {
    this.#stages[0]!.end();
  }

  /** The target takes pieces again. */
  resume(): void {
    this.#stages.at(-1)!.resume();
  }

  /** Ends it without a word. */
  drop(): void {
    for (const stage of this.#stages) stage.drop();
  }
}

class Stage {
  drained: () => void = () => undefined;
  readonly #encoding: Encoding;
  readonly #target: DecodedTarget;
  /** Made with the first bytes: they tell the two kinds of deflate apart, and an empty body is none of them. */
  #stream: Transform | null = null;
  #isDropped = false;

  constructor(encoding: Encoding, target: DecodedTarget) {
    this.#encoding = encoding;
    this.#target = target;
  }

  write(bytes: Buffer): boolean {
    if (this.#isDropped || bytes.length === 0) return true;
    this.#stream ??= this.#opened(bytes);
    if (this.#stream.write(bytes)) return true;
    this.#stream.once('drain', () => this.drained());
    return false;
  }

  end(): void {
    if (this.#isDropped) return;
    if (this.#stream === null) this.#target.end();
    else this.#stream.end();
  }

  resume(): void {
    this.#stream?.resume();
  }

  drop(): void {
    this.#isDropped = true;
    this.#stream?.destroy();
  }

  #opened(first: Buffer): Transform {
    const stream = decoderFor(this.#encoding, first);
    stream.on('data', (bytes: Buffer) => {
      if (!this.#isDropped && !this.#target.piece(bytes)) stream.pause();
    });
    stream.on('end', () => this.#isDropped || this.#target.end());
    stream.on('error', (error) => this.#isDropped || this.#target.broken(error));
    return stream;
  }
}

/** Some servers mean by `deflate` what they send, and leave out its wrapper. */
const isWrapped = (first: Buffer): boolean => (first[0]! & 0x0f) === 8;

function decoderFor(encoding: Encoding, first: Buffer): Transform {
  switch (encoding) {
    case 'gzip':
      return createGunzip();
    case 'deflate':
      return isWrapped(first) ? createInflate() : createInflateRaw();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress(ZSTD);
  }
}

/** Undoes encodings of a short body at once. Throws when it is broken, or longer than `maxBytes` (ERR_BUFFER_TOO_LARGE). */
export function decodedContent(bytes: Buffer, encodings: readonly Encoding[], maxBytes: number): Buffer {
  const limit = { maxOutputLength: maxBytes };
  let decoded = bytes;
  for (const encoding of encodings) {
    if (decoded.length === 0) break;
    switch (encoding) {
      case 'gzip':
        decoded = gunzipSync(decoded, limit);
        break;
      case 'deflate':
        decoded = isWrapped(decoded) ? inflateSync(decoded, limit) : inflateRawSync(decoded, limit);
        break;
      case 'br':
        decoded = brotliDecompressSync(decoded, limit);
        break;
      case 'zstd':
        decoded = zstdDecompressSync(decoded, { ...limit, ...ZSTD });
        break;
    }
  }
  return decoded;
}
