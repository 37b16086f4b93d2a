import type { IncomingHttpHeaders } from 'node:http';
import type { Writable } from 'node:stream';
import { beginningOf } from '@gantry/plugin-kit/beginning';
import { faultIn, mayHoldFault, writtenNumber, type JsonTextFault } from '@gantry/plugin-kit/exact-json';
import type { Json } from '@gantry/plugin-kit/runner';
import { decodeText, isKnownCharset, markedCharset, type DecodedText } from '@gantry/plugin-kit/text';
import type { StatusPattern } from './request-config.ts';
import { failure, type Failed } from './failure.ts';
import { headerText } from './header-text.ts';
import { jsonPointer, pointerSteps } from './json-pointer.ts';
import { charsetOf, isText } from './media-type.ts';

/** How much of an answer that was not expected is shown with the failure. */
const EXCERPT_CHARACTERS = 300;
/** What the other side said, to the end. */
export class Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  /** Where it came from, behind all redirects. */
  readonly url: URL;
  /** Empty when nobody asked for it to be kept. */
  readonly #body: Buffer;
  #decoded: DecodedText | null = null;
  #read: { readonly value: Json | undefined; readonly mayHoldFault: boolean } | null = null;

  /** @param body Without its content encodings. */
  constructor(status: number, statusText: string, headers: IncomingHttpHeaders, url: URL, body: Buffer) {
    this.status = status;
    this.statusText = headerText(statusText);
    this.headers = headers;
    this.url = url;
    this.#body = body;
  }

  get isEmpty(): boolean {
    return this.#body.length === 0;
  }

  /** The body as people are shown it: what is no character in its charset is replaced. */
  get text(): string {
    if (this.#content.ok) return this.#content.text;
    const charset = markedCharset(this.#body) ?? charsetOf(this.headers['content-type']) ?? 'utf-8';
    return new TextDecoder(isKnownCharset(charset) ? charset : 'utf-8').decode(this.#body);
  }

  /** The body as JSON; undefined when it is none, or cannot be decoded. */
  get json(): Json | undefined {
    return this.#parsed.value;
  }

  /** Why there is no JSON: what follows “The answer”. */
  get whyNoJson(): string {
    const content = this.#content;
    return content.ok ? 'is no JSON' : `cannot be decoded (${content.message.replace(/\.$/, '')})`;
  }

  /** The value at a JSON Pointer; undefined when there is none, or when the body is no JSON. */
  at(pointer: string): Json | undefined {
    const { json } = this;
    return json === undefined ? undefined : jsonPointer(json, pointer);
  }

  /** What keeps the value at a JSON Pointer from being what the service wrote; null for nothing. */
  faultAt(pointer: string): JsonTextFault | null {
    const content = this.#content;
    return content.ok && this.#parsed.mayHoldFault ? faultIn(content.text, pointerSteps(pointer)) : null;
  }

  /** The number at a JSON Pointer as the service wrote it; null when there is none. */
  writtenAt(pointer: string): string | null {
    const content = this.#content;
    return content.ok ? writtenNumber(content.text, pointerSteps(pointer)) : null;
  }

  /** A header as text; several of one name as a list. */
  header(name: string): string | readonly string[] | undefined {
    const value = this.headers[name.toLowerCase()];
    return typeof value === 'object' ? value.map(headerText) : value === undefined ? undefined : headerText(value);
  }

  get #content(): DecodedText {
    return (this.#decoded ??= decodeText(this.#body, charsetOf(this.headers['content-type'])));
  }

  get #parsed(): { readonly value: Json | undefined; readonly mayHoldFault: boolean } {
    return (this.#read ??= parsed(this.#content));
  }
}

function parsed(content: DecodedText): { readonly value: Json | undefined; readonly mayHoldFault: boolean } {
  if (!content.ok) return { value: undefined, mayHoldFault: false };
  try {
    const value = JSON.parse(content.text) as Json;
    // Elsewhere in the answer it does no harm: only what is picked has to survive.
    return { value, mayHoldFault: mayHoldFault(content.text, value) };
  } catch {
    return { value: undefined, mayHoldFault: false };
  }
}

/** Prints a text answer as a line of its own: what follows in the log is something else. */
export function printAnswer({ text, headers }: Answer, stream: Writable): void {
  if (text !== '' && isText(headers['content-type'])) stream.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** The beginning of what an answer says, for a message. */
export const excerptOf = ({ text }: Answer): string => beginningOf(text, EXCERPT_CHARACTERS);

/** Whether a status is one of those. */
export function matches(expected: StatusPattern | readonly StatusPattern[], status: number): boolean {
  if (Array.isArray(expected)) return expected.some((pattern: StatusPattern) => matches(pattern, status));
  return typeof expected === 'number'
    ? expected === status
    : Number((expected as string)[0]) === Math.floor(status / 100);
}

/** The failure of an answer whose status was not expected: with the beginning of what it says. */
export function unexpected(answer: Answer, expected: StatusPattern | readonly StatusPattern[]): Failed {
  const { status, statusText, text, headers } = answer;
  const excerpt = text !== '' && isText(headers['content-type']) ? `: ${excerptOf(answer)}` : '';
  const remedy = `Expected: ${[expected].flat().join(', ')}.`;
  return failure('UNEXPECTED_STATUS', `The answer was ${status} ${statusText}${excerpt}`, remedy);
}
