import type { IncomingHttpHeaders } from 'node:http';
import type { Writable } from 'node:stream';
import type { Json } from '@gantry/plugin-kit/runner';
import type { StatusPattern } from './request-config.ts';
import { failure, type Failed } from './failure.ts';
import { jsonPointer } from './json-pointer.ts';

/** How much of an answer that was not expected is shown with the failure. */
const EXCERPT_CHARACTERS = 300;
const TEXT = /^(text\/|application\/([\w.-]+\+)?(json|xml|yaml))/;

/** Whether a content type is one that people can read. */
export const isText = (contentType: string | undefined): boolean => TEXT.test(contentType ?? '');

/** What the other side said, to the end. */
export class Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  /** Where it came from, behind all redirects. */
  readonly url: URL;
  /** Empty when nobody asked for it to be kept. */
  readonly text: string;
  #json: Json | undefined | null = null;

  constructor(status: number, statusText: string, headers: IncomingHttpHeaders, url: URL, text: string) {
    this.status = status;
    this.statusText = statusText;
    this.headers = headers;
    this.url = url;
    this.text = text;
  }

  /** The body as JSON; undefined when it is none. */
  get json(): Json | undefined {
    // Null is JSON too: read once more then, it is short.
    if (this.#json === null) {
      try {
        this.#json = JSON.parse(this.text) as Json;
      } catch {
        this.#json = undefined;
      }
    }
    return this.#json;
  }

  /** The value at a JSON Pointer; undefined when there is none, or when the body is no JSON. */
  at(pointer: string): Json | undefined {
    const { json } = this;
    return json === undefined ? undefined : jsonPointer(json, pointer);
  }
}

/** Prints a text answer as a line of its own: what follows in the log is something else. */
export function printAnswer({ text, headers }: Answer, stream: Writable): void {
  if (text !== '' && isText(headers['content-type'])) stream.write(text.endsWith('\n') ? text : `${text}\n`);
}

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
  const excerpt = text !== '' && isText(headers['content-type']) ? `: ${text.slice(0, EXCERPT_CHARACTERS)}` : '';
  const remedy = `Expected: ${[expected].flat().join(', ')}.`;
  return failure('UNEXPECTED_STATUS', `The answer was ${status} ${statusText}${excerpt}`, remedy);
}
