import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Attempt, Json, Outcome } from '@gantry/plugin-kit/runner';
import type { HttpConfig } from './config.ts';
import { failure, failureOf } from './failure.ts';
import { jsonPointer } from './json-pointer.ts';
import { redirected, send, type Prepared } from './request.ts';
import type { NodeRules } from './settings.ts';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** May be sent again when a kept connection turns out to be closed: nothing of an answer had come. */
const REPEATABLE = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);
/** The body of a redirect is read to its end, so that the connection can be kept, if it is no longer than this. Bytes. */
const MAX_REDIRECT_BODY = 65_536;
/** How much of an answer that was not expected is shown with the failure. */
const EXCERPT_CHARACTERS = 300;
const TEXT = /^(text\/|application\/([\w.-]+\+)?(json|xml|yaml))/;

/**
 * One attempt's conversation: the request, its redirects, and the answer up to the end. It listens to events itself
 * rather than through streams, iterators or an AbortSignal per request: these cost more than the request.
 */
export class Exchange {
  readonly #attempt: Attempt<HttpConfig>;
  readonly #rules: NodeRules;
  readonly #settle: (outcome: Outcome) => void;
  #prepared: Prepared;
  #request: ClientRequest | null = null;
  #answer: IncomingMessage | null = null;
  #redirects = 0;
  #wasRepeated = false;
  #isSettled = false;
  #isText = false;
  #keepsBody = false;
  #kept: Buffer[] = [];
  #bytes = 0;

  constructor(attempt: Attempt<HttpConfig>, prepared: Prepared, rules: NodeRules, settle: (outcome: Outcome) => void) {
    this.#attempt = attempt;
    this.#prepared = prepared;
    this.#rules = rules;
    this.#settle = settle;
  }

