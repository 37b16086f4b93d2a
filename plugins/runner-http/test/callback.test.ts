import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json, JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { AttemptHarness, type TestAttempt } from '@gantry/plugin-kit/testing';
import { CallbackKey } from '../src/callback-key.ts';
import http from '../src/index.ts';
import { JobService, json } from './job-service.ts';

let service: JobService;
let harness: AttemptHarness;
let base: string;
beforeAll(async () => {
  service = await new JobService().listen();
  const listen = `127.0.0.1:${await freePort()}`;
  base = `http://${listen}/hooks`;
  harness = new AttemptHarness(http, { allow: ['127.0.0.0/8'], callback: { listen, url: base } });
});
afterEach(() => http.close!());
afterAll(async () => {
  await harness.close();
  service.close();
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await once(probe.listen(0, '127.0.0.1'), 'listening');
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), 'close');
  return port;
}

function job(config: JsonObject = {}, id?: string): TestAttempt {
  const whole = { url: `${service.url}/jobs`, method: 'POST', json: { n: 1 }, callback: {}, ...config };
  return harness.attempt(whole, id === undefined ? {} : { id });
}

/** Begins a job; resolves when its agent waits for the call, with where that is to go. */
async function begun(attempt: TestAttempt): Promise<{ ended: Promise<Outcome>; url: string }> {
  const submitted = service.untilAsked('POST /jobs');
  const ended = attempt.run();
  const { headers } = await submitted;
  while (attempt.checkpoints.length < 2) await new Promise((resolve) => setImmediate(resolve));
  return { ended, url: headers['gantry-callback'] as string };
}

async function call(url: string, body: Json | string = { rows: 3 }, init: RequestInit = {}): Promise<number> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: text, ...init });
  await answer.arrayBuffer();
  return answer.status;
}
const accepted = json({ id: 7 }, 202);
const reason = (code: string) => ({ ok: false, reason: { code } });

