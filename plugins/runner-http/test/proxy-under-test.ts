import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** A proxy that forwards http and makes tunnels, and remembers what it was asked for. */
export class ProxyUnderTest {
  /** `GET http://…` or `CONNECT host:port`, and what was shown of the node. */
  readonly asked: string[] = [];
  /** Names that only this proxy knows. */
  readonly names = new Map<string, string>();
  /** What it wants to be shown; null for nothing. */
  authorization: string | null = null;
  /** Whether it takes connections and then says nothing. */
  isMute = false;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((asked, answer) => {
      if (!this.#take(`${asked.method} ${asked.url}`, asked.headers['proxy-authorization']))
        return void answer.writeHead(407, { 'proxy-authenticate': 'Basic' }).end('who are you?');
      if (this.isMute) return;
      const url = new URL(asked.url!);
      const headers = { ...asked.headers };
      delete headers['proxy-authorization'];
      const host = this.names.get(url.hostname) ?? url.hostname;
      const sent = request({ host, port: url.port, path: url.pathname + url.search, method: asked.method, headers });
      sent.on('response', (heard) => {
        answer.writeHead(heard.statusCode!, heard.headers);
        heard.pipe(answer);
      });
      sent.on('error', () => answer.writeHead(502).end());
      asked.pipe(sent);
    });
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
    this.#server.on('connect', (asked, socket: Socket) => {
      if (!this.#take(`CONNECT ${asked.url}`, asked.headers['proxy-authorization']))
        return socket.end('HTTP/1.1 407 Who are you\r\n\r\n');
      if (this.isMute) return;
      const [host = '', port] = asked.url!.split(':');
      const target = connect(Number(port), this.names.get(host) ?? host, () => {
        socket.write('HTTP/1.1 200 Connected\r\n\r\n');
        target.pipe(socket);
        socket.pipe(target);
      });
      this.#keep(target);
      target.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
      socket.on('error', () => target.destroy());
    });
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(what: string, shown: string | undefined): boolean {
    this.asked.push(shown === undefined ? what : `${what} as ${Buffer.from(shown.slice(6), 'base64').toString()}`);
    return this.authorization === null || shown === this.authorization;
  }
  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
