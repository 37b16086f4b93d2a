import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { AttemptHarness } from '@gantry/plugin-kit/testing';
import http from '../src/index.ts';

let server: Server;
let base: string;
let seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];

/** Connections that have had their answer of `/once`. */
const served = new WeakSet<object>();

const answers: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/json': (_, response) =>
    response
      .setHeader('content-type', 'application/json')
      .setHeader('x-kind', 'good')
      .end('{"items":[{"id":7}],"a/b":"slash"}'),
  '/missing': (_, response) => response.writeHead(404, { 'content-type': 'text/plain' }).end('there is nothing here'),
  '/huge': (_, response) => response.setHeader('content-type', 'text/plain').end('x'.repeat(200_000)),
  '/away': (_, response) => response.writeHead(302, { location: '/json' }).end(),
  '/loop': (_, response) => response.writeHead(302, { location: '/loop' }).end(),
  '/elsewhere': (_, response) =>
    response.writeHead(307, { location: `http://localhost:${new URL(base).port}/json` }).end(),
  '/inward': (_, response) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
  '/hang': () => undefined,
  '/cut': (_, response) => response.socket?.destroy(),
  '/break': (_, response) =>
    response.writeHead(200, { 'content-length': '1000' }).write('half', () => response.socket?.destroy()),
  '/upgrade': (_, response) =>
    response.socket!.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  '/endless-redirect': (_, response) => {
    response.writeHead(302, { location: '/json' });
    response.on('drain', () => response.write('x'.repeat(65_536)));
    response.write('x'.repeat(65_536));
  },
  '/once': (request, response) => {
    // As a server does that closes an idle connection just when the next request is on its way.
    if (served.has(request.socket)) return request.socket.destroy();
    served.add(request.socket);
    response.end();
  },
};

