import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startWebServer, type WebServer } from './server.ts';

const EXPORT = join(import.meta.dirname, '../../web/out');
/** Of all scripts that the home page loads, together and compressed. */
const HOME_BYTES = 250_000;

let server: WebServer;
beforeAll(async () => void (server = await startWebServer()));
afterAll(() => server?.stop());

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${server.url}${path}`, { headers, redirect: 'manual' });
const pages = readdirSync(EXPORT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));
const scriptsOf = (html: string): readonly string[] =>
  [...html.matchAll(/<script[^>]* src="([^"]+)"/g)].map(([, path]) => path!);

describe('the pages of the web UI', () => {
  it.each(pages)('%s has no script or style written into it, and loads only what the server serves', async (name) => {
    const html = readFileSync(join(EXPORT, name), 'utf8');
    // A script without a type is run; what has one of data is only read.
    for (const [, attributes, text] of html.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)) {
      if (!/type="application\/json"/.test(attributes!)) expect(text).toBe('');
    }
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:|https?:\/\//i);
    for (const [, path] of html.matchAll(/\s(?:src|href)="([^"]+)"/g)) {
      expect([path, (await get(path!)).status]).toEqual([path, 200]);
    }
  });

  it('come with a policy that allows nothing inline and nothing from elsewhere', async () => {
    for (const path of ['/', '/runs', '/runs/run_1?tab=tasks']) {
      const { status, headers } = await get(path);
      expect([path, status, headers.get('content-type')]).toEqual([path, 200, 'text/html; charset=utf-8']);
      const policy = new Map(
        headers
          .get('content-security-policy')!
          .split('; ')
          .map((each) => [each.slice(0, each.indexOf(' ')), each.slice(each.indexOf(' ') + 1)]),
      );
      expect(policy.get('default-src')).toBe("'none'");
      expect([policy.get('script-src'), policy.get('style-src'), policy.get('connect-src')]).toEqual(
        Array(3).fill("'self'"),
      );
      expect([policy.get('frame-ancestors'), policy.get('base-uri'), policy.get('form-action')]).toEqual(
        Array(3).fill("'none'"),
      );
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('are asked for again each time and answered with 304 while they are the same; static files are kept', async () => {
    const page = await get('/runs');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const tag = page.headers.get('etag')!;
    expect((await get('/runs', { 'if-none-match': tag })).status).toBe(304);
    expect((await get('/runs', { 'if-none-match': '"another"' })).status).toBe(200);
    const statics = scriptsOf(await page.text()).filter((path) => path.startsWith('/_next/static/'));
    expect(statics.length).toBeGreaterThan(0);
    for (const path of statics) {
      expect((await get(path)).headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    }
    // Its name stays when it changes.
    expect((await get('/theme.js')).headers.get('cache-control')).toBe('no-cache');
  });

  it('that are not there are answered with 404, however the path is written', async () => {
    const paths = [
      '/nowhere',
      '/runs/a/b',
      '/runs.html.map',
      '/_next/static/nothing.js',
      '/.gantry-sources',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/%2e%2e/package.json',
      '//etc/passwd',
      '/_next/',
    ];
    for (const path of paths) expect([path, (await get(path)).status]).toEqual([path, 404]);
  });

  it('can be had without their content, and changed by nobody', async () => {
    const head = await fetch(`${server.url}/runs`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = await fetch(`${server.url}/runs`, { method: 'POST', body: 'x' });
    expect(post.status).toBe(405);
  });

  it(`load at most ${HOME_BYTES / 1_000} KB of compressed script for the home page`, async () => {
    // Browsers that know modules leave out what is for those that do not.
    const html = readFileSync(join(EXPORT, 'index.html'), 'utf8').replace(/<script[^>]* noModule[^>]*>/gi, '');
    const paths = scriptsOf(html);
    expect(paths.length).toBeGreaterThan(3);
    const sizes = paths.map(
      (path) => gzipSync(readFileSync(join(EXPORT, decodeURIComponent(path))), { level: 9 }).length,
    );
    expect(sizes.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(HOME_BYTES);
  });
});
