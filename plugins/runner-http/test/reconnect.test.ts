import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@gantry/plugin-kit/runner';
import { AttemptHarness, type TestAttempt } from '@gantry/plugin-kit/testing';
import { backOffMs } from '../src/call.ts';
import http from '../src/index.ts';

/** What the server does with each connection's first request, one after the other; the last one stays. */
let script: ((socket: Socket) => void)[] = [];
let heads: string[] = [];
let server: Server;
let harness: AttemptHarness;
let base: string;

const reset = (socket: Socket) => socket.resetAndDestroy();
const nothing = () => undefined;
const answer = (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
const half = (socket: Socket) =>
  socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf', () => socket.destroy());
const drip = (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf');

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', nothing);
    socket.once('data', (bytes) => {
      heads.push(bytes.toString());
      const [act] = script.length > 1 ? script.splice(0, 1) : script;
      act?.(socket);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  base = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  harness = new AttemptHarness(http, { allow: ['127.0.0.0/8'], allowInsecure: true });
});
beforeEach(() => {
  heads = [];
});
afterAll(async () => {
  await harness.close();
  server.close();
});

function attempt(config: JsonObject): TestAttempt {
  return harness.attempt({ url: `http://${base}/`, reconnect: { delay: '1ms' }, ...config }, { id: 'run.4.1' });
}
const methods = () => heads.map((head) => head.slice(0, head.indexOf(' ')));
const reason = (code: string) => ({ ok: false, kind: 'APPLICATION', reason: { code } });

describe('a connection that fails', () => {
  it('is made again for a method that may be sent twice, and every try bears the same key', async () => {
    script = [reset, reset, answer];
    const trying = attempt({ method: 'PUT', body: 'x' });
    expect(await trying.run()).toMatchObject({ ok: true });
    expect(methods()).toEqual(['PUT', 'PUT', 'PUT']);
    expect(heads.filter((head) => head.includes('idempotency-key: run.4\r\n'))).toHaveLength(3);
    expect(Buffer.concat(trying.printed.stderr).toString()).toMatch(/Again in \d+ms/);
  });

  it('is given up after as many tries as the task allows', async () => {
    script = [reset];
    expect(await attempt({ reconnect: { max: 1, delay: '1ms' } }).run()).toMatchObject(reason('ECONNRESET'));
    expect(methods()).toEqual(['GET', 'GET']);
  });

  it('is not made again for a POST, unless the service heeds the idempotency key', async () => {
    script = [reset];
    expect(await attempt({ method: 'POST' }).run()).toMatchObject({ ...reason('ECONNRESET'), kind: 'UNKNOWN' });
    expect(methods()).toEqual(['POST']);
    script = [reset, answer];
    expect(await attempt({ method: 'POST', idempotencyKey: true }).run()).toMatchObject({ ok: true });
    script = [reset, answer];
    expect(await attempt({ method: 'PATCH', headers: { 'Idempotency-Key': 'mine' } }).run()).toMatchObject({
      ok: true,
    });
    expect(heads.at(-1)).toContain('idempotency-key: mine\r\n');
    expect(heads.at(-1)).not.toContain('run.4');
  });

  it('is not made again when part of an answer has come, nor for an answer that was not expected', async () => {
    script = [half];
    expect(await attempt({}).run()).toMatchObject({ ok: false });
    script = [(socket) => socket.end('HTTP/1.1 503 Away\r\nConnection: close\r\n\r\n')];
    expect(await attempt({}).run()).toMatchObject(reason('UNEXPECTED_STATUS'));
    expect(methods()).toEqual(['GET', 'GET']);
  });

  it('is not made again once the attempt was stopped', async () => {
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    script = [
      (socket) => {
        reset(socket);
        resolve();
      },
    ];
    const waiting = attempt({ reconnect: { delay: '1h', maxDelay: '1h' } });
    const ended = waiting.run();
    await arrived;
    waiting.requestStop();
    expect(await ended).toMatchObject(reason('STOPPED'));
    expect(methods()).toEqual(['GET']);
  });

  it('waits longer each time, up to the cap, and never the same', () => {
    const waits = { delay: 100, maxDelay: 1_000 };
    expect([0, 1, 2, 3, 4, 9].map((tries) => backOffMs(waits, tries, 1))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect([0, 0.5, 1].map((chance) => backOffMs(waits, 1, chance))).toEqual([100, 150, 200]);
  });
});

describe('a request that must not be sent twice', () => {
  const redirect = (status: number) => (socket: Socket) =>
    socket.end(`HTTP/1.1 ${status} There\r\nLocation: /there\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  const post = (config: JsonObject = {}) => attempt({ method: 'POST', body: 'pay', ...config });

  it('ends nobody knows how when it went out and its answer did not come', async () => {
    const cases: readonly (readonly [string, (typeof script)[number], JsonObject])[] = [
      ['ECONNRESET', reset, {}],
      ['ECONNRESET', half, {}],
      ['ANSWER_TIMEOUT', nothing, { answerTimeout: '30ms' }],
      ['TIMEOUT', nothing, { timeout: '1s' }],
    ];
    for (const [code, act, config] of cases) {
      script = [act];
      expect(await post(config).run()).toMatchObject({
        ok: false,
        kind: 'UNKNOWN',
        reason: { code, message: expect.stringContaining('nobody knows whether it was done') },
      });
    }
    expect(methods()).toEqual(['POST', 'POST', 'POST', 'POST']);
  });

  it('ends so, too, when only what it had led to could not be fetched', async () => {
    script = [redirect(303), reset];
    expect(await post({ followRedirects: 1 }).run()).toMatchObject({ ...reason('ECONNRESET'), kind: 'UNKNOWN' });
    expect(methods()).toEqual(['POST', 'GET']);
  });

  it('has failed for all to know when it never went out, or an answer said so', async () => {
    const free = createServer();
    await once(free.listen(0, '127.0.0.1'), 'listening');
    const { port } = free.address() as AddressInfo;
    await new Promise((closed) => free.close(closed));
    expect(await post({ url: `http://127.0.0.1:${port}/` }).run()).toMatchObject(reason('ECONNREFUSED'));
    script = [nothing];
    const slow = { url: `https://${base}/`, connectTimeout: '30ms' };
    expect(await post(slow).run()).toMatchObject(reason('CONNECT_TIMEOUT'));
    script = [(socket) => socket.end('HTTP/1.1 503 Away\r\nConnection: close\r\n\r\n')];
    expect(await post().run()).toMatchObject(reason('UNEXPECTED_STATUS'));
    script = [answer];
    expect(await post({ maxResponseBytes: 1 }).run()).toMatchObject(reason('RESPONSE_TOO_LARGE'));
    const away = (socket: Socket) =>
      socket.end(
        `HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:${port}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
    script = [away];
    expect(await post({ followRedirects: 1 }).run()).toMatchObject(reason('ECONNREFUSED'));
  });

  it('ends nobody knows how when it is stopped on its way, and was not begun when it is stopped before', async () => {
    script = [nothing];
    const waiting = post();
    const ended = waiting.run();
    while (methods().length === 0) await new Promise((turned) => setImmediate(turned));
    waiting.requestStop();
    expect(await ended).toMatchObject({ ...reason('STOPPED'), kind: 'UNKNOWN' });
    const early = post();
    early.requestStop();
    expect(await early.run()).toMatchObject({ ...reason('STOPPED'), kind: 'REJECTED' });
    expect(methods()).toEqual(['POST']);
  });

  it('is told by its method and its key', () => {
    const says = (config: JsonObject): unknown => {
      const checked = http.config.check({ url: 'http://x', ...config });
      return checked.ok && http.isIdempotent!(checked.config);
    };
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
      expect([method, says({ method })]).toEqual([method, true]);
    for (const method of ['POST', 'PATCH', 'MERGE']) expect([method, says({ method })]).toEqual([method, false]);
    expect(says({ method: 'POST', idempotencyKey: true })).toBe(true);
    expect(says({ method: 'POST', headers: { 'idempotency-KEY': 'mine' } })).toBe(true);
  });
});

describe('time runs out', () => {
  it('for the connection, TLS included', async () => {
    script = [nothing];
    const config = { url: `https://${base}/`, connectTimeout: '30ms', reconnect: { max: 0 } };
    expect(await attempt(config).run()).toMatchObject({
      ...reason('CONNECT_TIMEOUT'),
      reason: { remedy: expect.stringContaining('connectTimeout') as unknown },
    });
  });

  it('for the first byte of the answer, and the request is not sent again: it may be at work', async () => {
    script = [nothing];
    expect(await attempt({ answerTimeout: '30ms' }).run()).toMatchObject(reason('ANSWER_TIMEOUT'));
    expect(methods()).toEqual(['GET']);
  });

  it('for the whole call: in an answer that does not end, and between its tries', async () => {
    script = [drip];
    expect(await attempt({ timeout: '30ms', answerTimeout: '1h' }).run()).toMatchObject(reason('TIMEOUT'));
    script = [reset];
    const config = { timeout: '30ms', reconnect: { delay: '1h', maxDelay: '1h' } };
    expect(await attempt(config).run()).toMatchObject(reason('TIMEOUT'));
  });

  it('not for a call that keeps within it', async () => {
    script = [answer];
    const config = { timeout: '1m', connectTimeout: '1m', answerTimeout: '1m' };
    expect(await attempt(config).run()).toMatchObject({ ok: true });
  });
});

describe('a duration', () => {
  it.each(['', '5', '0s', 'soon', '1s2m', '-1s', '2d', '1.5', 5, '90000000000s'])('is none: %p', (timeout) => {
    expect(http.config.check({ url: 'http://x', timeout }).ok).toBe(false);
  });

  it.each([
    ['250ms', 250],
    ['1.5s', 1_500],
    ['1m30s', 90_000],
    ['24h', 86_400_000],
  ])('%s is %d ms', (timeout, ms) => {
    expect(http.config.check({ url: 'http://x', timeout })).toMatchObject({ ok: true, config: { timeout: ms } });
  });
});
