import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { AttemptHarness } from '@gantry/plugin-kit/testing';
import http from '../src/index.ts';

/*
 * Answers as they really come, byte by byte: a service of sockets, for a server of HTTP would not let us send most of
 * them.
 */

/** What is answered to the next request of a path, in pieces that are sent one after the other. */
let answers: Record<string, readonly (Buffer | string)[]> = {};
let seen: string[] = [];
/** The last request, as it came. */
let sent = Buffer.alloc(0);
let server: Server;
let base: string;
let harness: AttemptHarness;

beforeAll(async () => {
  server = createServer(serve);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  harness = new AttemptHarness(http, { allow: ['127.0.0.1'] });
});
afterAll(async () => {
  await harness.close();
  server.close();
});

function serve(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.once('data', (request) => {
    const line = request.toString('latin1').split('\r\n', 1)[0]!;
    seen.push(line);
    sent = request;
    const pieces = answers[line.split(' ')[1]!] ?? ['HTTP/1.1 404 Not Found\r\n\r\n'];
    const send = (at: number): void => {
      if (at === pieces.length) socket.end();
      else socket.write(pieces[at]!, 'latin1', () => setImmediate(send, at + 1));
    };
    send(0);
  });
}

/** An answer with these headers, whose end is that of the connection. */
const head = (...headers: readonly string[]): string =>
  ['HTTP/1.1 200 OK', ...headers, 'Connection: close', '', ''].join('\r\n');
const jsonAnswer = (body: Buffer | string, contentType = 'application/json', ...headers: readonly string[]) => [
  head(`Content-Type: ${contentType}`, ...headers),
  typeof body === 'string' ? Buffer.from(body) : body,
];

async function ask(
  pieces: readonly (Buffer | string)[],
  outputs: JsonObject = {},
  config: JsonObject = {},
): Promise<{ readonly outcome: Outcome; readonly stdout: string; readonly bytes: Buffer }> {
  answers = { ...answers, '/a': pieces };
  const attempt = harness.attempt({ url: `${base}/a`, reconnect: { max: 0 }, outputs, ...config });
  const outcome = await attempt.run();
  return { outcome, stdout: attempt.text, bytes: Buffer.concat(attempt.printed.stdout) };
}
const whole: JsonObject = { v: { jsonPointer: '' } };
const valueOf = ({ outcome }: { readonly outcome: Outcome }) => (outcome.ok ? outcome.outputs['v'] : outcome.reason);
const failed = (code: string, message: string) => ({
  ok: false,
  kind: 'APPLICATION',
  reason: { code, message: expect.stringContaining(message) as unknown },
});

