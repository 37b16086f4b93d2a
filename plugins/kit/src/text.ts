/*
 * Bytes from outside become text by what they say of themselves: a byte order mark first, then the charset that was
 * named, else UTF-8. The names and tables are those of the Encoding Standard, as browsers have them: `latin1` is
 * windows-1252.
 */

export type DecodedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: 'UNKNOWN_CHARSET' | 'BAD_BYTES'; readonly message: string };

/** The encoding that a byte order mark names; null when there is none. */
export function markedCharset(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | null {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : null;
}

/** Whether there is a decoder for a charset. */
export function isKnownCharset(charset: string): boolean {
  try {
    new TextDecoder(charset);
    return true;
  } catch {
    return false;
  }
}

/**
 * Decodes the whole of a text; the mark is left out. Bytes that are none in their encoding are refused with their place,
 * because what stands for them would not be what was written.
 *
 * @param charset As it was named, in any case; null when nothing was said.
 */
export function decodeText(bytes: Uint8Array, charset: string | null = null): DecodedText {
  const name = markedCharset(bytes) ?? charset ?? 'utf-8';
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(name, { fatal: true });
  } catch {
    return { ok: false, code: 'UNKNOWN_CHARSET', message: `The charset “${name.slice(0, 60)}” is not known.` };
  }
  try {
    return { ok: true, text: decoder.decode(bytes) };
  } catch {
    const before = soundPrefix(bytes, name);
    const line = before.text.split('\n').length;
    const message = `Line ${line} (byte ${before.bytes + 1}) is not ${decoder.encoding.toUpperCase()}.`;
    return { ok: false, code: 'BAD_BYTES', message };
  }
}

/** The longest beginning without a bad byte. */
function soundPrefix(bytes: Uint8Array, charset: string): { readonly bytes: number; readonly text: string } {
  const decoded = (length: number): string | null => {
    try {
      return new TextDecoder(charset, { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
    } catch {
      return null;
    }
  };
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (decoded(middle) === null) bad = middle;
    else good = middle;
  }
  return { bytes: good, text: decoded(good) ?? '' };
}
