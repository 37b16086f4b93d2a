import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';

/** What stands where a secret was. */
export const MASK = '***';
/** Of a secret of several lines, lines of this length are hidden by themselves: tools print them one by one. */
const MIN_LINE_LENGTH = 8;
/** What is left of a short secret in Base64 may be found in any text: shorter pieces are not looked for. */
const MIN_ENCODED_LENGTH = 6;

const NOTHING = Buffer.alloc(0);

/** One stream on its way through a mask. */
export interface MaskedStream {
  /** What can be shown of it by now: held back is only what may become a secret. */
  push(bytes: Buffer): Buffer;
  /** The rest. */
  end(): Buffer;
}

/**
 * Hides secrets in what an attempt says: as they are, in Base64 (wherever in a longer text they were encoded),
 * URL-encoded, in hexadecimal and as JSON writes them. What was changed in any other way is not recognised.
 */
export class SecretMask {
  /** As bytes in Latin-1 strings: found by a native search, whatever the text's encoding. Longest first. */
  readonly #patterns: readonly string[];
  readonly #longest: number;
  readonly #hidesAll: boolean;

  /** @param values The secrets; null hides everything, for when nobody knows them any more. */
  constructor(values: readonly string[] | null) {
    this.#hidesAll = values === null;
    const patterns = new Set<string>();
    for (const value of values ?? [])
      for (const form of formsOf(value)) patterns.add(Buffer.from(form).toString('latin1'));
    this.#patterns = [...patterns].sort((one, other) => other.length - one.length);
    this.#longest = this.#patterns[0]?.length ?? 0;
  }

  /** The text without secrets. */
  text(text: string): string {
    if (this.#hidesAll) return MASK;
    const bytes = Buffer.from(text).toString('latin1');
    const masked = this.#masked(bytes, bytes.length).text;
    return masked === bytes ? text : Buffer.from(masked, 'latin1').toString();
  }

  /** The value without secrets, in keys as well. */
  json(value: Json): Json {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((each: Json) => this.json(each));
    const entries = Object.entries(value as JsonObject);
    return Object.fromEntries(entries.map(([key, each]) => [this.text(key), this.json(each)]));
  }

  /** Hides them in bytes that come in pieces. */
  stream(): MaskedStream {
    if (this.#hidesAll) return { push: () => NOTHING, end: () => NOTHING };
    let rest = '';
    const masked = (text: string, until: number): Buffer => {
      const done = this.#masked(text, until);
      rest = text.slice(done.end);
      return Buffer.from(done.text, 'latin1');
    };
    return {
      push: (bytes) => {
        const text = rest + bytes.toString('latin1');
        return masked(text, this.#safeEnd(text));
      },
      end: () => masked(rest, rest.length),
    };
  }

  /** Masks what begins before `until`; tells how far it has come, which a secret that crosses it moves on. */
  #masked(text: string, until: number): { readonly text: string; readonly end: number } {
    const next = this.#patterns.map((pattern) => text.indexOf(pattern));
    let masked = '';
    let end = 0;
    for (;;) {
      let first = -1;
      for (let at = 0; at < next.length; at++) {
        if (next[at]! >= 0 && next[at]! < end) next[at] = text.indexOf(this.#patterns[at]!, end);
        const place = next[at]!;
        // Of several at one place the longest, which comes first.
        if (place >= 0 && place < until && (first < 0 || place < next[first]!)) first = at;
      }
      if (first < 0) break;
      masked += text.slice(end, next[first]) + MASK;
      end = next[first]! + this.#patterns[first]!.length;
    }
    const stop = Math.max(end, until);
    return { text: masked + text.slice(end, stop), end: stop };
  }

  /** Where the end begins that may be the beginning of a secret. */
  #safeEnd(text: string): number {
    for (let at = Math.max(text.length - this.#longest + 1, 0); at < text.length; at++) {
      const end = text.slice(at);
      if (this.#patterns.some((pattern) => pattern.length > end.length && pattern.startsWith(end))) return at;
    }
    return text.length;
  }
}

/** All that a secret is recognised by. */
function formsOf(value: string): readonly string[] {
  const lines = value.split(/\r?\n/).filter((line) => line.length >= MIN_LINE_LENGTH);
  return [value, ...(lines.length > 1 ? lines : [])].flatMap((each) => {
    const url = encodeURIComponent(each.toWellFormed());
    const hex = Buffer.from(each).toString('hex');
    const encoded = [...base64Forms(each), hex, hex.toUpperCase()].filter((form) => form.length >= MIN_ENCODED_LENGTH);
    const lowerUrl = url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
    return [each, url, lowerUrl, url.replaceAll('%20', '+'), JSON.stringify(each).slice(1, -1), ...encoded];
  });
}

/** Base64 of the value at each of the three places where it may begin in a longer text: what no neighbour changes. */
function base64Forms(value: string): readonly string[] {
  const forms: string[] = [];
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor((bytes.length * 8) / 6);
    for (const encoding of ['base64', 'base64url'] as const) forms.push(bytes.toString(encoding).slice(first, last));
  }
  return forms;
}
