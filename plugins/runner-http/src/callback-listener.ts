import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { RunnerNode } from '@gantry/plugin-kit/runner';
import { Answer } from './answer.ts';
import { decodedContent, encodingsOf } from './content-decoder.ts';
import { CallbackKey } from './callback-key.ts';
import { BadSettings, rulesOf, type CallbackSettings } from './settings.ts';

/** The longest body of a callback: what it is turned into must fit into the agent's journal. Bytes. */
export const MAX_CALLBACK_BYTES = 32_768;
/** A client has so long for its whole request. Milliseconds. */
const REQUEST_MS = 15_000;
/** Tells a client that nobody waits yet, as just after a restart. Seconds. */
const RETRY_AFTER = 5;
/** Whoever is found again after a restart is so by then. Milliseconds since the port was opened. */
const FOUND_AGAIN_MS = 60_000;
/** Ended attempts are remembered until their tokens expire, but never more than these. */
const MAX_ENDED = 100_000;

const PATH = /\/([^/?#]{1,200})\/(\d{1,12})\.([A-Za-z0-9_-]{43})$/;
const JSON_TYPE = /^application\/([\w.-]+\+)?json\s*(;|$)/i;

/** An attempt that waits for its callback. */
interface Waiting {
  readonly expiresAt: number;
  /** Resolves when it is durable that the callback came; the client is told then. */
  readonly accept: (answer: Answer) => Promise<void>;
}
/** A call is being accepted: any other one comes too late, unless this one cannot be kept. */
interface Known extends Waiting {
  isTaken: boolean;
}

/**
 * The one port of a node that jobs call back to. Nothing is known to it but attempts that wait: whoever has no token for
 * one of these learns nothing, and what is longer or slower than a callback is cut off.
 */
export class CallbackListener {
  readonly #settings: CallbackSettings;
  readonly #key: CallbackKey;
  readonly #waiting = new Map<string, Known>();
  /** When the tokens of attempts that wait no more expire. Seconds since 1970. */
  readonly #ended = new Map<string, number>();
  #server: Server | null = null;
  #openedAt = 0;
  #listening: Promise<unknown> | null = null;

  /** Throws BadSettings. */
  constructor(node: Pick<RunnerNode, 'stateDirectory'>, settings: CallbackSettings) {
    this.#settings = settings;
    this.#key = new CallbackKey(node.stateDirectory);
  }

  /** Where a job calls back to. @param expiresAt Seconds since 1970. */
  urlFor(attempt: string, expiresAt: number): string {
    const base = this.#settings.url.replace(/\/$/, '');
    return `${base}/${encodeURIComponent(attempt)}/${expiresAt}.${this.#key.sign(attempt, expiresAt)}`;
  }

  /** Opens the port, if it is not open, and waits. Throws BadSettings when it cannot be opened. */
  async wait(attempt: string, waiting: Waiting): Promise<void> {
    this.#waiting.set(attempt, { ...waiting, isTaken: false });
    this.#listening ??= this.#listen();
    try {
      await this.#listening;
    } catch (error) {
      this.#listening = null;
      this.#waiting.delete(attempt);
      const { listen } = this.#settings;
      throw new BadSettings(`runners.http.callback.listen: ${listen} cannot be opened (${(error as Error).message})`);
    }
  }

  /** The attempt has ended: its token is worth nothing any more. */
  end(attempt: string): void {
    const waiting = this.#waiting.get(attempt);
    if (waiting) this.#forget(attempt, waiting.expiresAt);
  }

  /** Closes the port. What waits is not told: an agent to come waits for it again. */
  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
    this.#server = null;
    this.#listening = null;
    this.#waiting.clear();
  }

  #listen(): Promise<unknown> {
    const { host, port, tls } = this.#settings;
    const times = { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: 5_000 };
    const limits = { maxHeaderSize: 8_192, ...times };
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response);
    const server = tls ? createSecureServer({ ...limits, ...tls() }, answer) : createServer(limits, answer);
    server.maxConnections = 512;
    // Attempts keep a process alive, or the agent's own connection; an open port does not.
    server.unref();
    // Want of files or memory for one more client: it is told by its connection, and the others are served.
    server.on('error', () => undefined);
    this.#server = server;
    this.#openedAt = performance.now();
    return once(server.listen(port, host), 'listening');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => undefined);
    const found = this.#find(request);
    if (typeof found === 'number') return refuse(response, found);
    const { attempt, waiting } = found;
    const pieces: Buffer[] = [];
    let bytes = 0;
    request.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= MAX_CALLBACK_BYTES) pieces.push(piece);
      else if (!response.headersSent) refuse(response, 413);
    });
    request.on('end', () => {
      if (bytes > MAX_CALLBACK_BYTES) return;
      const body = bodyOf(Buffer.concat(pieces), request.headers['content-encoding']);
      if (typeof body === 'number') return refuse(response, body);
      const answer = new Answer(200, 'OK', request.headers, new URL(this.#settings.url), body);
      if (!answer.isEmpty && answer.json === undefined) return refuse(response, 400);
      void this.#accept(attempt, waiting, answer, response);
    });
  }

  /** Who is called, or the status that the caller gets instead. */
  #find({ method, url = '', headers }: IncomingMessage): { attempt: string; waiting: Known } | number {
    const [, encoded = '', expiry = '', token = ''] = PATH.exec(url) ?? [];
    const attempt = decoded(encoded);
    const expiresAt = Number(expiry);
    if (!this.#key.isSigned(attempt, expiresAt, token)) return 404;
    const waiting = this.#waiting.get(attempt);
    // Whoever waits ends by a timer of its own: a clock that is set expires nothing that is waited for.
    if (!waiting && expiresAt * 1_000 <= Date.now()) return 410;
    if (method !== 'POST' && method !== 'PUT') return 405;
    if (!waiting) return this.#ended.has(attempt) || performance.now() - this.#openedAt > FOUND_AGAIN_MS ? 410 : 503;
    if (waiting.isTaken) return 410;
    if (Number(headers['content-length'] ?? 0) > MAX_CALLBACK_BYTES) return 413;
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    return hasBody && !JSON_TYPE.test(headers['content-type'] ?? '') ? 415 : { attempt, waiting };
  }

  async #accept(attempt: string, waiting: Known, answer: Answer, response: ServerResponse): Promise<void> {
    // While its body came, another call may have been the one, or the attempt have ended.
    if (waiting.isTaken || this.#waiting.get(attempt) !== waiting) return refuse(response, 410);
    waiting.isTaken = true;
    try {
      await waiting.accept(answer);
      this.#forget(attempt, waiting.expiresAt);
      response.writeHead(204).end();
    } catch {
      // It is not durable: nothing has happened, and the job may say it again.
      waiting.isTaken = false;
      refuse(response, 503);
    }
  }

  #forget(attempt: string, expiresAt: number): void {
    this.#waiting.delete(attempt);
    this.#ended.set(attempt, expiresAt);
    if (this.#ended.size <= MAX_ENDED) return;
    const now = Date.now() / 1_000;
    for (const [known, expiry] of this.#ended) if (expiry < now) this.#ended.delete(known);
    for (const known of this.#ended.keys()) {
      if (this.#ended.size <= MAX_ENDED) break;
      this.#ended.delete(known);
    }
  }
}

/** A callback's body without its encodings, or the status with which it is refused. */
function bodyOf(bytes: Buffer, contentEncoding: string | undefined): Buffer | 400 | 413 | 415 {
  const encodings = encodingsOf(contentEncoding);
  if ('unknown' in encodings) return 415;
  try {
    return decodedContent(bytes, encodings, MAX_CALLBACK_BYTES);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 413 : 400;
  }
}

/** Says no, and reads nothing more from that client. */
function refuse(response: ServerResponse, status: number): void {
  const headers: Record<string, string> = { connection: 'close' };
  if (status === 405) headers['allow'] = 'POST, PUT';
  if (status === 503) headers['retry-after'] = String(RETRY_AFTER);
  response.writeHead(status, headers).end();
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

const listeners = new Map<CallbackSettings, CallbackListener>();

/** The listener of a node, made once; null when its operator wants none. Throws BadSettings. */
export function listenerOf(node: RunnerNode): CallbackListener | null {
  const { callback } = rulesOf(node);
  if (callback === null) return null;
  let listener = listeners.get(callback);
  if (!listener) {
    listener = new CallbackListener(node, callback);
    listeners.set(callback, listener);
  }
  return listener;
}

/** Closes the ports of all nodes. */
export function closeListeners(): void {
  for (const listener of listeners.values()) listener.close();
}
