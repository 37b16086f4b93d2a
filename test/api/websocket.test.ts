import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { systemClock, type Clock } from '../../server/clock.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { openSocket, signedIn, type SocketClient } from './socket-client.ts';

let api: TestApi;
const open: SocketClient[] = [];
beforeAll(async () => {
  api = await startApi({ socketLimits: { initMs: 100, socketsPerToken: 10, messageBytes: 20_000 } });
  await api.apply();
});
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.terminate();
});
afterAll(() => api.stop());

const stranger = async (options?: Parameters<typeof openSocket>[1]) => {
  const client = await openSocket(api.url, options);
  open.push(client);
  return client;
};
const known = async (secret = api.secrets.VIEWER) => {
  const client = await signedIn(api.url, secret);
  open.push(client);
  return client;
};
const RUNS = 'subscription { runs { type cursor run { id state } } }';
const subscribe = (id: string, query = RUNS, variables = {}) => ({
  id,
  type: 'subscribe',
  payload: { query, variables },
});

/** Until the server has taken the subscription: a ping is answered after what was sent before it was begun. */
const settled = async (client: SocketClient) => {
  client.send({ type: 'ping' });
  expect(await client.next()).toEqual({ type: 'pong' });
  // The source asks the store for its starting place.
  await api.store.events.last('default');
  await new Promise((resolve) => setImmediate(resolve));
};

describe('who may speak over a WebSocket', () => {
  it('is refused at the door from foreign pages, other paths and with other protocols', async () => {
    await expect(stranger({ headers: { origin: 'https://evil.example' } })).rejects.toThrow('403');
    await expect(stranger({ headers: { origin: 'null' } })).rejects.toThrow('403');
    await expect(stranger({ protocol: 'graphql-ws' })).rejects.toThrow('400');
    for (const path of ['/', '/graphql/', '//graphql', '/graphql/stream', '/GRAPHQL', '/healthz']) {
      await expect(stranger({ path })).rejects.toThrow('404');
    }
    await expect(stranger({ headers: { origin: api.url } })).resolves.toBeDefined();
  });

  it('must say who it is before anything else, in the first message and nowhere else', async () => {
    const early = await stranger({ headers: { authorization: `Bearer ${api.secrets.ADMIN}` } });
    early.send(subscribe('1'));
    expect(await early.closed).toMatchObject({ code: 4401 });
    const query = await stranger({
      path: `/graphql?authorization=Bearer%20${api.secrets.ADMIN}&token=${api.secrets.ADMIN}`,
    });
    query.send({ type: 'connection_init' });
    expect(await query.closed).toMatchObject({ code: 4403 });
  });

  it('is turned away without a good token', async () => {
    const payloads = [
      undefined,
      {},
      { authorization: '' },
      { authorization: 'Bearer nothing' },
      { authorization: api.secrets.ADMIN },
      { authorization: 7 },
    ];
    for (const payload of payloads) {
      const client = await stranger();
      client.send({ type: 'connection_init', ...(payload && { payload }) });
      expect(await client.closed).toMatchObject({ code: 4403 });
    }
  });

  it('has no operation between its init and the acknowledgement', async () => {
    const client = await stranger();
    client.send({ type: 'connection_init', payload: { authorization: 'Bearer nothing' } });
    client.send(subscribe('1'));
    expect([4401, 4403]).toContain((await client.closed).code);
    expect(client.waiting).toEqual([]);
  });

  it('has so many sockets and no more', async () => {
    for (let count = 0; count < 10; count++) await known(api.secrets.AUTHOR);
    await expect(known(api.secrets.AUTHOR)).rejects.toThrow('4429');
  });
});

