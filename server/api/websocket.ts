import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GraphQLError } from 'graphql';
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Viewer } from '../auth/viewer.ts';
import type { Service } from '../lifecycle.ts';
import { readBearer } from './bearer.ts';
import { createContext, type ApiPorts } from './context.ts';
import { publicError, publicFault, tooMany } from './errors.ts';
import { Feeds } from './feeds.ts';
import type { Operations } from './operations.ts';
import { isOriginAllowed, type OriginPolicy } from './origin.ts';
import { Outlet } from './outlet.ts';
import { lossy } from './request-params.ts';
import { readMessage, type ClientMessage, type SubscribeParams } from './socket-message.ts';
import { SocketSubscription, type SubscriptionHost } from './socket-subscription.ts';

/** What sockets may be at most. */
export interface SocketLimits {
  readonly subscriptionsPerSocket: number;
  readonly socketsPerToken: number;
  /** Sockets that have not yet said who they are. */
  readonly strangers: number;
  readonly messageBytes: number;
  /** For the first message. Milliseconds. */
  readonly initMs: number;
  /** How long a client may not read what waits for it. Milliseconds. */
  readonly stuckMs: number;
}

export const SOCKET_LIMITS: SocketLimits = {
  subscriptionsPerSocket: 100,
  socketsPerToken: 20,
  strangers: 200,
  messageBytes: 1024 * 1024,
  initMs: 3_000,
  stuckMs: 30_000,
};

/** How often open sockets are looked at. Milliseconds. */
const LOOK_MS = 2_000;
/** How long clients have to say goodbye when the server stops. Milliseconds. */
const FAREWELL_MS = 500;
/** How often a silent client is asked whether it is still there. Milliseconds. */
const PING_MS = 30_000;