  /** To be called once. Throws when Node finds the request wrong. */
  begin(): void {
    const { stop } = this.#attempt;
    if (stop.aborted) {
      this.#end(failure('STOPPED', 'The request was stopped.'));
      return;
    }
    stop.addEventListener('abort', () => this.#stopped(), { once: true });
    this.#send();
  }

  #send(): void {
    const { id } = this.#attempt;
    // The same for every try of a task run: whoever keeps to it does the work once.
    const request = send(this.#prepared, id.slice(0, id.lastIndexOf('.')));
    this.#request = request;
    request.on('response', (answer) => this.#answered(answer));
    request.on('error', (error) => this.#failed(request, error));
    // A tunnel or another protocol is no answer; Node closes then without another word.
    request.on('close', () => {
      if (request === this.#request && this.#answer === null)
        this.#end(failure('NO_ANSWER', 'The request failed: the connection ended without an answer.'));
    });
  }

  #answered(answer: IncomingMessage): void {
    if (this.#isSettled) {
      answer.destroy();
      return;
    }
    const { config } = this.#attempt;
    const status = answer.statusCode ?? 0;
    const { location } = answer.headers;
    if (config.followRedirects > 0 && location !== undefined && REDIRECTS.has(status)) {
      this.#redirect(answer, status, location);
      return;
    }
    this.#answer = answer;
    this.#isText = TEXT.test(answer.headers['content-type'] ?? '');
    this.#keepsBody = !matches(config.expect, status) || readsBody(config);
    answer.on('data', (piece: Buffer) => this.#received(answer, piece));
    answer.on('end', () => this.#completed(answer, status));
    answer.on('error', (error) => this.#end(failureOf(error)));
    answer.on('close', () => {
      if (!answer.complete) this.#end(failure('ECONNRESET', 'The request failed: the answer broke off.'));
    });
  }

  #redirect(answer: IncomingMessage, status: number, location: string): void {
    if (Number(answer.headers['content-length'] ?? Infinity) <= MAX_REDIRECT_BODY) answer.resume();
    else answer.destroy();
    answer.on('error', () => undefined);
    if (this.#redirects >= this.#attempt.config.followRedirects) {
      const message = `${this.#prepared.url.href} redirects once more after ${this.#redirects} redirects.`;
      this.#end(failure('TOO_MANY_REDIRECTS', message, 'Raise followRedirects (at most 5), or use the last URL.'));
      return;
    }
    this.#redirects++;
    try {
      this.#prepared = redirected(this.#prepared, status, location, this.#rules);
      this.#send();
    } catch (error) {
      this.#end(failureOf(error));
    }
  }

  #received(answer: IncomingMessage, piece: Buffer): void {
    const { maxResponseBytes } = this.#attempt.config;
    this.#bytes += piece.length;
    if (this.#bytes > maxResponseBytes) {
      const message = `The answer is longer than ${maxResponseBytes} bytes.`;
      this.#end(failure('RESPONSE_TOO_LARGE', message, 'Raise maxResponseBytes, or ask for less.'));
      answer.destroy();
      return;
    }
    if (this.#keepsBody) this.#kept.push(piece);
    if (!this.#isText || this.#attempt.stdout.write(piece)) return;
    answer.pause();
    this.#attempt.stdout.once('drain', () => answer.resume());
  }

  #completed(answer: IncomingMessage, status: number): void {
    if (this.#isSettled) return;
    const { config } = this.#attempt;
    const text = this.#kept.length > 0 ? Buffer.concat(this.#kept).toString() : '';
    if (matches(config.expect, status)) {
      this.#end(outputsOf(config, answer, status, text));
      return;
    }
    const excerpt = this.#isText && text !== '' ? `: ${text.slice(0, EXCERPT_CHARACTERS)}` : '';
    const expected = `Expected: ${[config.expect].flat().join(', ')}.`;
    this.#end(
      failure('UNEXPECTED_STATUS', `The answer was ${status} ${answer.statusMessage ?? ''}${excerpt}`, expected),
    );
  }

  #failed(request: ClientRequest, error: Error): void {
    if (this.#isSettled || request !== this.#request) return;
    const isStale = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    if (isStale && this.#answer === null && !this.#wasRepeated && REPEATABLE.has(this.#prepared.method)) {
      this.#wasRepeated = true;
      this.#send();
      return;
    }
    this.#end(failureOf(error));
  }

  #stopped(): void {
    this.#end(failure('STOPPED', 'The request was stopped.'));
    this.#request?.destroy();
  }

  #end(outcome: Outcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#settle(outcome);
  }
}

function readsBody({ outputs }: HttpConfig): boolean {
  for (const name in outputs) if ('jsonPointer' in outputs[name]!) return true;
  return false;
}

function outputsOf(config: HttpConfig, answer: IncomingMessage, status: number, text: string): Outcome {
  const outputs: Record<string, Json> = { status };
  let body: Json | undefined;
  for (const name in config.outputs) {
    const source = config.outputs[name]!;
    if ('header' in source) {
      const value = answer.headers[source.header.toLowerCase()];
      if (value === undefined)
        return failure('OUTPUT_MISSING', `The answer has no header ${source.header} for the output ${name}.`);
      outputs[name] = value;
      continue;
    }
    try {
      body ??= JSON.parse(text) as Json;
    } catch {
      return failure('RESPONSE_NOT_JSON', `The answer is no JSON, and the output ${name} is to be read from it.`);
    }
    const value = jsonPointer(body, source.jsonPointer);
    if (value === undefined)
      return failure('OUTPUT_MISSING', `The answer has nothing at ${source.jsonPointer} for the output ${name}.`);
    outputs[name] = value;
  }
  return { ok: true, outputs };
}

function matches(expected: HttpConfig['expect'], status: number): boolean {
  if (Array.isArray(expected)) return expected.some((pattern) => matches(pattern, status));
  return typeof expected === 'number'
    ? expected === status
    : Number((expected as string)[0]) === Math.floor(status / 100);
}