describe('what is no message', () => {
  it('closes the socket that it came on, and no other', async () => {
    const bystander = await known();
    const bad: [string | Buffer, number][] = [
      ['not json', 4400],
      ['[]', 4400],
      ['{"type":"nonsense"}', 4400],
      ['{"type":"subscribe"}', 4400],
      ['{"type":"subscribe","id":"","payload":{"query":"{viewer{name}}"}}', 4400],
      ['{"type":"subscribe","id":"1","payload":{"query":1}}', 4400],
      ['{"type":"connection_init"}', 4429],
      [Buffer.from([1, 2, 3]), 4400],
      ['x'.repeat(20_001), 1009],
    ];
    for (const [message, code] of bad) {
      const client = await known(api.secrets.OPERATOR);
      client.socket.send(message);
      expect([String(message).slice(0, 40), (await client.closed).code]).toEqual([String(message).slice(0, 40), code]);
    }
    const twice = await known();
    twice.send(subscribe('a'));
    twice.send(subscribe('a'));
    expect(await twice.closed).toMatchObject({ code: 4409 });
    await settled(bystander);
  });

  it('of GraphQL is answered, and the socket stays', async () => {
    const client = await known();
    const bad: [string, RegExp][] = [
      ['{', /Syntax Error/],
      ['{ nope }', /Cannot query/],
      ['subscription { nope }', /Cannot query/],
      ['subscription { run(id: "x") { type } }', /no run/],
      ['subscription { logs(taskRun: "x.1") { text } }', /no task run/],
      ['subscription { runs(after: "nonsense") { type } }', /not a cursor/],
      ['subscription ($id: ID!) { run(id: $id) { type } }', /\$id/],
      [
        '{ runs { nodes { retryOf { retryOf { retryOf { retryOf { retryOf { retryOf { retryOf { retryOf { id } } } } } } } } } } }',
        /deep/,
      ],
      [`{ ${Array.from({ length: 16 }, (_, at) => `a${at}: viewer { name }`).join(' ')} }`, /aliases/],
      ['{ runs(first: 500) { nodes { taskRuns(first: 500) { nodes { id } } } } }', /yield/],
      [`{ viewer { ${'name '.repeat(2_000)} } }`, /2000 tokens/],
      ['mutation { cordonNode(input: { name: "a" }) { __typename } }', /needs the role ADMIN/],
      ['{ tokens { id } }', /needs the role ADMIN/],
    ];
    for (const [query, message] of bad) {
      client.send(subscribe('q', query));
      const answer = await client.next();
      expect(answer).toMatchObject({ id: 'q', type: 'error' });
      expect(answer.payload[0].message).toMatch(message);
    }
    client.send(subscribe('q', '{ viewer { name } }'));
    expect(await client.next()).toEqual({ id: 'q', type: 'next', payload: { data: { viewer: { name: 'viewer' } } } });
    expect(await client.next()).toEqual({ id: 'q', type: 'complete' });
  });

  it('is a subscription too many: refused by itself', async () => {
    const client = await known();
    for (let count = 0; count <= 100; count++) client.send(subscribe(`s${count}`));
    const refused = await client.next();
    expect(refused).toMatchObject({ id: 's100', type: 'error' });
    expect(refused.payload[0].extensions.code).toBe('TOO_MANY');
    client.send({ id: 's1', type: 'complete' });
    client.send({ type: 'ping', payload: { a: 1 } });
    expect(await client.next()).toEqual({ type: 'pong', payload: { a: 1 } });
  });
});