/** GraphQL over WebSocket, as graphql-transport-ws says it. */
export class SocketServer implements Service {
  readonly #server: WebSocketServer;
  readonly #ports: ApiPorts;
  readonly #operations: Operations;
  readonly #feeds: Feeds;
  readonly #policy: OriginPolicy;
  readonly #limits: SocketLimits;
  readonly #sockets = new Set<Socket>();
  readonly #perToken = new Map<string, number>();
  #stopped: AbortController | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(ports: ApiPorts, operations: Operations, policy: OriginPolicy, limits: SocketLimits) {
    this.#ports = ports;
    this.#operations = operations;
    this.#policy = policy;
    this.#limits = limits;
    this.#feeds = new Feeds(operations.schema, ports);
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: limits.messageBytes,
      perMessageDeflate: false,
      handleProtocols: (protocols) =>
        protocols.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false,
    });
  }

  start(): Promise<void> {
    if (this.#stopped === null) {
      this.#stopped = new AbortController();
      this.#looking = this.#look(this.#stopped.signal);
    }
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopped?.abort();
    this.#stopped = null;
    const open = [...this.#sockets];
    for (const socket of open) socket.close(1001, 'The server stops.');
    await this.#looking;
    if (open.length === 0) return;
    // Who does not answer in time is not waited for.
    const patience = new AbortController();
    const late = this.#ports.clock.sleep(FAREWELL_MS, patience.signal).catch(() => undefined);
    await Promise.race([Promise.all(open.map(({ closed }) => closed)), late]);
    patience.abort();
    for (const socket of open) socket.terminate();
  }

  /** Takes a request to upgrade that came for the right path. */
  upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): void {
    const refuse = (status: string) => raw.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    if (!isOriginAllowed(request, this.#policy)) return void refuse('403 Forbidden');
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
    if (!offered.includes(GRAPHQL_TRANSPORT_WS_PROTOCOL)) return void refuse('400 Bad Request');
    const strangers = [...this.#sockets].filter(({ isStranger }) => isStranger).length;
    if (strangers >= this.#limits.strangers) return void refuse('503 Service Unavailable');
    this.#server.handleUpgrade(request, raw, head, (socket) => {
      const opened = new Socket(socket, raw, this.#ports, this.#operations, this.#feeds, this.#limits, {
        onClose: () => this.#sockets.delete(opened),
        mayJoin: (viewer) => this.#count(viewer),
      });
      this.#sockets.add(opened);
    });
  }

  /** Counts a token's sockets; null when it has too many, otherwise what counts this one off again. */
  #count({ tokenId }: Viewer): (() => void) | null {
    const open = this.#perToken.get(tokenId) ?? 0;
    if (open >= this.#limits.socketsPerToken) return null;
    this.#perToken.set(tokenId, open + 1);
    return () => {
      const left = (this.#perToken.get(tokenId) ?? 1) - 1;
      if (left === 0) this.#perToken.delete(tokenId);
      else this.#perToken.set(tokenId, left);
    };
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
      for (const socket of this.#sockets) socket.look(clock.monotonic());
    }
  }
}

interface SocketHost {
  onClose(): void;
  mayJoin(viewer: Viewer): (() => void) | null;
}

/** One client. */
class Socket implements SubscriptionHost {
  readonly outlet: Outlet;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #ports: ApiPorts;
  readonly #operations: Operations;
  readonly #feeds: Feeds;
  readonly #limits: SocketLimits;
  readonly #host: SocketHost;
  readonly #openedAt: number;
  readonly #running = new Map<string, SocketSubscription | null>();
  /** Subscriptions that do not listen yet: what is asked after them is answered after that, so that nothing falls between. */
  readonly #starting = new Set<Promise<void>>();
  #viewer: Viewer | null = null;
  #hasInitialised = false;
  #release: (() => void)[] = [];
  #stuckSince: number | null = null;
  #heardAt: number;
  #pingedAt: number;

  constructor(
    socket: WebSocket,
    raw: Duplex,
    ports: ApiPorts,
    operations: Operations,
    feeds: Feeds,
    limits: SocketLimits,
    host: SocketHost,
  ) {
    this.#socket = socket;
    this.outlet = new Outlet(raw);
    this.#ports = ports;
    this.#operations = operations;
    this.#feeds = feeds;
    this.#limits = limits;
    this.#host = host;
    this.#openedAt = this.#heardAt = this.#pingedAt = ports.clock.monotonic();
    socket.on('message', (data, isBinary) => this.#hear(data as Buffer, isBinary));
    socket.on('pong', () => (this.#heardAt = ports.clock.monotonic()));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#gone();
        resolve();
      });
    });
    // A frame that is none, or too large: ws closes this socket (1002, 1007, 1009), and no other.
    socket.on('error', () => undefined);
  }

  /** Before it has said who it is there is none, and nothing that needs one. */
  get viewer(): Viewer {
    return this.#viewer as Viewer;
  }

  get isStranger(): boolean {
    return this.#viewer === null;
  }

  close(code: number, reason: string): void {
    this.#gone();
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Looks whether the client still reads, is still there, and has said in time who it is. */
  look(now: number): void {
    if (this.#viewer === null) {
      if (now - this.#openedAt >= this.#limits.initMs) {
        this.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
      }
      return;
    }
    if (!this.#ports.tokens.isGood(this.#viewer)) return this.refuse();
    if (!this.outlet.isFull) this.#stuckSince = null;
    else this.#stuckSince ??= now;
    if (this.#stuckSince !== null && now - this.#stuckSince >= this.#limits.stuckMs) {
      this.close(CloseCode.TooManyInitialisationRequests, 'The client does not read');
      // It does not read the closing frame either.
      this.#socket.terminate();
      return;
    }
    if (now - this.#heardAt > 2 * PING_MS) return this.#socket.terminate();
    if (now - this.#pingedAt >= PING_MS) {
      this.#pingedAt = now;
      this.#socket.ping();
    }
  }

  complete(id: string): void {
    if (this.#end(id)) this.#send({ id, type: 'complete' });
  }

  fail(id: string, errors: readonly GraphQLError[]): void {
    if (this.#end(id)) this.#send({ id, type: 'error', payload: errors });
  }

  /** False when it had ended. */
  #end(id: string): boolean {
    const subscription = this.#running.get(id);
    subscription?.stop();
    return this.#running.delete(id);
  }

  refuse(): void {
    this.close(CloseCode.Forbidden, 'The token is not good any more');
  }

  #send(message: object): void {
    // Through the same outlet as the frames, so that nothing overtakes.
    if (this.#socket.readyState === this.#socket.OPEN) this.outlet.writeText(JSON.stringify(message));
  }

  #hear(data: Buffer, isBinary: boolean): void {
    this.#heardAt = this.#ports.clock.monotonic();
    const message = isBinary ? null : readMessage(data.toString());
    if (message === null) return this.close(CloseCode.BadRequest, 'Invalid message received');
    this.#act(message);
  }

  #act(message: ClientMessage): void {
    switch (message.type) {
      case 'connection_init':
        if (this.#hasInitialised) {
          return this.close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
        }
        this.#hasInitialised = true;
        void this.#initialise(message.payload);
        return;
      case 'ping':
        return this.#send({ type: 'pong', ...(message.payload === undefined ? {} : { payload: message.payload }) });
      case 'pong':
        return;
      case 'subscribe':
        if (this.#viewer === null) return this.close(CloseCode.Unauthorized, 'Unauthorized');
        return this.#subscribe(message.id, message.payload);
      case 'lossy':
        if (this.#viewer === null) return this.close(CloseCode.Unauthorized, 'Unauthorized');
        return this.#send({ id: message.id, type: 'error', payload: [lossy(message.fault)] });
      case 'complete':
        this.#end(message.id);
    }
  }

  async #initialise(payload: Readonly<Record<string, unknown>> | undefined): Promise<void> {
    const authorization = payload?.['authorization'] ?? payload?.['Authorization'];
    const secret = typeof authorization === 'string' ? readBearer(authorization) : null;
    let viewer: Viewer | null = null;
    try {
      viewer = secret === null ? null : await this.#ports.tokens.verify(secret);
    } catch (error) {
      publicFault(error, this.#ports.log);
      return this.close(1013, 'The server cannot check tokens at the moment');
    }
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (viewer === null) return this.close(CloseCode.Forbidden, 'Forbidden');
    const leave = this.#host.mayJoin(viewer);
    if (leave === null) return this.close(CloseCode.TooManyInitialisationRequests, 'Too many sockets for this token');
    this.#viewer = viewer;
    this.#release = [leave, this.#ports.tokens.watch(viewer, () => this.refuse())];
    this.#send({ type: 'connection_ack' });
  }

  #subscribe(id: string, { query, operationName, variables }: SubscribeParams): void {
    if (this.#running.has(id))
      return this.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
    this.#running.set(id, null);
    if (this.#running.size > this.#limits.subscriptionsPerSocket) {
      return this.fail(id, [tooMany(`At most ${this.#limits.subscriptionsPerSocket} operations at once on a socket.`)]);
    }
    try {
      const operation = this.#operations.prepare(query, operationName);
      if (!('execute' in operation)) return this.#failWith(id, operation);
      const fault = this.#operations.admit(operation, this.viewer, variables);
      if (fault) return this.fail(id, [fault]);
      if (operation.type !== 'subscription') {
        void this.#answer(id, () => operation.execute(undefined, createContext(this.#ports, this.viewer), variables));
        return;
      }
      const subscription = new SocketSubscription(id, this, this.#ports, operation, variables);
      this.#running.set(id, subscription);
      const starting = subscription.listening.then(() => void this.#starting.delete(starting));
      this.#starting.add(starting);
      subscription.start(this.#feeds, this.#operations);
    } catch (error) {
      this.fail(id, [publicFault(error, this.#ports.log)]);
    }
  }

  async #answer(id: string, execute: () => unknown): Promise<void> {
    try {
      if (this.#starting.size > 0) await Promise.all(this.#starting);
      const result = (await execute()) as { data?: unknown; errors?: readonly GraphQLError[] };
      if (!('data' in result)) return this.#failWith(id, result.errors ?? []);
      const errors = result.errors?.map((error) => publicError(error, this.#ports.log));
      if (this.#running.has(id)) this.#send({ id, type: 'next', payload: errors ? { ...result, errors } : result });
      this.complete(id);
    } catch (error) {
      this.fail(id, [publicFault(error, this.#ports.log)]);
    }
  }

  #failWith(id: string, errors: readonly GraphQLError[]): void {
    this.fail(
      id,
      errors.map((error) => publicError(error, this.#ports.log)),
    );
  }

  #gone(): void {
    for (const release of this.#release.splice(0)) release();
    const running = [...this.#running.values()];
    this.#running.clear();
    for (const subscription of running) subscription?.stop();
    this.#host.onClose();
  }
}
