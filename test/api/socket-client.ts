import { WebSocket } from 'ws';

/** A client that sees every message and how the socket was closed. */
export interface SocketClient {
  readonly socket: WebSocket;
  send(message: unknown): void;
  /** The next message that came, or comes. Rejects when the socket closes instead. */
  // eslint-disable-next-line typescript/no-explicit-any -- what tests look into has no static shape
  next(): Promise<any>;
  /** What came and has not been taken. */
  readonly waiting: readonly unknown[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Opens a socket; says nothing on it. Rejects with the status when the upgrade is refused. */
export function openSocket(
  url: string,
  {
    protocol = 'graphql-transport-ws',
    headers = {},
    path = '/graphql',
  }: { protocol?: string; headers?: Record<string, string>; path?: string } = {},
): Promise<SocketClient> {
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocol, { headers });
  const waiting: unknown[] = [];
  const takers: { readonly resolve: (message: unknown) => void; readonly reject: (error: Error) => void }[] = [];
  socket.on('message', (data: Buffer) => {
    const message: unknown = JSON.parse(data.toString());
    const taker = takers.shift();
    if (taker) taker.resolve(message);
    else waiting.push(message);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      for (const { reject } of takers.splice(0)) reject(new Error(`closed with ${code} ${reason.toString()}`));
      resolve({ code, reason: reason.toString() });
    });
  });
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_, response) => reject(new Error(`refused with ${response.statusCode}`)));
    socket.on('error', reject);
    socket.on('open', () =>
      resolve({
        socket,
        waiting,
        closed,
        send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
        next: () =>
          waiting.length > 0
            ? Promise.resolve(waiting.shift())
            : new Promise((take, refuse) => takers.push({ resolve: take, reject: refuse })),
      }),
    );
  });
}

/** Opens a socket and says who is there. */
export async function signedIn(url: string, secret: string): Promise<SocketClient> {
  const client = await openSocket(url);
  client.send({ type: 'connection_init', payload: { authorization: `Bearer ${secret}` } });
  const ack = (await client.next()) as { type: string };
  if (ack.type !== 'connection_ack') throw new Error(`expected an ack, not ${JSON.stringify(ack)}`);
  return client;
}
