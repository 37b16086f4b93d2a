import type { ClientRequest, IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { Answer, matches } from './answer.ts';
import { ContentDecoder, encodingsOf } from './content-decoder.ts';
import { shown } from './duration.ts';
import { failure, failureOf, proxyFailureOf, type Failed } from './failure.ts';
import { headerUrl } from './header-text.ts';
import { isText } from './media-type.ts';
import type { StatusPattern } from './request-config.ts';
import { redirected, send, whereTo, type Prepared } from './request.ts';
import type { NodeRules } from './settings.ts';
import { TextPrinter } from './text-printer.ts';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** The body of a redirect is read to its end, so that the connection can be kept, if it is no longer than this. Bytes. */
const MAX_REDIRECT_BODY = 65_536;
/** What another try may help against. A name that does not exist, or a certificate that is not trusted, stays so. */
const CONNECTION_ERRORS = new Set([
  'CONNECT_TIMEOUT',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'PROXY_UNREACHABLE',
]);

/** What an exchange may take, and what becomes of the answer's body. */
export interface ExchangeOptions {
  readonly rules: NodeRules;
  /** Sent unless the task gives one of its own. Null for none. */
  readonly idempotencyKey: string | null;
  readonly followRedirects: number;
  readonly maxResponseBytes: number;
  /** For name, connection and TLS; null for ever. A kept connection takes none of it. */
  readonly connectMs: number | null;
  /** From there to the first byte of the answer; null for ever. */
  readonly answerMs: number | null;
  /** Where the body of a text answer is printed, if at all. */
  readonly print: Writable | null;
  readonly expect: StatusPattern | readonly StatusPattern[];
  /** Whether the body of an expected answer is kept. That of any other one is, for its failure. */
  readonly wantsBody: boolean;
}

export type Ended =
  | { readonly ok: true; readonly answer: Answer }
  | {
      readonly ok: false;
      readonly failure: Failed;
      /** The connection could not be made, or broke before a byte of an answer came. */
      readonly isConnectionError: boolean;
      /** A kept connection turned out to be closed. */
      readonly isStale: boolean;
      /** Whether the other side may have done what was asked of it: the request went out, and nobody knows more. */
      readonly mayBeDone: boolean;
    };

/**
 * One request, its redirects, and the answer up to the end. It listens to events itself rather than through streams,
 * iterators or an AbortSignal per request: these cost more than the request.
 */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #settle: (ended: Ended) => void;
  #prepared: Prepared;
  #request: ClientRequest | null = null;
  #answer: IncomingMessage | null = null;
  #timer: NodeJS.Timeout | null = null;
  #redirects = 0;
  #isSettled = false;
  /** What the body is printed to; null when it is not. */
  #printer: TextPrinter | null = null;
  /** A request was on a connection that was ready for it, and no answer has said that it was not done. */
  #mayBeDone = false;
  #keepsBody = false;
  #kept: Buffer[] = [];
  #bytes = 0;
  /** Of a body that comes encoded. */
  #decoder: ContentDecoder | null = null;
  #decodedBytes = 0;

  /** @param settle Told once how it ended; never before `begin` has returned, and not at all when it was dropped. */
  constructor(prepared: Prepared, options: ExchangeOptions, settle: (ended: Ended) => void) {
    this.#prepared = prepared;
    this.#options = options;
    this.#settle = settle;
  }

  /** To be called once. Throws when Node finds the request wrong. */
  begin(): void {
    const { proxy, url, options } = this.#prepared;
    if (proxy === null || proxy.looksUp || isIP(options.hostname!) !== 0) return this.#send();
    // The proxy looks the name up once more; what it may reach itself is its operator's to bound.
    const check = this.#options.rules.addresses.lookup(Number(options.port));
    this.#wait(this.#options.connectMs, 'CONNECT_TIMEOUT', 'could not be looked up', 'connectTimeout');
    check(options.hostname!, { all: true }, (error) => {
      if (this.#isSettled || url !== this.#prepared.url) return;
      if (error) return this.#break(failureOf(error));
      try {
        this.#send();
      } catch (thrown) {
        this.#break(failureOf(thrown));
      }
    });
  }

  #send(): void {
    const { idempotencyKey, connectMs } = this.#options;
    const request = send(this.#prepared, idempotencyKey);
    this.#request = request;
    request.on('socket', (socket) => this.#watch(request, socket));
    request.on('response', (answer) => this.#answered(answer));
    request.on('error', (error) => this.#failed(request, error));
    // There is no socket before the tunnel is there.
    if (this.#prepared.proxy !== null)
      this.#wait(connectMs, 'CONNECT_TIMEOUT', 'could not be connected to', 'connectTimeout');
    // A tunnel or another protocol is no answer; Node closes then without another word.
    request.on('close', () => {
      if (request === this.#request && this.#answer === null)
        this.#break(failure('NO_ANSWER', 'The request failed: the connection ended without an answer.'));
    });
  }

  /** Whether the other side may have done what was asked of it. */
  get mayBeDone(): boolean {
    return this.#mayBeDone;
  }

  /** Ends it without a word: nobody wants to know any more. */
  drop(): void {
    this.#end();
    this.#request?.destroy();
  }

  #watch(request: ClientRequest, socket: Socket): void {
    if (request !== this.#request || this.#isSettled) return;
    const { connectMs, answerMs } = this.#options;
    const untilAnswer = () => {
      // From now on what was written may have arrived.
      this.#mayBeDone = true;
      if (request === this.#request && this.#answer === null)
        this.#wait(answerMs, 'ANSWER_TIMEOUT', 'answered nothing', 'answerTimeout');
    };
    if (request.reusedSocket) return untilAnswer();
    this.#wait(connectMs, 'CONNECT_TIMEOUT', 'could not be connected to', 'connectTimeout');
    if (this.#prepared.proxy !== null && isConnected(socket)) return untilAnswer();
    socket.once(this.#prepared.url.protocol === 'https:' ? 'secureConnect' : 'connect', untilAnswer);
  }

  #wait(ms: number | null, code: string, what: string, setting: string): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (ms === null || this.#isSettled) return;
    this.#timer = setTimeout(() => {
      const message = `${whereTo(this.#prepared.url)} ${what} within ${shown(ms)}.`;
      this.#break(failure(code, message, `Raise ${setting}, or see whether the service is well.`));
      this.#request?.destroy();
    }, ms);
  }

  #answered(answer: IncomingMessage): void {
    if (this.#isSettled) {
      answer.destroy();
      return;
    }
    this.#wait(null, '', '', '');
    const status = answer.statusCode ?? 0;
    const { location } = answer.headers;
    if (this.#options.followRedirects > 0 && location !== undefined && REDIRECTS.has(status)) {
      this.#redirect(answer, status, headerUrl(location));
      return;
    }
    this.#answer = answer;
    const { expect, wantsBody, print } = this.#options;
    const isExpected = matches(expect, status);
    const contentType = answer.headers['content-type'];
    this.#keepsBody = wantsBody || !isExpected;
    this.#printer = print !== null && isText(contentType) ? new TextPrinter(print, contentType) : null;
    if (!this.#open(answer, status, isExpected && wantsBody)) return;
    answer.on('data', (piece: Buffer) => this.#received(answer, piece));
    answer.on('end', () => (this.#decoder === null ? this.#completed(answer, status) : this.#decoder.end()));
    answer.on('error', (error) => this.#break(failureOf(error)));
    answer.on('close', () => {
      if (!answer.complete) this.#break(failure('ECONNRESET', 'The request failed: the answer broke off.'));
    });
  }

  /** Sees to it that encodings are undone where anybody looks at the body. False when that ends the exchange. */
  #open(answer: IncomingMessage, status: number, isNeeded: boolean): boolean {
    if (!this.#keepsBody && this.#printer === null) return true;
    const encodings = encodingsOf(answer.headers['content-encoding']);
    if ('unknown' in encodings) {
      this.#keepsBody = false;
      this.#printer = null;
      if (!isNeeded) return true;
      const message = `The answer comes in the encoding “${encodings.unknown}”, which is not known.`;
      const remedy = 'Ask for another one: headers: { Accept-Encoding: gzip }.';
      this.#break(failure('UNKNOWN_ENCODING', message, remedy));
      answer.destroy();
      return false;
    }
    if (encodings.length === 0) return true;
    const target = {
      piece: (bytes: Buffer) => this.#decoded(answer, bytes),
      end: () => this.#completed(answer, status),
      broken: (error: Error) => {
        const message = `The answer is not what its Content-Encoding says: ${error.message}.`;
        // What an unexpected answer says is worth less than that it came.
        if (matches(this.#options.expect, status)) this.#break(failure('BROKEN_ENCODING', message));
        else this.#completed(answer, status);
        answer.destroy();
      },
    };
    this.#decoder = new ContentDecoder(encodings, target, () => answer.resume());
    return true;
  }

  #redirect(answer: IncomingMessage, status: number, location: string): void {
    if (Number(answer.headers['content-length'] ?? Infinity) <= MAX_REDIRECT_BODY) answer.resume();
    else answer.destroy();
    answer.on('error', () => undefined);
    if (this.#redirects >= this.#options.followRedirects) {
      const message = `${whereTo(this.#prepared.url)} redirects once more after ${this.#redirects} redirects.`;
      const remedy = 'Raise followRedirects (at most 5), or use the last URL.';
      this.#break(failure('TOO_MANY_REDIRECTS', message, remedy));
      return;
    }
    this.#redirects++;
    // Who says 307 or 308 has done nothing; after the others a GET only fetches what came of it.
    if (status === 307 || status === 308) this.#mayBeDone = false;
    try {
      this.#prepared = redirected(this.#prepared, status, location, this.#options.rules);
      this.begin();
    } catch (error) {
      this.#break(failureOf(error));
    }
  }

  #received(answer: IncomingMessage, piece: Buffer): void {
    if (this.#isSettled) return;
    this.#bytes += piece.length;
    if (this.#bytes > this.#options.maxResponseBytes) return this.#tooLarge(answer);
    if (this.#decoder !== null) {
      if (!this.#decoder.write(piece)) answer.pause();
    } else if (!this.#take(piece, answer)) answer.pause();
  }

  /** A short answer may come to be a long one. False when there is enough for now. */
  #decoded(answer: IncomingMessage, piece: Buffer): boolean {
    if (this.#isSettled) return true;
    this.#decodedBytes += piece.length;
    if (this.#decodedBytes > this.#options.maxResponseBytes) {
      this.#tooLarge(answer);
      return true;
    }
    return this.#take(piece, this.#decoder!);
  }

  #tooLarge(answer: IncomingMessage): void {
    const message = `The answer is longer than ${this.#options.maxResponseBytes} bytes.`;
    this.#break(failure('RESPONSE_TOO_LARGE', message, 'Raise maxResponseBytes, or ask for less.'));
    answer.destroy();
  }

  /** Keeps and prints. @param source Goes on when the printed text has been taken; false until then. */
  #take(piece: Buffer, source: { resume(): unknown }): boolean {
    if (this.#keepsBody) this.#kept.push(piece);
    if (this.#printer === null || this.#printer.write(piece)) return true;
    this.#options.print!.once('drain', () => source.resume());
    return false;
  }

  #completed(answer: IncomingMessage, status: number): void {
    if (!this.#end()) return;
    this.#printer?.end();
    const body = this.#kept.length === 1 ? this.#kept[0]! : Buffer.concat(this.#kept);
    const { url } = this.#prepared;
    this.#settle({ ok: true, answer: new Answer(status, answer.statusMessage ?? '', answer.headers, url, body) });
  }

  #failed(request: ClientRequest, error: Error): void {
    if (request !== this.#request) return;
    const isStale = this.#answer === null && request.reusedSocket && codeOf(error) === 'ECONNRESET';
    const { proxy } = this.#prepared;
    const isOfProxy = proxy !== null && this.#answer === null && !request.reusedSocket;
    this.#break(isOfProxy ? proxyFailureOf(error, proxy) : failureOf(error), isStale);
  }

  #break(why: Failed, isStale = false): void {
    if (!this.#end()) return;
    const isConnectionError = this.#answer === null && CONNECTION_ERRORS.has(why.reason.code);
    this.#settle({ ok: false, failure: why, isConnectionError, isStale, mayBeDone: this.#mayBeDone });
  }

  /** False when it had ended before. */
  #end(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#decoder?.drop();
    if (this.#timer !== null) clearTimeout(this.#timer);
    return true;
  }
}

/** Whether it is ready to be written to: behind a proxy it is when it is handed over. */
const isConnected = (socket: Socket): boolean =>
  !socket.connecting && !('secureConnecting' in socket && socket.secureConnecting === true);

const codeOf = (error: Error): string | undefined => (error as NodeJS.ErrnoException).code;
