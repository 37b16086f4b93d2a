import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Viewer } from '../auth/viewer.ts';
import type { Service } from '../lifecycle.ts';
import { answerPost, isJson, mannerOf } from './answer.ts';
import { readBearer } from './bearer.ts';
import { MAX_BODY_BYTES } from './body.ts';
import type { ApiPorts } from './context.ts';
import { publicFault } from './errors.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { Operations } from './operations.ts';
import { isOriginAllowed, type OriginPolicy } from './origin.ts';
import { PLAYGROUND_PATHS, servePlayground } from './playground.ts';
import { respondError, respondJson, SECURITY_HEADERS } from './respond.ts';
import { schema } from './schema.ts';
import { SOCKET_LIMITS, SocketServer, type SocketLimits } from './websocket.ts';
import { respondUnbuilt, Web } from './web.ts';
import { createYogaHandler } from './yoga.ts';

/** Requests that may be worked on at once; more are told to come back. */
const MAX_IN_FLIGHT = 1_000;
/** How long a client may take to send its request. Milliseconds. */
const REQUEST_MS = 10_000;
/** How long a connection without a request is kept. Milliseconds. */
const KEEP_ALIVE_MS = 65_000;

export interface ApiServerOptions extends OriginPolicy {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly socketLimits?: Partial<SocketLimits>;
}

/** The API, listening. */
export interface ApiServer extends Service {
  /** `http://127.0.0.1:4000`, once it has started. */
  readonly url: string;
}

/** Serves GraphQL over HTTP, event streams and WebSockets, the playground, and whether the server is well. */
export function createApiServer(ports: ApiPorts, options: ApiServerOptions): ApiServer {
  return new HttpApiServer(ports, options);
}

type Handler = (request: IncomingMessage, response: ServerResponse, path: string) => void | Promise<void>;
type Route = Readonly<Record<string, Handler>>;

class HttpApiServer implements ApiServer {
  readonly #ports: ApiPorts;
  readonly #options: ApiServerOptions;
  readonly #operations = new Operations(schema);
  readonly #yoga: ReturnType<typeof createYogaHandler>;
  readonly #sockets: SocketServer;
  readonly #server: Server;
  /** Exactly these paths, as they come: nothing is decoded, shortened or tried with another ending. */
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #web: Web;
  readonly #streams = new Set<AbortController>();
  /** Loaded when somebody asks for the first time. */
  #metrics: Promise<Metrics> | undefined;
  #inFlight = 0;