describe('a job that calls back', () => {
  it('ends with its call; the outputs are of it, or of the answer to the request', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const outputs = { rows: { jsonPointer: '/rows' }, id: { jsonPointer: '/id', from: 'request' } };
    const { ended, url } = await begun(job({ outputs }));
    expect(url.startsWith(`${base}/`)).toBe(true);
    expect(await call(url)).toBe(204);
    expect(await ended).toEqual({ ok: true, outputs: { status: 202, rows: 3, id: 7 } });
  });

  it('is told where to call in a header, and wherever the task wants it', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const attempt = job({ headers: { 'X-Notify': '${callback}' }, json: { hooks: [{ url: '${callback}' }], n: 1 } });
    const { ended, url } = await begun(attempt);
    expect(service.seen[0]!.headers).toMatchObject({ 'x-notify': url });
    expect(JSON.parse(service.seen[0]!.body)).toEqual({ hooks: [{ url }], n: 1 });
    expect(JSON.stringify(attempt.checkpoints)).not.toContain(url.split('/').at(-1)!);
    await call(url);
    expect(await ended).toMatchObject({ ok: true });
  });

  it('may call before its service has answered the request, and even if that answer is lost', async () => {
    const called: Promise<number>[] = [];
    const callFirst = (then: (response: ServerResponse) => void) => [
      (response: ServerResponse) => {
        called.push(call(response.req.headers['gantry-callback'] as string));
        void called.at(-1)!.then(() => then(response));
      },
    ];
    service.answers({ 'POST /jobs': callFirst(accepted) });
    const outputs = { id: { jsonPointer: '/id', from: 'request' } };
    expect(await job({ outputs }).run()).toMatchObject({ ok: true, outputs: { id: 7, status: 202 } });
    service.answers({ 'POST /jobs': callFirst((response) => response.socket!.destroy()) });
    expect(await job().run()).toEqual({ ok: true, outputs: {} });
    service.answers({ 'POST /jobs': callFirst((response) => response.socket!.destroy()) });
    expect(await job({ outputs }).run()).toMatchObject(reason('OUTPUT_MISSING'));
    expect(await Promise.all(called)).toEqual([204, 204, 204]);
  });

  it('is understood in the charset and encoding in which it calls', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const { ended, url } = await begun(job({ outputs: { rows: { jsonPointer: '/rows' } } }));
    const said = (bytes: Buffer, encoding: string): RequestInit => ({
      headers: { 'content-type': 'Application/JSON; charset=ISO-8859-1', 'content-encoding': encoding },
      body: new Uint8Array(bytes),
    });
    const latin = Buffer.from('{"rows":"é"}', 'latin1');
    expect(await call(url, '', said(latin, 'klingon'))).toBe(415);
    expect(await call(url, '', said(latin, 'gzip'))).toBe(400);
    expect(await call(url, '', said(gzipSync(Buffer.alloc(1 << 20, ' ')), 'gzip'))).toBe(413);
    expect(await call(url, '', said(gzipSync(latin), 'gzip'))).toBe(204);
    expect(await ended).toMatchObject({ ok: true, outputs: { rows: 'é' } });
  });

  it('hands on no number that would be changed', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const { ended, url } = await begun(job({ outputs: { rows: { jsonPointer: '/rows' } } }));
    expect(await call(url, '{"rows":9007199254740993}')).toBe(204);
    expect(await ended).toMatchObject(reason('INEXACT_NUMBER'));
  });

  it('fails when its call says so', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const callback = { failWhen: { jsonPointer: '/error', exists: true } };
    const { ended, url } = await begun(job({ callback }));
    expect(await call(url, { error: 'no disk' })).toBe(204);
    expect(await ended).toMatchObject({
      ...reason('JOB_FAILED'),
      reason: { message: expect.stringContaining('no disk') as unknown },
    });
  });

  it('fails when nobody calls in time, and is cancelled', async () => {
    service.answers({ 'POST /jobs': [accepted], 'DELETE /jobs/7': [json(null)] });
    const attempt = job({ callback: { timeout: '1s' }, cancel: { url: '/jobs/{/id}' } });
    const { ended, url } = await begun(attempt);
    expect(await ended).toMatchObject({
      ...reason('CALLBACK_TIMEOUT'),
      reason: { message: expect.stringContaining('the job was cancelled') as unknown },
    });
    expect(service.asked).toEqual(['POST /jobs', 'DELETE /jobs/7']);
    expect(await call(url)).toBe(410);
  });

  it('is cancelled when its attempt is stopped, and calls in vain then', async () => {
    service.answers({ 'POST /jobs': [accepted], 'DELETE /jobs/7': [json(null)] });
    const attempt = job({ cancel: { url: '/jobs/{/id}' } });
    const { ended, url } = await begun(attempt);
    attempt.requestStop();
    expect(await ended).toMatchObject(reason('STOPPED'));
    expect(service.asked).toContain('DELETE /jobs/7');
    expect(await call(url)).toBe(410);
  });

  it('is not begun on a node without a port for it', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const closed = new AttemptHarness(http, { allow: ['127.0.0.0/8'] });
    const attempt = closed.attempt({ url: `${service.url}/jobs`, method: 'POST', callback: {} });
    expect(await attempt.run()).toMatchObject(reason('CALLBACKS_OFF'));
    expect(service.asked).toEqual([]);
    expect(await http.detect!(new AbortController().signal, closed.node)).toMatchObject({
      attributes: { callbacks: 'off' },
    });
    await closed.close();
  });

  it('is not begun where the port is taken, which is the node’s fault', async () => {
    const { port } = new URL(service.url);
    const taken = new AttemptHarness(http, { callback: { listen: `127.0.0.1:${port}`, url: service.url } });
    expect(await taken.attempt({ url: 'http://example.com/', callback: {} }).run()).toMatchObject({
      ok: false,
      kind: 'REJECTED',
      reason: { code: 'BAD_SETTINGS', message: expect.stringContaining('EADDRINUSE') as unknown },
    });
    await taken.close();
  });
});

