// Subscription fan-out: 1,000 WebSocket clients in one process of their own, a burst of events, deliveries per second,
// beside the documented set-up of yoga with graphql-ws on the same schema, events and store.
// `npm run bench -- subscriptions [clients] [events per burst] [rounds]`
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocket, WebSocketServer } from 'ws';
import { createContext } from '../server/api/context.ts';
import { schema } from '../server/api/schema.ts';
import { startApi } from '../test/support/api-server.ts';
import { median } from './http-load.ts';

const QUERY = 'subscription { runs { cursor type at run { id state pipelineName createdAt } } }';

interface Served {
  readonly url: string;
  readonly secret: string;
}

/** Serves one contender; `burst` makes it commit that many runs one after the other. */
async function serve(which: string, folder: string): Promise<void> {
  const api = await startApi({
    url: `sqlite:${join(folder, `${which}.db`)}`,
    socketLimits: { socketsPerToken: 100_000, strangers: 100_000 },
  });
  await api.apply();
  let { url } = api;
  if (which === 'yoga') {
    const viewer = (await api.tokens.verify(api.secrets.VIEWER))!;
    const http = createServer();
    useServer(
      { schema, context: () => createContext(api.ports, viewer) },
      new WebSocketServer({ server: http, path: '/graphql' }),
    );
    await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, resolve));
    url = `http://127.0.0.1:${(http.address() as { port: number }).port}`;
  }
  process.on('message', (count: number) => {
    void (async () => {
      for (let sent = 0; sent < count; sent++) await api.addRun(0);
    })();
  });
  process.send!({ url, secret: api.secrets.VIEWER } satisfies Served);
}

/** Opens the clients; tells how long each burst takes until every client has had every event. */
async function listen(url: string, secret: string, clients: number): Promise<void> {
  let left = 0;
  let begin = 0;
  const open = () =>
    new Promise<void>((resolve, reject) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
        perMessageDeflate: false,
      });
      socket.on('error', reject);
      socket.on('open', () =>
        socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${secret}` } })),
      );
      socket.on('message', (data: Buffer) => {
        // What a client would do with every message, at the least.
        const message = JSON.parse(data.toString()) as { type: string };
        if (message.type === 'connection_ack') {
          socket.send(JSON.stringify({ id: randomUUID(), type: 'subscribe', payload: { query: QUERY } }));
          socket.send('{"type":"ping"}');
        } else if (message.type === 'pong') resolve();
        else if (message.type === 'next' && --left === 0) process.send!({ ms: performance.now() - begin });
      });
    });
  for (let opened = 0; opened < clients; opened += 50) {
    await Promise.all(Array.from({ length: Math.min(50, clients - opened) }, open));
  }
  process.on('message', (events: number) => {
    left = events * clients;
    begin = performance.now();
    process.send!({ isArmed: true });
  });
  process.send!({ isOpen: true });
}

const hear = <Message>(child: ChildProcess) => new Promise<Message>((resolve) => child.once('message', resolve));

async function main(): Promise<void> {
  const clients = Number(process.argv[2] ?? 1_000);
  const events = Number(process.argv[3] ?? 50);
  const rounds = Number(process.argv[4] ?? 5);
  const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  const children: ChildProcess[] = [];
  const start = (...args: string[]) => {
    const child = fork(import.meta.filename, args, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    children.push(child);
    return child;
  };
  try {
    const pairs: { which: string; server: ChildProcess; listener: ChildProcess; rates: number[] }[] = [];
    for (const which of ['gantry', 'yoga']) {
      const server = start('serve', which, folder);
      const { url, secret } = await hear<Served>(server);
      const listener = start('listen', url, secret, String(clients));
      await hear(listener);
      pairs.push({ which, server, listener, rates: [] });
    }
    for (let round = 0; round <= rounds; round++) {
      for (const { server, listener, rates } of pairs) {
        listener.send(events);
        await hear(listener);
        server.send(events);
        const { ms } = await hear<{ ms: number }>(listener);
        // The first round warms up.
        if (round > 0) rates.push((events * clients * 1_000) / ms);
      }
    }
    const [gantry, yoga] = pairs.map(({ rates }) => median(rates)) as [number, number];
    console.log(`${clients} clients, bursts of ${events} events, median of ${rounds}:`);
    for (const { which, rates } of pairs) console.log(`  ${which.padEnd(7)} ${Math.round(median(rates))} deliveries/s`);
    console.log(`  gantry delivers ${(gantry / yoga).toFixed(2)} times as many`);
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

const [role, ...args] = process.argv.slice(2);
if (role === 'serve') await serve(args[0]!, args[1]!);
else if (role === 'listen') await listen(args[0]!, args[1]!, Number(args[2]));
else await main();