beforeAll(async () => {
  server = createServer((request, response) => {
    void text(request).then((body) => {
      seen.push({ method: request.method!, url: request.url!, headers: request.headers, body });
      answers[request.url!.split('?')[0]!]?.(request, response);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  for (const harness of harnesses.values()) await harness.close();
  server.closeAllConnections();
  server.close();
});

/** One node for each list: as an agent hands the same one to every attempt. */
const harnesses = new Map<string, AttemptHarness>();
function nodeThatAllows(allow: readonly string[]): AttemptHarness {
  const key = allow.join();
  const harness = harnesses.get(key) ?? new AttemptHarness(http, { allow });
  harnesses.set(key, harness);
  return harness;
}

async function request(
  config: JsonObject,
  options: { allow?: string[]; stop?: AbortSignal } = {},
): Promise<{ outcome: Outcome; stdout: string; stderr: string }> {
  seen = [];
  const attempt = nodeThatAllows(options.allow ?? ['127.0.0.1']).attempt(
    { reconnect: { max: 0 }, ...config },
    { id: 'run.0.2' },
  );
  options.stop?.addEventListener('abort', () => attempt.requestStop());
  const outcome = await attempt.run();
  return { outcome, stdout: attempt.text, stderr: Buffer.concat(attempt.printed.stderr).toString() };
}

describe('an http task', () => {
  it('hands on its status and what its outputs name, and prints a text answer', async () => {
    const { outcome, stdout } = await request({
      url: `${base}/json`,
      outputs: { id: { jsonPointer: '/items/0/id' }, slash: { jsonPointer: '/a~1b' }, kind: { header: 'X-Kind' } },
    });
    expect(outcome).toEqual({ ok: true, outputs: { status: 200, id: 7, slash: 'slash', kind: 'good' } });
    expect(stdout).toContain('"items"');
  });

  it('sends method, headers, query and JSON, and the same idempotency key for every try', async () => {
    await request({
      url: `${base}/json?a=1`,
      method: 'POST',
      headers: { Authorization: 'Bearer x' },
      query: { b: 2 },
      json: { n: 1 },
    });
    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '/json?a=1&b=2',
        body: '{"n":1}',
        headers: { authorization: 'Bearer x', 'content-type': 'application/json', 'idempotency-key': 'run.0' },
      },
    ]);
  });

  it('sends a form', async () => {
    await request({ url: `${base}/json`, method: 'PUT', form: { q: 'a b&c' } });
    expect(seen[0]).toMatchObject({
      body: 'q=a+b%26c',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  });

  it('fails on a status that was not expected, with what the answer said', async () => {
    const { outcome } = await request({ url: `${base}/missing` });
    expect(outcome).toMatchObject({
      ok: false,
      kind: 'APPLICATION',
      reason: { code: 'UNEXPECTED_STATUS', message: expect.stringContaining('404') as unknown },
    });
    expect((await request({ url: `${base}/missing`, expect: [200, '4xx'] })).outcome).toMatchObject({ ok: true });
  });

  it('fails when the answer lacks an output, and names it', async () => {
    const { outcome } = await request({ url: `${base}/json`, outputs: { nothing: { jsonPointer: '/items/9/id' } } });
    expect(outcome).toMatchObject({
      reason: { code: 'OUTPUT_MISSING', message: expect.stringContaining('/items/9/id') as unknown },
    });
  });

  it('gives up an answer that is too large', async () => {
    expect((await request({ url: `${base}/huge`, maxResponseBytes: 1_000 })).outcome).toMatchObject({
      reason: { code: 'RESPONSE_TOO_LARGE' },
    });
  });

  it('follows redirects as often as it may', async () => {
    expect((await request({ url: `${base}/away` })).outcome).toMatchObject({ reason: { code: 'UNEXPECTED_STATUS' } });
    expect((await request({ url: `${base}/away`, followRedirects: 1 })).outcome).toMatchObject({ ok: true });
    expect((await request({ url: `${base}/loop`, followRedirects: 3 })).outcome).toMatchObject({
      reason: { code: 'TOO_MANY_REDIRECTS' },
    });
  });

  it('keeps its own headers to itself when it is redirected to another origin', async () => {
    const headers = { Authorization: 'Bearer x', 'X-Api-Key': 'secret', Accept: 'application/json' };
    const config = { url: `${base}/elsewhere`, method: 'PUT', headers, json: { n: 1 }, followRedirects: 1 };
    expect((await request(config, { allow: ['127.0.0.1', '::1'] })).outcome).toMatchObject({ ok: true });
    expect(seen[0]!.headers).toMatchObject({ authorization: 'Bearer x', 'x-api-key': 'secret' });
    expect(seen[1]).toMatchObject({
      method: 'PUT',
      body: '{"n":1}',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        host: expect.stringMatching('localhost'),
      },
    });
    for (const name of ['authorization', 'x-api-key']) expect(seen[1]!.headers).not.toHaveProperty(name);
  });

  it.each<[string, JsonObject]>([
    ['headers.Content-Length', { headers: { 'Content-Length': '5' } }],
    ['headers.transfer-encoding', { headers: { 'transfer-encoding': 'chunked' } }],
    ['headers.a b', { headers: { 'a b': 'c' } }],
    ['method', { method: 'CONNECT' }],
    ['json', { body: 'text', json: 1 }],
  ])('may not spoil the connection that others share, nor contradict itself: %s', (path, config) => {
    const checked = http.config.check({ url: base, ...config });
    expect(checked.ok || checked.problems.map((problem) => problem.path.join('.'))).toEqual([path]);
  });

  it('is kept from private addresses, also behind a redirect and by name', async () => {
    const refused = {
      ok: false,
      reason: { code: 'ADDRESS_NOT_ALLOWED', remedy: expect.stringContaining('GANTRY_HTTP_ALLOW') as unknown },
    };
    expect((await request({ url: `${base}/json` }, { allow: [] })).outcome).toMatchObject(refused);
    expect((await request({ url: `${base}/inward`, followRedirects: 1 })).outcome).toMatchObject(refused);
    expect(
      (await request({ url: `http://localhost:${new URL(base).port}/json` }, { allow: [] })).outcome,
    ).toMatchObject(refused);
    expect(seen).toEqual([]);
  });

  it('tells what the network said', async () => {
    expect((await request({ url: `${base}/cut` })).outcome).toMatchObject({
      ok: false,
      kind: 'APPLICATION',
      reason: { code: 'ECONNRESET' },
    });
    expect((await request({ url: 'http://127.0.0.1:1/' })).outcome).toMatchObject({ reason: { code: 'ECONNREFUSED' } });
    expect((await request({ url: 'ftp://example.com/' })).outcome).toMatchObject({ reason: { code: 'BAD_URL' } });
  });

  it('tells an answer that breaks off, or that is none', async () => {
    expect((await request({ url: `${base}/break` })).outcome).toMatchObject({ reason: { code: 'ECONNRESET' } });
    expect((await request({ url: `${base}/upgrade` })).outcome).toMatchObject({ ok: false });
    expect((await request({ url: `${base}/json`, headers: { 'x-bad': 'a\nb' } })).outcome).toMatchObject({
      ok: false,
      reason: { code: 'ERR_INVALID_CHAR' },
    });
  });

  it('does not read on where it was redirected from', async () => {
    expect((await request({ url: `${base}/endless-redirect`, followRedirects: 1 })).outcome).toMatchObject({
      ok: true,
    });
  });

  it('asks once more when a kept connection was closed meanwhile, but does no work twice', async () => {
    expect((await request({ url: `${base}/once` })).outcome).toMatchObject({ ok: true });
    expect((await request({ url: `${base}/once` })).outcome).toMatchObject({ ok: true });
    expect((await request({ url: `${base}/once`, method: 'POST' })).outcome).toMatchObject({
      ok: false,
      reason: { code: 'ECONNRESET' },
    });
  });

  it('shows no header’s value, nor what follows the path of a URL, with whatever it fails', async () => {
    const headers = { authorization: 'Bearer hidden' };
    const configs = [
      { url: `${base}/missing?token=hidden`, headers },
      { url: `${base}/loop?token=hidden`, headers, followRedirects: 1 },
      { url: 'http://127.0.0.1:1/?token=hidden', headers, reconnect: { max: 1, delay: '1ms' } },
      { url: 'http://[?token=hidden', headers },
      { url: `${base}/hang`, headers: { authorization: 'hidden\nhidden' } },
    ];
    for (const config of configs) {
      const { outcome, stderr } = await request(config);
      expect(outcome.ok).toBe(false);
      expect(JSON.stringify(outcome) + stderr).not.toContain('hidden');
    }
  });

  it('ends when it is stopped', async () => {
    const stop = new AbortController();
    const ended = request({ url: `${base}/hang` }, { stop: stop.signal });
    await once(server, 'request');
    stop.abort('CANCELLED');
    expect((await ended).outcome).toMatchObject({ reason: { code: 'STOPPED' } });
  });
});