describe('a number of an answer', () => {
  const body = '{"id": 9007199254740993, "n": [1.50, {"big": 1e400}], "name": "x"}';

  it('that would be changed is not handed on, and its place is named', async () => {
    const { outcome } = await ask(jsonAnswer(body), { id: { jsonPointer: '/id' } });
    expect(outcome).toMatchObject(failed('INEXACT_NUMBER', 'id (line 1, column 8): 9007199254740993'));
    expect(outcome.ok ? '' : outcome.reason.remedy).toContain('{ jsonPointer: "/id", as: text }');
    const within = await ask(jsonAnswer(body), { n: { jsonPointer: '/n' } });
    expect(within.outcome).toMatchObject(failed('INEXACT_NUMBER', 'n[1].big (line 1, column 46): 1e400'));
  });

  it('is handed on as it was written, where the task asks for text', async () => {
    const outputs = {
      id: { jsonPointer: '/id', as: 'text' },
      price: { jsonPointer: '/n/0', as: 'text' },
      big: { jsonPointer: '/n/1/big', as: 'text' },
      name: { jsonPointer: '/name', as: 'text' },
    };
    const { outcome } = await ask(jsonAnswer(body), outputs);
    expect(outcome).toEqual({
      ok: true,
      outputs: { status: 200, id: '9007199254740993', price: '1.50', big: '1e400', name: 'x' },
    });
    expect((await ask(jsonAnswer(body), { n: { jsonPointer: '/n', as: 'text' } })).outcome).toMatchObject({
      ok: false,
    });
  });

  it('does no harm where nobody picks it', async () => {
    expect(valueOf(await ask(jsonAnswer(body), { v: { jsonPointer: '/name' } }))).toBe('x');
    expect(valueOf(await ask(jsonAnswer(body), { v: { jsonPointer: '/n/0' } }))).toBe(1.5);
  });

  it('is handed on exactly or refused, whatever the service writes', async () => {
    const number = fc.stringMatching(/^-?(0|[1-9]\d{0,22})(\.\d{1,22})?([eE][-+]?\d{1,3})?$/);
    await fc.assert(
      fc.asyncProperty(number, async (written) => {
        const { outcome } = await ask(jsonAnswer(`{"v":${written}}`), { v: { jsonPointer: '/v' } });
        const text = await ask(jsonAnswer(`{"v":${written}}`), { v: { jsonPointer: '/v', as: 'text' } });
        expect(valueOf(text)).toBe(written);
        if (outcome.ok) expect(Number(JSON.stringify(outcome.outputs['v']))).toBe(Number(written) || 0);
        else expect(outcome.reason.code).toBe('INEXACT_NUMBER');
      }),
      { numRuns: 60 },
    );
  });

  it('that is a key twice in one object is not handed on either', async () => {
    const { outcome } = await ask(jsonAnswer('{"a":1,"a":2,"b":3}'), { a: { jsonPointer: '/a' } });
    expect(outcome).toMatchObject(failed('DUPLICATE_KEY', '“a” is written twice'));
    expect(valueOf(await ask(jsonAnswer('{"a":1,"a":2,"b":3}'), { v: { jsonPointer: '/b' } }))).toBe(3);
  });

  it('names its job as it was written, and equals none that it is not', async () => {
    seen = [];
    answers = {
      '/jobs/9007199254740993': jsonAnswer('{"state":9007199254740993,"done":true}'),
    };
    const poll = {
      url: '/jobs/{/id}',
      interval: '50ms',
      until: [
        { jsonPointer: '/state', equals: 9007199254740992 },
        { jsonPointer: '/done', equals: true },
      ],
      failWhen: { jsonPointer: '/state', equals: 9007199254740992 },
    };
    const { outcome } = await ask(jsonAnswer('{"id":9007199254740993}'), {}, { method: 'POST', poll });
    expect(outcome).toMatchObject({ ok: true });
    expect(seen).toContain('GET /jobs/9007199254740993 HTTP/1.1');
  });
});