describe('subscriptions', () => {
  it('tell everybody the same, executed with what is true then', async () => {
    const clients = [await known(), await known(), await known(api.secrets.OPERATOR)];
    for (const client of clients) client.send(subscribe('mine "quoted" ü'));
    for (const client of clients) await settled(client);
    const run = await api.addRun(1);
    for (const client of clients) {
      const message = await client.next();
      expect(message).toMatchObject({ id: 'mine "quoted" ü', type: 'next' });
      expect(message.payload.data.runs).toMatchObject({ type: 'run.created', run: { id: run.id, state: 'QUEUED' } });
    }
    await api.changeRun(run, { state: 'SUCCEEDED', finishedAt: 1 });
    for (const client of clients) {
      expect((await client.next()).payload.data.runs).toMatchObject({
        type: 'run.succeeded',
        run: { state: 'SUCCEEDED' },
      });
    }
  });

  it('of one run begin with it as it is, also for who comes late, and complete when it has ended', async () => {
    let run = await api.addRun(2);
    const [one, two] = (await api.store.taskRuns.pagesOfRuns([run.id], { first: 2 }, {}))[0]!.rows;
    const query = 'subscription ($id: ID!) { run(id: $id) { type run { state } taskRun { ordinal state } } }';
    const early = await known();
    early.send(subscribe('r', query, { id: run.id }));
    expect((await early.next()).payload.data.run).toMatchObject({ type: 'run.created', taskRun: null });
    run = await api.changeRun(run, { state: 'RUNNING', startedAt: 1 });
    expect((await early.next()).payload.data.run).toMatchObject({ type: 'run.started' });
    const late = await known();
    late.send(subscribe('r', query, { id: run.id }));
    expect((await late.next()).payload.data.run).toMatchObject({ type: 'run.started', run: { state: 'RUNNING' } });
    await api.changeTaskRun(run, one!.row, { state: 'SUCCEEDED', finishedAt: 2 });
    await api.changeTaskRun(run, two!.row, { state: 'FAILED', finishedAt: 3 });
    await api.changeRun(run, { state: 'FAILED', finishedAt: 4 });
    for (const client of [early, late]) {
      const types = [await client.next(), await client.next(), await client.next()];
      expect(types.map(({ payload }) => payload.data.run.type)).toEqual([
        'taskRun.succeeded',
        'taskRun.failed',
        'run.failed',
      ]);
      expect(await client.next()).toEqual({ id: 'r', type: 'complete' });
    }
  });

  it('go on from a cursor without gap or duplicate', async () => {
    const first = await known();
    first.send(subscribe('a'));
    await settled(first);
    const runs = [await api.addRun(0), await api.addRun(0), await api.addRun(0)];
    const { cursor } = (await first.next()).payload.data.runs;
    const second = await known();
    second.send(
      subscribe('b', 'subscription ($after: String) { runs(after: $after) { run { id } } }', { after: cursor }),
    );
    expect((await second.next()).payload.data.runs.run.id).toBe(runs[1]!.id);
    expect((await second.next()).payload.data.runs.run.id).toBe(runs[2]!.id);
    const live = await api.addRun(0);
    expect((await second.next()).payload.data.runs.run.id).toBe(live.id);
  });

  it('of logs hand on every chunk in order, and complete when there is no more to come', async () => {
    const run = await api.addRun(1);
    const attempt = `${run.id}.0.1` as never;
    await api.store.logs.append(
      Array.from({ length: 150 }, (_, at) => ({
        attempt,
        seq: at + 1,
        stream: 'STDOUT' as const,
        at: 5,
        text: `${at}\n`,
      })),
    );
    const client = await known();
    const query = 'subscription ($id: ID!) { logs(taskRun: $id, follow: false) { seq text attemptNumber } }';
    client.send(subscribe('l', query, { id: `${run.id}.0` }));
    for (let seq = 1; seq <= 150; seq++) {
      expect((await client.next()).payload.data.logs).toEqual({ seq, text: `${seq - 1}\n`, attemptNumber: 1 });
    }
    expect(await client.next()).toEqual({ id: 'l', type: 'complete' });
  });

  it('work for the client that people use', async () => {
    const client = createClient({
      url: `${api.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${api.secrets.VIEWER}` },
    });
    const run = await api.addRun(0);
    const events: unknown[] = [];
    const iterator = client.iterate({ query: `subscription { run(id: "${run.id}") { type } }` });
    for await (const { data } of iterator) {
      events.push((data as { run: { type: string } }).run.type);
      if (events.length === 1) await api.changeRun(run, { state: 'CANCELLED', finishedAt: 1 });
    }
    await client.dispose();
    expect(events).toEqual(['run.created', 'run.cancelled']);
  });

  it('end with their token: nothing is told after it was revoked', async () => {
    const made = (await api.tokens.create({ name: 'short', role: 'VIEWER', expiresInMs: null }, 'test'))!;
    const client = await known(made.secret);
    client.send(subscribe('a'));
    await settled(client);
    const revoked = await api.post({
      query: `mutation { revokeToken(input: { id: "${made.token.id}" }) { __typename } }`,
    });
    expect(revoked.json.data.revokeToken.__typename).toBe('RevokeTokenPayload');
    await api.addRun(0);
    expect(await client.closed).toMatchObject({ code: 4403 });
    expect(client.waiting).toEqual([]);
  });

  it('over event streams obey the same rules', async () => {
    const made = (await api.tokens.create({ name: 'streamer', role: 'VIEWER', expiresInMs: null }, 'test'))!;
    const run = await api.addRun(0);
    const stream = (query: string, secret: string) =>
      fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${secret}` },
        body: JSON.stringify({ query }),
      });
    expect((await stream(RUNS, 'nothing')).status).toBe(401);
    const followed = await stream(`subscription { run(id: "${run.id}") { type } }`, made.secret);
    expect(followed.headers.get('content-type')).toContain('text/event-stream');
    await api.changeRun(run, { state: 'CANCELLED', finishedAt: 1 });
    const text = await followed.text();
    expect(text).toContain('run.cancelled');
    expect(text).toContain('event: complete');
    const open = await stream('subscription { runs { type } }', made.secret);
    await api.tokens.revoke(made.token.id, 'test');
    expect(await open.text()).not.toContain('"runs"');
  });
});

describe('a client that does not read', () => {
  it('costs a bounded amount, is told to read anew, and does not hold up the others', async () => {
    const query = 'subscription { runs { type cursor run { id params } } }';
    const [slow, quick] = [await known(), await known()];
    slow.send(subscribe('s', query));
    quick.send(subscribe('q', query));
    await settled(slow);
    await settled(quick);
    slow.socket.pause();
    for (let count = 0; count < 700; count++) {
      await api.addRun(0, { params: { ballast: 'x'.repeat(60_000) } });
      await quick.next();
    }
    slow.socket.resume();
    let told = 0;
    let message = await slow.next();
    while (message.payload.data.runs.type !== 'RESYNC') {
      told++;
      message = await slow.next();
    }
    expect(told).toBeLessThan(700);
    // It goes on from there.
    const next = await api.addRun(0);
    expect((await slow.next()).payload.data.runs.run.id).toBe(next.id);
  });

  it('is let go after a while', async () => {
    // The server's waits are a hundred times shorter here.
    const clock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 100, signal) };
    const impatient = await startApi({ clock, socketLimits: { stuckMs: 1 } });
    const [stuck, quick] = [
      await signedIn(impatient.url, impatient.secrets.VIEWER),
      await signedIn(impatient.url, impatient.secrets.VIEWER),
    ];
    await follow(stuck, impatient);
    await follow(quick, impatient);
    stuck.socket.pause();
    for (let count = 0; count < 400; count++) {
      await impatient.addRun(0, { params: { ballast: 'x'.repeat(60_000) } });
      await quick.next();
    }
    stuck.socket.resume();
    expect((await stuck.closed).code).not.toBe(1001);
    expect(quick.socket.readyState).toBe(WebSocket.OPEN);
    await impatient.stop();
  });

  it('does not keep the server from stopping', async () => {
    const stopping = await startApi();
    const sleepy = await signedIn(stopping.url, stopping.secrets.VIEWER);
    await follow(sleepy, stopping);
    sleepy.socket.pause();
    for (let count = 0; count < 200; count++) await stopping.addRun(0, { params: { ballast: 'x'.repeat(60_000) } });
    await stopping.stop();
    sleepy.socket.resume();
    expect((await sleepy.closed).code).not.toBe(1000);
  });
});

/** Follows all runs with everything that is handed to them. */
async function follow(client: SocketClient, server: TestApi): Promise<void> {
  client.send(subscribe('s', 'subscription { runs { run { params } } }'));
  client.send({ type: 'ping' });
  await client.next();
  await server.store.events.last('default');
}
