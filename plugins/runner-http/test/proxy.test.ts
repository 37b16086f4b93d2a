import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, createServer as createPort, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { AttemptHarness } from '@gantry/plugin-kit/testing';
import http from '../src/index.ts';
import { NoProxy } from '../src/proxy.ts';
import { Authority } from './certificates.ts';
import { ProxyUnderTest } from './proxy-under-test.ts';

const folder = mkdtempSync(join(tmpdir(), 'gantry-proxy-'));
const authority = new Authority(folder, 'authority');
const headers: Record<string, unknown>[] = [];
let plain: Server;
let secure: Server;
let proxy: ProxyUnderTest;
const harnesses: AttemptHarness[] = [];

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
const codeOf = (outcome: Outcome): string => (outcome.ok ? 'ok' : `${outcome.kind} ${outcome.reason.code}`);

beforeAll(async () => {
  const signed = authority.sign('local', 'IP:127.0.0.1,DNS:localhost,DNS:inside.test');
  plain = createServer((asked, answer) => {
    headers.push(asked.headers);
    if (asked.url === '/away') return void answer.writeHead(307, { location: `http://10.1.2.3/` }).end();
    answer.setHeader('content-type', 'text/plain');
    answer.end(`plain ${asked.url} for ${asked.headers.host}`);
  });
  secure = createSecureServer({ cert: signed.certificate, key: signed.key }, (asked, answer) => {
    headers.push(asked.headers);
    answer.setHeader('content-type', 'text/plain');
    answer.end(`secure ${asked.url}`);
  }) as never;
  await Promise.all([plain, secure].map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
});
afterAll(() => {
  for (const server of [plain, secure]) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  proxy = new ProxyUnderTest();
  await proxy.start();
  headers.length = 0;
});
afterEach(async () => {
  for (const harness of harnesses.splice(0)) await harness.close();
  proxy.stop();
});

/** A request of a node with these settings. */
async function run(config: JsonObject, settings: JsonObject) {
  const harness = new AttemptHarness(http as never, { allow: ['127.0.0.1', '::1'], ...settings });
  harnesses.push(harness);
  const attempt = harness.attempt({ reconnect: { max: 0 }, ...config });
  return { outcome: await attempt.run(), text: attempt.text };
}
const tls = { ca: authority.certificate };

describe('a node with a proxy', () => {
  it('sends http through it whole, and https through a tunnel in which it sees nothing', async () => {
    const settings = { proxy: `http://${proxy.host}` };
    const one = await run({ url: `http://127.0.0.1:${portOf(plain)}/a?b=c` }, settings);
    expect(one.text).toBe(`plain /a?b=c for 127.0.0.1:${portOf(plain)}`);
    const two = await run({ url: `https://localhost:${portOf(secure)}/d?e=f`, tls }, settings);
    expect([codeOf(two.outcome), two.text]).toEqual(['ok', 'secure /d?e=f']);
    expect(proxy.asked).toEqual([`GET http://127.0.0.1:${portOf(plain)}/a?b=c`, `CONNECT localhost:${portOf(secure)}`]);
  });

  it('keeps its tunnels for further requests', async () => {
    const harness = new AttemptHarness(http as never, { allow: ['127.0.0.1'], proxy: `http://${proxy.host}` });
    harnesses.push(harness);
    for (let at = 0; at < 3; at++) {
      const attempt = harness.attempt({ url: `https://127.0.0.1:${portOf(secure)}/${at}`, tls, answerTimeout: '5s' });
      expect(codeOf(await attempt.run())).toBe('ok');
    }
    expect(proxy.asked).toHaveLength(1);
  });

  it('shows who it is to the proxy, and to nobody else', async () => {
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, 'p@ss:word\n');
    proxy.authorization = `Basic ${Buffer.from('node:p@ss:word').toString('base64')}`;
    for (const given of [
      { url: `http://${proxy.host}`, username: 'node', passwordFile },
      `http://node:p%40ss%3Aword@${proxy.host}`,
    ]) {
      for (const url of [`http://127.0.0.1:${portOf(plain)}/`, `https://127.0.0.1:${portOf(secure)}/`])
        expect(codeOf((await run({ url, tls }, { proxy: given })).outcome)).toBe('ok');
    }
    expect(proxy.asked.every((line) => line.endsWith(' as node:p@ss:word'))).toBe(true);
    expect(JSON.stringify(headers)).not.toContain('proxy-auth');
    const unknown = `http://node:wrong-one@${proxy.host}`;
    for (const url of [`http://127.0.0.1:${portOf(plain)}/`, `https://127.0.0.1:${portOf(secure)}/`]) {
      const { outcome } = await run({ url, tls }, { proxy: unknown });
      expect(codeOf(outcome)).toBe('INFRASTRUCTURE PROXY_REFUSED');
      expect(JSON.stringify(outcome)).not.toContain('wrong-one');
    }
    expect(http.config.check({ url: 'http://a.b', headers: { 'Proxy-Authorization': 'x' } }).ok).toBe(false);
  });

  it('reaches the hosts of noProxy without it', async () => {
    const settings = { proxy: `http://${proxy.host}`, noProxy: ['127.0.0.0/8'] };
    expect(codeOf((await run({ url: `http://127.0.0.1:${portOf(plain)}/` }, settings)).outcome)).toBe('ok');
    expect(codeOf((await run({ url: `https://127.0.0.1:${portOf(secure)}/`, tls }, settings)).outcome)).toBe('ok');
    expect(proxy.asked).toEqual([]);
  });

  it('reaches through it what its rules allow, and nothing else', async () => {
    const settings = { proxy: `http://${proxy.host}` };
    for (const url of [
      'http://10.1.2.3/',
      'https://10.1.2.3/',
      'http://169.254.169.254/latest',
      'http://[::ffff:10.0.0.1]/',
    ])
      expect(codeOf((await run({ url }, settings)).outcome)).toBe('APPLICATION ADDRESS_NOT_ALLOWED');
    // By its name, on a node that may not reach this machine.
    for (const url of [`http://localhost:${portOf(plain)}/`, `https://localhost:${portOf(secure)}/`])
      expect(codeOf((await run({ url }, { ...settings, allow: [] })).outcome)).toBe('APPLICATION ADDRESS_NOT_ALLOWED');
    expect(proxy.asked).toEqual([]);
    const away = { url: `http://127.0.0.1:${portOf(plain)}/away`, followRedirects: 1 };
    expect(codeOf((await run(away, settings)).outcome)).toBe('APPLICATION ADDRESS_NOT_ALLOWED');
    expect(proxy.asked).toHaveLength(1);
  });

  it('leaves names to it where it has none of its own, but never addresses', async () => {
    proxy.names.set('inside.test', '127.0.0.1');
    const byNode = { proxy: { url: `http://${proxy.host}` } };
    const url = `https://inside.test:${portOf(secure)}/`;
    expect(codeOf((await run({ url, tls }, byNode)).outcome)).toMatch(/ENOTFOUND|EAI_AGAIN/);
    const byProxy = { proxy: { url: `http://${proxy.host}`, resolve: 'proxy' } };
    expect((await run({ url, tls }, byProxy)).text).toBe('secure /');
    expect((await run({ url: `http://inside.test:${portOf(plain)}/` }, byProxy)).text).toContain(
      'plain / for inside.test',
    );
    expect(codeOf((await run({ url: 'http://10.1.2.3/' }, byProxy)).outcome)).toBe('APPLICATION ADDRESS_NOT_ALLOWED');
  });

  it('is at fault when the proxy is down, and not when the proxy finds the service so', async () => {
    const nobody = createPort().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const port = portOf(nobody);
    await new Promise((resolve) => nobody.close(resolve));
    for (const url of [`http://127.0.0.1:${portOf(plain)}/`, `https://127.0.0.1:${portOf(secure)}/`]) {
      const down = await run({ url, tls }, { proxy: `http://127.0.0.1:${port}` });
      expect(codeOf(down.outcome)).toBe('INFRASTRUCTURE PROXY_UNREACHABLE');
    }
    const settings = { proxy: `http://${proxy.host}` };
    expect(codeOf((await run({ url: `https://127.0.0.1:${port}/` }, settings)).outcome)).toBe(
      'APPLICATION PROXY_REFUSED',
    );
    expect(codeOf((await run({ url: `http://127.0.0.1:${port}/` }, settings)).outcome)).toBe(
      'APPLICATION UNEXPECTED_STATUS',
    );
    proxy.isMute = true;
    const mute = { url: `https://127.0.0.1:${portOf(secure)}/`, connectTimeout: '200ms' };
    expect(codeOf((await run(mute, settings)).outcome)).toBe('APPLICATION CONNECT_TIMEOUT');
  });

  it('looks at its environment only when it is told to', async () => {
    const before = { ...process.env };
    Object.assign(process.env, {
      HTTP_PROXY: `http://${proxy.host}`,
      https_proxy: `http://${proxy.host}`,
      NO_PROXY: 'other.test',
    });
    try {
      const url = `http://127.0.0.1:${portOf(plain)}/`;
      expect(codeOf((await run({ url }, {})).outcome)).toBe('ok');
      expect(proxy.asked).toEqual([]);
      expect(codeOf((await run({ url }, { proxy: 'environment' })).outcome)).toBe('ok');
      expect(
        codeOf((await run({ url: `https://127.0.0.1:${portOf(secure)}/`, tls }, { proxy: 'environment' })).outcome),
      ).toBe('ok');
      expect(proxy.asked).toHaveLength(2);
      process.env['NO_PROXY'] = 'other.test,127.0.0.1';
      expect(codeOf((await run({ url }, { proxy: 'environment' })).outcome)).toBe('ok');
      expect(proxy.asked).toHaveLength(2);
    } finally {
      for (const name of ['HTTP_PROXY', 'https_proxy', 'NO_PROXY']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });

  it('that is none makes the runner unhealthy, with what is wrong and no password', async () => {
    for (const given of [
      'proxy:3128',
      'socks5://proxy:1',
      'http://u:secret@proxy/path',
      { url: 'http://p', passwordFile: '/none' },
    ]) {
      const harness = new AttemptHarness(http as never, { proxy: given as never });
      harnesses.push(harness);
      const found = await http.detect!(new AbortController().signal, harness.node);
      expect(found).toMatchObject({ health: 'UNHEALTHY', reason: { code: 'BAD_SETTINGS' } });
      expect(found.reason!.message).toContain('runners.http.proxy');
      expect(JSON.stringify(found)).not.toContain('secret');
    }
  });
});

it.each([
  ['example.com', 'http://example.com/', true],
  ['example.com', 'http://a.example.com/', false],
  ['.example.com', 'http://a.example.com/', true],
  ['.example.com', 'http://example.com/', true],
  ['*.example.com', 'https://a.b.example.com/', true],
  ['*.example.com', 'https://badexample.com/', false],
  ['example.com:8080', 'http://example.com:8080/', true],
  ['example.com:8080', 'http://example.com/', false],
  ['example.com:443', 'https://example.com/', true],
  ['10.0.0.0/8', 'http://10.1.2.3/', true],
  ['10.0.0.0/8', 'http://11.1.2.3/', false],
  ['10.0.0.0/8', 'http://name.test/', false],
  ['::1', 'http://[::1]:80/', true],
  ['[::1]:8080', 'http://[::1]:8080/', true],
  ['EXAMPLE.com', 'http://example.COM/', true],
  ['*', 'http://anything.test/', true],
])('noProxy %s and %s', (entry, url, isIncluded) => {
  expect(new NoProxy([entry]).includes(new URL(url))).toBe(isIncluded);
});

describe('with tinyproxy', () => {
  let daemon: ChildProcess;
  let port = 0;
  beforeAll(async () => {
    const free = createPort().listen(0, '127.0.0.1');
    await once(free, 'listening');
    port = portOf(free);
    await new Promise((resolve) => free.close(resolve));
    const config = join(folder, 'tinyproxy.conf');
    writeFileSync(config, `Port ${port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 10\nBasicAuth node secret\n`);
    daemon = spawn('tinyproxy', ['-d', '-c', config], { stdio: 'ignore' });
    while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  afterAll(() => {
    daemon.kill();
  });

  it('both ways work, and its refusals are known', async () => {
    const proxied = { proxy: `http://node:secret@127.0.0.1:${port}` };
    expect((await run({ url: `http://127.0.0.1:${portOf(plain)}/x` }, proxied)).text).toContain('plain /x');
    expect((await run({ url: `https://127.0.0.1:${portOf(secure)}/y`, tls }, proxied)).text).toBe('secure /y');
    const stranger = { proxy: `http://127.0.0.1:${port}` };
    for (const url of [`http://127.0.0.1:${portOf(plain)}/`, `https://127.0.0.1:${portOf(secure)}/`])
      expect(codeOf((await run({ url, tls }, stranger)).outcome)).toBe('INFRASTRUCTURE PROXY_REFUSED');
  });
});

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