describe('the charset of an answer', () => {
  const UTF16 = Buffer.from('\uFEFF{"v":"é"}', 'utf16le');
  it.each([
    ['the one that is named', 'application/json; charset=ISO-8859-1', Buffer.from('{"v":"é"}', 'latin1')],
    ['in quotes and capitals', 'Application/JSON; a=b; Charset="Latin1"', Buffer.from('{"v":"é"}', 'latin1')],
    ['UTF-8 when none is named', 'application/problem+json', Buffer.from('{"v":"é"}')],
    ['that of a byte order mark of UTF-8', 'application/json', Buffer.from('\uFEFF{"v":"é"}')],
    ['that of a mark, whatever is named', 'application/json; charset=latin1', Buffer.from('\uFEFF{"v":"é"}')],
    ['that of a mark of UTF-16', 'application/json', UTF16],
    ['that of a mark of UTF-16, big endian', 'application/json', Buffer.from(UTF16).swap16()],
  ])('is %s', async (_, contentType, body) => {
    const { outcome, stdout } = await ask(jsonAnswer(body, contentType), { v: { jsonPointer: '/v' } });
    expect(outcome).toMatchObject({ ok: true, outputs: { v: 'é' } });
    expect(stdout).toBe('{"v":"é"}');
  });

  it('may be one of several bytes, and a piece may end within a character', async () => {
    const sjis = Buffer.from([0x83, 0x65, 0x83, 0x58, 0x83, 0x67]);
    const pieces = [head('Content-Type: text/plain; charset=Shift_JIS'), ...[...sjis].map((byte) => Buffer.of(byte))];
    expect((await ask(pieces)).stdout).toBe('テスト');
    const mark = [...Buffer.from('\uFEFFé€')].map((byte) => Buffer.of(byte));
    expect((await ask([head('Content-Type: text/plain'), ...mark])).bytes).toEqual(Buffer.from('é€'));
  });

  it('that nobody knows fails the task where it is read, and only there', async () => {
    const pieces = jsonAnswer('{"v":1}', 'application/json; charset=klingon');
    expect((await ask(pieces, whole)).outcome).toMatchObject(failed('RESPONSE_NOT_JSON', 'charset “klingon”'));
    expect((await ask(pieces)).outcome).toMatchObject({ ok: true });
  });

  it('is not guessed for bytes that are none of it: refused as a value, replaced in a log', async () => {
    const pieces = jsonAnswer(Buffer.from('{\n"v":"é"}', 'latin1'));
    expect((await ask(pieces, whole)).outcome).toMatchObject(failed('RESPONSE_NOT_JSON', 'Line 2'));
    const { outcome, bytes } = await ask(pieces);
    expect(outcome).toMatchObject({ ok: true });
    expect(bytes.toString()).toBe('{\n"v":"\uFFFD"}');
  });

  it('of an answer that was not expected is heeded in its failure, which ends with a whole character', async () => {
    const body = Buffer.from('é'.repeat(299) + '😀', 'utf16le');
    const start =
      'HTTP/1.1 500 Vers\xc3\xa9\r\nContent-Type: text/plain; charset=utf-16le\r\nConnection: close\r\n\r\n';
    const { outcome } = await ask([start, body]);
    const message = outcome.ok ? '' : outcome.reason.message;
    expect(message).toBe(`The answer was 500 Versé: ${'é'.repeat(299)}`);
  });

  it('of a body that a task sends is UTF-8, and cannot be said to be another', () => {
    const config = (charset: string, body: string) =>
      http.config.check({
        url: base,
        method: 'POST',
        headers: { 'Content-Type': `text/plain; charset=${charset}` },
        body,
      });
    expect(config('latin1', 'é')).toMatchObject({ ok: false, problems: [{ path: ['headers'] }] });
    expect(config('latin1', 'e').ok).toBe(true);
    expect(config('UTF-8', 'é').ok).toBe(true);
  });
});

describe('the encoding of an answer', () => {
  const text = JSON.stringify({ v: 'é'.repeat(5_000) });
  it.each([
    ['gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['deflate, identity, gzip', gzipSync(deflateRawSync(text))],
    ['identity', Buffer.from(text)],
  ])('is undone though nobody asked for it: %s', async (encoding, body) => {
    const pieces = [
      head('Content-Type: application/json', `Content-Encoding: ${encoding}`),
      body.subarray(0, 1),
      body.subarray(1),
    ];
    const { outcome, stdout } = await ask(pieces, { v: { jsonPointer: '/v' } });
    expect(outcome).toMatchObject({ ok: true, outputs: { v: 'é'.repeat(5_000) } });
    expect(stdout).toBe(text);
  });

  it('may be named where there is no body', async () => {
    expect((await ask([head('Content-Encoding: gzip')], { v: { header: 'content-encoding' } })).outcome).toMatchObject({
      ok: true,
      outputs: { v: 'gzip' },
    });
  });

  it('that nobody knows fails the task where the body is read, and only there', async () => {
    const pieces = jsonAnswer('whatever', 'application/json', 'Content-Encoding: aws-chunked');
    expect((await ask(pieces, whole)).outcome).toMatchObject(failed('UNKNOWN_ENCODING', '“aws-chunked”'));
    expect(await ask(pieces)).toMatchObject({ outcome: { ok: true }, stdout: '' });
    const many = jsonAnswer('x', 'application/json', `Content-Encoding: ${Array(4).fill('gzip').join(', ')}`);
    expect((await ask(many, whole)).outcome).toMatchObject(failed('UNKNOWN_ENCODING', 'gzip, gzip'));
  });

  it.each([
    ['is none', Buffer.from('{"v":1}')],
    ['is cut off', gzipSync(text).subarray(0, 40)],
    ['is damaged', Buffer.concat([gzipSync(text).subarray(0, -8), Buffer.alloc(8)])],
  ])('that %s fails the task', async (_, body) => {
    const { outcome } = await ask(jsonAnswer(body, 'application/json', 'Content-Encoding: gzip'), whole);
    expect(outcome).toMatchObject(failed('BROKEN_ENCODING', 'Content-Encoding'));
  });

  it('does not hide the status of an answer that was not expected', async () => {
    const start =
      'HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n';
    expect((await ask([start, gzipSync('come later')])).outcome).toMatchObject(
      failed('UNEXPECTED_STATUS', '503 Busy: come later'),
    );
    expect((await ask([start, 'no gzip'])).outcome).toMatchObject(failed('UNEXPECTED_STATUS', '503 Busy'));
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(200 << 20))],
    ['br', brotliCompressSync(Buffer.alloc(64 << 20))],
    ['gzip, gzip', gzipSync(gzipSync(Buffer.alloc(200 << 20)))],
  ])('makes no short answer a long one: a bomb of %s ends at maxResponseBytes', async (encoding, bomb) => {
    const before = process.memoryUsage().arrayBuffers;
    const pieces = jsonAnswer(bomb, 'text/plain', `Content-Encoding: ${encoding}`);
    const { outcome, bytes } = await ask(pieces, whole, { maxResponseBytes: 100_000 });
    expect(outcome).toMatchObject(failed('RESPONSE_TOO_LARGE', '100000'));
    expect(bytes.length).toBeLessThanOrEqual(100_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 << 20);
  });
});