  constructor(ports: ApiPorts, options: ApiServerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#web = new Web();
    this.#yoga = createYogaHandler(schema, ports, this.#operations);
    this.#sockets = new SocketServer(ports, this.#operations, options, { ...SOCKET_LIMITS, ...options.socketLimits });
    const graphql: Handler = (request, response) => this.#graphql(request, response);
    const playground: Route = { GET: (_, response, path) => servePlayground(path, response) };
    this.#routes = new Map<string, Route>([
      ['/graphql', { POST: graphql, GET: graphql }],
      ['/healthz', { GET: (_, response) => respondJson(response, 200, '{"status":"ok"}') }],
      ['/readyz', { GET: (_, response) => this.#readyz(response) }],
      ['/metrics', { GET: (request, response) => this.#serveMetrics(request, response) }],
      ...PLAYGROUND_PATHS.map((path) => [path, playground] as const),
    ]);
    this.#server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) =>
      this.#serve(request, response),
    );
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      if (pathOf(request) === '/graphql') this.#sockets.upgrade(request, socket, head);
      else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    this.#server.on('clientError', (_, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
  }

  get url(): string {
    const address = this.#server.address() as AddressInfo | null;
    if (address === null) throw new Error('The API is not listening.');
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  async start(): Promise<void> {
    if (this.#server.listening) return;
    await this.#sockets.start();
    // Not waited for: a server without it is slower, not wrong.
    this.#operations.load().catch((error: unknown) => {
      this.#ports.log('warn', 'The query compiler could not be loaded; queries are interpreted.', { error });
    });
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1_024 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const stream of this.#streams) stream.abort();
    await this.#sockets.stop();
    this.#server.closeIdleConnections();
    const late = setTimeout(() => this.#server.closeAllConnections(), 1_000);
    await closed;
    clearTimeout(late);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = pathOf(request);
    const route = this.#routes.get(path) ?? this.#webRoute(path);
    if (route === undefined) return this.#respondNothing(request, response);
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
    const handler = Object.hasOwn(route, method) ? route[method] : undefined;
    if (handler === undefined) {
      const allowed = Object.keys(route).join(', ');
      return respondError(response, 405, 'BAD_METHOD', `Use ${allowed}.`, ['Allow', allowed]);
    }
    if (!isOriginAllowed(request, this.#options)) {
      return respondError(response, 403, 'FORBIDDEN_ORIGIN', 'Pages of this origin may not use this server.');
    }
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      return respondError(response, 503, 'UNAVAILABLE', 'Too many requests at once.', ['Retry-After', '1']);
    }
    this.#inFlight++;
    response.once('close', () => this.#inFlight--);
    try {
      const handled = handler(request, response, path);
      if (handled) handled.catch((error: unknown) => this.#fail(response, error));
    } catch (error) {
      this.#fail(response, error);
    }
  }

  #webRoute(path: string): Route | undefined {
    const file = this.#web.find(path);
    if (file !== null) return { GET: (request, response) => this.#web.serve(file, request, response) };
    return path === '/' ? { GET: (_, response) => respondUnbuilt(response) } : undefined;
  }

  /** People are shown a page of the UI, programs an error. */
  #respondNothing(request: IncomingMessage, response: ServerResponse): void {
    const page = this.#web.find('/404');
    const isForPeople = request.method === 'GET' && /\btext\/html\b/.test(request.headers.accept ?? '');
    if (page === null || !isForPeople) return respondError(response, 404, 'NOT_FOUND', 'There is nothing here.');
    this.#web.serve(page, request, response, 404).catch((error: unknown) => this.#fail(response, error));
  }

  #fail(response: ServerResponse, fault: unknown): void {
    const error = publicFault(fault, this.#ports.log);
    const status = error.extensions['code'] === 'UNAVAILABLE' ? 503 : 500;
    respondJson(response, status, JSON.stringify({ errors: [error] }));
  }

  async #serveMetrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if ((await this.#viewerOf(request)) === null) return respondUnauthenticated(response);
    const metrics = await (this.#metrics ??= createMetrics(this.#ports));
    const text = await metrics.text();
    response.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': metrics.contentType });
    response.end(text);
  }

  #viewerOf(request: IncomingMessage): Viewer | null | Promise<Viewer | null> {
    const secret = readBearer(request.headers.authorization ?? '');
    return secret === null ? null : this.#ports.tokens.verify(secret);
  }

  #graphql(request: IncomingMessage, response: ServerResponse): void | Promise<void> {
    const viewer = this.#viewerOf(request);
    if (viewer instanceof Promise) return viewer.then((known) => this.#admitted(request, response, known));
    return this.#admitted(request, response, viewer);
  }

  #admitted(request: IncomingMessage, response: ServerResponse, viewer: Viewer | null): void | Promise<void> {
    if (viewer === null) return respondUnauthenticated(response);
    if (request.method === 'POST') {
      // A browser sends JSON to another site only after asking, which nobody here answers.
      if (!isJson(request.headers['content-type'])) {
        return respondError(response, 415, 'BAD_REQUEST', 'Send the operation as application/json, in UTF-8.', CLOSE);
      }
      const { 'content-encoding': encoding } = request.headers;
      if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
        return respondError(response, 415, 'BAD_REQUEST', `Send the body as it is, without ${encoding}.`, CLOSE);
      }
      const manner = mannerOf(request);
      if (manner !== null) return answerPost(request, response, manner, viewer, this.#ports, this.#operations);
    }
    return this.#stream(request, response, viewer);
  }

  async #stream(request: IncomingMessage, response: ServerResponse, viewer: Viewer): Promise<void> {
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    if (encoding !== undefined) return respondError(response, 411, 'BAD_REQUEST', 'Say the length of the body.', CLOSE);
    if (Number(length ?? 0) > (request.method === 'GET' ? 0 : MAX_BODY_BYTES)) {
      return respondError(
        response,
        413,
        'TOO_LARGE',
        `A body may have ${MAX_BODY_BYTES} bytes, and GET has none.`,
        CLOSE,
      );
    }
    const ended = new AbortController();
    const unwatch = this.#ports.tokens.watch(viewer, () => ended.abort());
    this.#streams.add(ended);
    response.once('close', () => {
      ended.abort();
      unwatch();
      this.#streams.delete(ended);
    });
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    await this.#yoga.handle(request, response, { viewer, signal: ended.signal });
  }

  async #readyz(response: ServerResponse): Promise<void> {
    const reasons = await this.#ports.health.reasons();
    const isReady = reasons.length === 0;
    respondJson(response, isReady ? 200 : 503, JSON.stringify({ status: isReady ? 'ready' : 'not ready', reasons }));
  }
}

const CLOSE = ['Connection', 'close'] as const;

function respondUnauthenticated(response: ServerResponse): void {
  const message = 'A token is needed: send it as `Authorization: Bearer <token>`.';
  respondError(response, 401, 'UNAUTHENTICATED', message, ['WWW-Authenticate', 'Bearer']);
}

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0]!;
