import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { AttemptHarness } from '@gantry/plugin-kit/testing';
import http from '../src/index.ts';
import { Authority, type Signed } from './certificates.ts';

let folder: string;
let authority: Authority;
let client: Signed;
/** Presents a certificate for 127.0.0.1, and tells who its client is. */
let server: Server;
/** Presents one for api.example.test. */
let named: Server;
/** Speaks nothing newer than TLS 1.2. */
let old: Server;
const harnesses: AttemptHarness[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gantry-certificates-'));
  authority = new Authority(folder, 'authority');
  client = authority.sign('robot', 'DNS:robot');
  const local = authority.sign('local', 'IP:127.0.0.1');
  const api = authority.sign('api', 'DNS:api.example.test');
  server = await listen(local, { requestCert: true, rejectUnauthorized: false, ca: authority.certificate });
  named = await listen(api, {});
  old = await listen(local, { maxVersion: 'TLSv1.2' });
});
afterEach(async () => {
  for (const harness of harnesses.splice(0)) await harness.close();
});
afterAll(() => {
  for (const each of [server, named, old]) {
    each.closeAllConnections();
    each.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

async function listen(signed: Signed, options: object): Promise<Server> {
  const made = createServer({ cert: signed.certificate, key: signed.key, ...options }, (request, response) => {
    const socket = request.socket as TLSSocket;
    if (request.url === '/away') {
      response.writeHead(307, { location: `https://localhost:${portOf(server)}/` }).end();
      return;
    }
    const peer = socket.getPeerCertificate();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ client: peer?.subject?.CN ?? null, sni: socket.servername || null }));
  });
  await once(made.listen(0, '127.0.0.1'), 'listening');
  return made;
}
const portOf = (listening: Server) => (listening.address() as AddressInfo).port;

function ask(
  listening: Server,
  tls: JsonObject | undefined,
  settings: JsonObject = {},
  config: JsonObject = {},
): Promise<Outcome> {
  const harness = new AttemptHarness(http, { allow: ['127.0.0.0/8', '::1'], ...settings });
  harnesses.push(harness);
  const outputs = { client: { jsonPointer: '/client' }, sni: { jsonPointer: '/sni' } };
  const url = `https://127.0.0.1:${portOf(listening)}/`;
  return harness.attempt({ url, outputs, ...(tls === undefined ? {} : { tls }), ...config }).run();
}