describe('a header of an answer', () => {
  it.each([
    ['UTF-8', '/caf\xc3\xa9?q=\xe2\x82\xac', '/caf%C3%A9?q=%E2%82%AC'],
    ['Latin-1', '/caf\xe9', '/caf%E9'],
    ['relative', 'b\xc3\xa9', '/b%C3%A9'],
  ])('Location may be raw %s, and is followed to where it leads', async (_, location, path) => {
    seen = [];
    answers = { [path]: jsonAnswer('{"v":"there"}') };
    const start = `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
    const { outcome } = await ask([start], { v: { jsonPointer: '/v' } }, { followRedirects: 1 });
    expect(outcome).toMatchObject({ ok: true, outputs: { v: 'there' } });
    expect(seen.at(-1)).toBe(`GET ${path} HTTP/1.1`);
  });

  it('Location may be raw where a job is asked for, too', async () => {
    seen = [];
    answers = { '/caf%C3%A9/7': jsonAnswer('{"done":true}') };
    const poll = { url: { header: 'Location' }, interval: '50ms', until: { jsonPointer: '/done', equals: true } };
    const { outcome } = await ask([head('Location: /caf\xc3\xa9/7')], {}, { method: 'POST', poll });
    expect(outcome).toMatchObject({ ok: true });
    expect(seen.at(-1)).toBe('GET /caf%C3%A9/7 HTTP/1.1');
  });

  it('of a request is sent as UTF-8, whatever it holds', async () => {
    const { outcome } = await ask([head()], {}, { headers: { 'X-Name': 'Zoë 5 €', 'X-Plain': 'a' } });
    expect(outcome).toMatchObject({ ok: true });
    expect(sent.toString()).toContain('x-name: Zoë 5 €\r\nx-plain: a\r\n');
  });

  it('is handed on as text: UTF-8 where it is, otherwise Latin-1; of several of one name, a list', async () => {
    const pieces = [head('X-A: caf\xc3\xa9', 'X-B: caf\xe9', 'Set-Cookie: a=\xc3\xa9', 'Set-Cookie: b=2')];
    const outputs = { a: { header: 'x-a' }, b: { header: 'X-B' }, c: { header: 'Set-Cookie' } };
    expect((await ask(pieces, outputs)).outcome).toMatchObject({
      ok: true,
      outputs: { a: 'café', b: 'café', c: ['a=é', 'b=2'] },
    });
  });
});