describe('the port for callbacks', () => {
  it('lets in nobody without the token of an attempt that waits, and each only once', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const [one, two] = [await begun(job()), await begun(job())];
    const [path, token] = [one.url.slice(0, one.url.lastIndexOf('.')), one.url.slice(one.url.lastIndexOf('.') + 1)];
    const expiry = Number(path.slice(path.lastIndexOf('/') + 1));
    const wrong = token.startsWith('A') ? `B${token.slice(1)}` : `A${token.slice(1)}`;
    const forged = [
      `${path}.${wrong}`,
      `${path}.${token.slice(1)}`,
      path,
      one.url.replace(String(expiry), String(expiry + 3_600)),
      two.url.replace(/[^.]*$/, token),
      `${base}/${'x'.repeat(5_000)}`,
      `${base}/%ff/1.${token}`,
      base,
    ];
    for (const url of forged) expect([url, await call(url)]).toEqual([url, 404]);
    const statuses = await Promise.all([call(one.url), call(one.url), call(one.url)]);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => status === 410)).toHaveLength(2);
    expect(await one.ended).toMatchObject({ ok: true });
    expect(await call(one.url)).toBe(410);
    expect(await call(two.url)).toBe(204);
    expect(await two.ended).toMatchObject({ ok: true });
  });

  it('takes only what is a callback, and waits on when it was none', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const { ended, url } = await begun(job({ outputs: { rows: { jsonPointer: '/rows' } } }));
    expect(await call(url, '', { method: 'GET', body: null })).toBe(405);
    expect(await call(url, 'rows=3', { headers: { 'content-type': 'application/x-www-form-urlencoded' } })).toBe(415);
    expect(await call(url, '{"rows":')).toBe(400);
    expect(await call(url, JSON.stringify('x'.repeat(40_000)))).toBe(413);
    const endless = new ReadableStream<Uint8Array>({ pull: (pipe) => pipe.enqueue(Buffer.alloc(8_192, ' ')) });
    const streamed = { body: endless, duplex: 'half' } as RequestInit;
    expect(await call(url, '', streamed).catch(() => 413)).toBe(413);
    expect(await call(url, { rows: 3 }, { headers: { 'content-type': 'application/cloudevents+json' } })).toBe(204);
    expect(await ended).toMatchObject({ ok: true, outputs: { rows: 3 } });
  });

  it('keeps its key to itself, and uses it again', async () => {
    const file = join(harness.node.stateDirectory, 'callback-key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file)).toHaveLength(32);
    const token = new CallbackKey(harness.node.stateDirectory).sign('run.1.1', 1_000);
    const after = new CallbackKey(harness.node.stateDirectory);
    expect(after.isSigned('run.1.1', 1_000, token)).toBe(true);
    expect(after.isSigned('run.1.2', 1_000, token) || after.isSigned('run.1.1', 1_001, token)).toBe(false);
    const spoilt = new AttemptHarness(http, { callback: { listen: '127.0.0.1:1', url: base } });
    writeFileSync(join(spoilt.node.stateDirectory, 'callback-key'), 'short');
    expect(await spoilt.attempt({ url: 'http://example.com/', callback: {} }).run()).toMatchObject({
      ok: false,
      kind: 'REJECTED',
      reason: { message: expect.stringContaining('remove it') as unknown },
    });
    await spoilt.close();
  });

  it.each<JsonObject>([
    { listen: '4080', url: 'http://x/' },
    { listen: '127.0.0.1:0', url: 'http://x/' },
    { listen: '127.0.0.1:70000', url: 'http://x/' },
    { listen: '127.0.0.1:4080', url: 'ftp://x/' },
    { listen: '127.0.0.1:4080', url: 'http://x/?a=1' },
    { listen: '127.0.0.1:4080', url: 'http://x/', keyFile: '/key' },
  ])('is not opened by settings that are wrong, and the node says so: %j', async (callback) => {
    const wrong = new AttemptHarness(http, { callback });
    expect(await http.detect!(new AbortController().signal, wrong.node)).toMatchObject({
      health: 'UNHEALTHY',
      reason: { message: expect.stringContaining('runners.http.callback') as unknown },
    });
    await wrong.close();
  });
});

describe('a job that calls back when its agent was restarted', () => {
  it('is told to come again until its attempt is found, and ends it then; nothing is submitted again', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const config = { outputs: { id: { jsonPointer: '/id', from: 'request' } } };
    const first = job(config, 'run.1.1');
    const { url } = await begun(first);
    await http.close!();
    await expect(call(url)).rejects.toThrow();
    // Another attempt has opened the port again; that of the job is not found yet.
    const other = await begun(job());
    expect(await call(url)).toBe(503);
    const again = job(config, 'run.1.1').reattach(first.checkpoints.at(-1)!);
    let status = 503;
    while (status === 503) status = await call(url);
    expect(status).toBe(204);
    expect(await again).toEqual({ ok: true, outputs: { status: 202, id: 7 } });
    expect(service.asked).toEqual(['POST /jobs', 'POST /jobs']);
    await call(other.url);
    await other.ended;
  });

  it('has ended when its call was durable', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const first = job({ outputs: { rows: { jsonPointer: '/rows' } } }, 'run.2.1');
    const { ended, url } = await begun(first);
    expect(await call(url)).toBe(204);
    const outcome = await ended;
    expect(first.checkpoints.at(-1)).toMatchObject({ phase: 'CALLED' });
    expect(await job({}, 'run.2.1').reattach(first.checkpoints.at(-1)!)).toEqual(outcome);
  });

  it('is waited for even if nobody knows whether it was begun', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const first = job({}, 'run.3.1');
    const { url } = await begun(first);
    await http.close!();
    const again = job({}, 'run.3.1').reattach(first.checkpoints[0]!);
    let status = 0;
    while (status !== 204) status = await call(url).catch(() => 0);
    expect(await again).toEqual({ ok: true, outputs: {} });
    expect(service.asked).toEqual(['POST /jobs']);
  });

  it('may call again when its call could not be kept', async () => {
    service.answers({ 'POST /jobs': [accepted] });
    const attempt = job();
    const { ended, url } = await begun(attempt);
    const { checkpoint } = attempt;
    attempt.checkpoint = () => Promise.reject(new Error('the disk is full'));
    expect(await call(url)).toBe(503);
    attempt.checkpoint = checkpoint;
    expect(await call(url)).toBe(204);
    expect(await ended).toMatchObject({ ok: true });
  });
});
