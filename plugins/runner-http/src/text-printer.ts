import type { Writable } from 'node:stream';
import { isKnownCharset, markedCharset } from '@gantry/plugin-kit/text';
import { charsetOf, isUtf8Name } from './media-type.ts';

/** Enough to see a byte order mark. Bytes. */
const MARK_BYTES = 3;

/**
 * Prints a text while it comes, as UTF-8, without its byte order mark. Here bytes that are none in their charset are
 * replaced: a log shows what it can.
 */
export class TextPrinter {
  readonly #stream: Writable;
  readonly #charset: string | null;
  /** The first bytes, until they are enough; null once the decoder is chosen. */
  #first: Buffer | null = Buffer.alloc(0);
  /** Null for UTF-8 without a mark, which is printed as it is. */
  #decoder: TextDecoder | null = null;

  constructor(stream: Writable, contentType: string | undefined) {
    this.#stream = stream;
    const charset = charsetOf(contentType);
    this.#charset = charset === null || isUtf8Name(charset) || !isKnownCharset(charset) ? null : charset;
  }

  /** False when the stream has enough for now. */
  write(piece: Buffer): boolean {
    if (this.#first === null) return this.#print(piece);
    const first = this.#first.length === 0 ? piece : Buffer.concat([this.#first, piece]);
    if (first.length < MARK_BYTES) {
      this.#first = first;
      return true;
    }
    return this.#begin(first);
  }

  end(): void {
    if (this.#first !== null && this.#first.length > 0) this.#begin(this.#first);
    const rest = this.#decoder?.decode() ?? '';
    if (rest !== '') this.#stream.write(rest);
  }

  #begin(first: Buffer): boolean {
    this.#first = null;
    const charset = markedCharset(first) ?? this.#charset;
    if (charset !== null) this.#decoder = new TextDecoder(charset);
    return this.#print(first);
  }

  #print(piece: Buffer): boolean {
    if (this.#decoder === null) return this.#stream.write(piece);
    const text = this.#decoder.decode(piece, { stream: true });
    return text === '' || this.#stream.write(text);
  }
}