describe('an https task', () => {
  it('trusts no authority but the usual ones, the task’s and the node’s', async () => {
    expect(await ask(server, undefined)).toMatchObject({
      ok: false,
      reason: {
        code: 'SELF_SIGNED_CERT_IN_CHAIN',
        remedy: 'Give the authority’s certificate as tls.ca.',
      },
    });
    expect(await ask(server, { ca: authority.certificate })).toMatchObject({ ok: true });
    const caFile = join(folder, 'authority.crt');
    expect(await ask(server, undefined, { caFile })).toMatchObject({ ok: true });
  });

  it('wants the certificate to bear the host’s name, or the one that the task gives', async () => {
    const { certificate: ca } = authority;
    expect(await ask(named, { ca })).toMatchObject({ reason: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } });
    expect(await ask(named, { ca, serverName: 'api.example.test' })).toMatchObject({
      ok: true,
      outputs: { sni: 'api.example.test' },
    });
    expect(await ask(server, { ca, serverName: 'other.example.test' })).toMatchObject({
      reason: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
  });

  it('speaks no older version than the task allows', async () => {
    const { certificate: ca } = authority;
    expect(await ask(old, { ca })).toMatchObject({ ok: true });
    expect(await ask(old, { ca, minVersion: 'TLSv1.3' })).toMatchObject({
      ok: false,
      reason: { message: expect.stringMatching(/version/) as unknown },
    });
  });

  it('leaves a certificate unchecked only where the node allows it', async () => {
    expect(await ask(server, { insecure: true })).toMatchObject({
      ok: false,
      reason: { code: 'INSECURE_NOT_ALLOWED', remedy: expect.stringContaining('allowInsecure') as unknown },
    });
    expect(await ask(server, { insecure: true }, { allowInsecure: true })).toMatchObject({ ok: true });
  });

  it('does not use a connection that was made unchecked for a task that wants it checked', async () => {
    const harness = new AttemptHarness(http, { allow: ['127.0.0.0/8'], allowInsecure: true });
    harnesses.push(harness);
    const url = `https://127.0.0.1:${portOf(server)}/`;
    expect(await harness.attempt({ url, tls: { insecure: true } }).run()).toMatchObject({ ok: true });
    expect(await harness.attempt({ url }).run()).toMatchObject({ ok: false });
  });

  it('shows a certificate of the node to the hosts that the node says, and to no other', async () => {
    const { certificateFile, keyFile } = client;
    const certificates = { robot: { certificateFile, keyFile, hosts: ['127.0.0.1'] } };
    const tls = { ca: authority.certificate, certificate: 'robot' };
    expect(await ask(server, tls, { certificates })).toMatchObject({ ok: true, outputs: { client: 'robot' } });
    expect(await ask(server, { ca: authority.certificate }, { certificates })).toMatchObject({
      outputs: { client: null },
    });
    const elsewhere = { robot: { certificateFile, keyFile, hosts: ['api.example.test', '*.0.0.2'] } };
    expect(await ask(server, tls, { certificates: elsewhere })).toMatchObject({
      reason: { code: 'CERTIFICATE_NOT_ALLOWED' },
    });
    expect(await ask(server, tls)).toMatchObject({ reason: { code: 'CERTIFICATE_UNKNOWN' } });
  });

  it('checks the certificate of the origin that it is redirected to, whatever was left unchecked before', async () => {
    const config = { url: `https://127.0.0.1:${portOf(server)}/away`, followRedirects: 1 };
    // The redirect leads to `localhost`, which the certificate does not name.
    expect(await ask(server, { insecure: true }, { allowInsecure: true }, config)).toMatchObject({
      ok: false,
      reason: { code: 'SELF_SIGNED_CERT_IN_CHAIN' },
    });
  });

  it('keeps no more kinds of connection than it needs, however many tasks ask for', async () => {
    const harness = new AttemptHarness(http, { allow: ['127.0.0.0/8'], allowInsecure: true });
    harnesses.push(harness);
    const url = `https://127.0.0.1:${portOf(server)}/`;
    for (let kind = 0; kind < 70; kind++) {
      const tls = { insecure: true, serverName: `kind-${kind}.example.test` };
      expect(await harness.attempt({ url, tls }).run()).toMatchObject({ ok: true });
    }
    const open = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    while ((await open()) > 64) await new Promise((resolve) => setImmediate(resolve));
    expect(await open()).toBeGreaterThan(32);
  });

  it('may be called back over https', async () => {
    const { certificateFile, keyFile } = authority.sign('callbacks', 'IP:127.0.0.1');
    const probe = await listen(authority.sign('probe', 'IP:127.0.0.1'), {});
    const port = portOf(probe);
    await new Promise((resolve) => probe.close(resolve));
    const url = `https://127.0.0.1:${port}/`;
    const callback = { listen: `127.0.0.1:${port}`, url, certificateFile, keyFile };
    const called: Promise<number | undefined>[] = [];
    const service = await listen(authority.sign('service', 'IP:127.0.0.1'), {});
    service.removeAllListeners('request');
    service.on('request', (submitted, response) => {
      response.end();
      const target = submitted.headers['gantry-callback'] as string;
      called.push(
        new Promise((resolve, reject) => {
          const call = request(target, { method: 'POST', ca: authority.certificate, agent: false }, (answer) =>
            resolve(answer.resume().statusCode),
          );
          call.on('error', reject).end();
        }),
      );
    });
    const tls = { ca: authority.certificate };
    expect(await ask(service, tls, { callback }, { callback: {}, outputs: {} })).toMatchObject({ ok: true });
    expect(await Promise.all(called)).toEqual([204]);
    service.closeAllConnections();
    service.close();
  });

  it('tells the node’s operator of settings that are wrong, as a failure of the node', async () => {
    for (const settings of [{ allow: ['localhost'] }, { caFile: join(folder, 'none') }, { certificates: { a: {} } }]) {
      expect(await ask(server, undefined, settings)).toMatchObject({
        ok: false,
        kind: 'REJECTED',
        reason: { code: 'BAD_SETTINGS', message: expect.stringContaining('runners.http.') as unknown },
      });
    }
  });

  it('refuses authorities that are no certificates, and a key that is not the certificate’s', async () => {
    const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
    for (const ca of ['nonsense', pem('nonsense'), authority.certificate + pem('AAAA'), client.key])
      expect(http.config.check({ url: 'https://example.com/', tls: { ca } }).ok).toBe(false);
    const wrong = {
      certificateFile: client.certificateFile,
      keyFile: join(folder, 'authority.key'),
      hosts: ['127.0.0.1'],
    };
    const tls = { ca: authority.certificate, certificate: 'wrong' };
    expect(await ask(server, tls, { certificates: { wrong } })).toMatchObject({ reason: { code: 'BAD_TLS' } });
  });
});
