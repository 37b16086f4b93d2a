import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { startBrowser, soon, type TestBrowser } from './browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from './server.ts';

// Whatever pipelines, commands and addresses say is text to the UI. Each of these would tell by a dialog, by a request
// or by an element of its own; a dialog and a failed request are troubles of the browser.

const CORPUS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(2)>',
  '"><svg onload=alert(3)>',
  "'-alert(4)-'",
  'javascript:alert(5)',
  '<a href="javascript:alert(6)">press me</a>',
  '</pre></div><iframe srcdoc="<script>alert(7)</script>"></iframe>',
  '&lt;script&gt;alert(8)&lt;/script&gt;',
  '{{constructor.constructor("alert(9)")()}}',
  '__proto__',
  '\u202emarkup backwards\u202c',
];

/** What terminals make of these is a link, a title, or something that is not there any more. */
const ESCAPES = [
  '\u001b]8;;javascript:alert(10)\u001b\\a link\u001b]8;;\u001b\\',
  '\u001b]0;another title\u0007',
  '\u001b[31m<img src=x onerror=alert(11)>\u001b[0m',
  '\u001b[38;5;196;"><img src=x onerror=alert(12)>m after',
  '\u001b[2J\u001b[1;1Hover what was before',
  '\u001b[8mhidden\u001b[0m shown',
];

let server: WebServer;
let browser: TestBrowser;
const folder = mkdtempSync(join(tmpdir(), 'gantry-web-markup-'));

beforeAll(async () => {
  server = await startWebServer();
  browser = await startBrowser(server.url);
});
afterEach(async () => expect(await browser.troubles()).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What data must never have become. */
const foreign = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() =>
    [
      ...document.querySelectorAll(
        'body script:not([src^="/"], #__NEXT_DATA__), img:not([src="/favicon.svg"]), iframe, object, embed, base, [onerror], [onload], a[href^="javascript"]',
      ),
    ].map(({ outerHTML }) => outerHTML),
  );

const text = (page: Page): Promise<string> => page.getByRole('main').innerText();

describe('what looks like markup', () => {
  it('is text in logs, outputs, params, failures, descriptions and environments', async () => {
    const log = join(folder, 'log');
    writeFileSync(log, [...CORPUS, ...ESCAPES, 'the last line'].join('\n'));
    const outputs = Object.fromEntries(CORPUS.map((each, at) => [`${at}${each}`, each]));
    await server.ask(
      `mutation ($definition: JSON!) { applyPipeline(input: { definition: $definition }) {
         __typename ... on InvalidPipeline { message problems { message } } } }`,
      {
        definition: {
          name: 'hostile',
          description: CORPUS.join('\n'),
          params: { given: { type: 'json' }, log: { type: 'string' } },
          tasks: [
            {
              key: 'hands-on',
              runner: 'shell',
              description: CORPUS.join('\n'),
              env: { OUTPUTS: JSON.stringify(outputs) },
              with: { script: 'cat "$GANTRY_PARAM_LOG"; printf %s "$OUTPUTS" > "$GANTRY_OUTPUT"\n' },
            },
            { key: 'fails', runner: 'shell', with: { argv: [CORPUS[1]!] } },
          ],
        },
      },
    );
    const id = await triggerRun(server, 'hostile', { given: CORPUS, log });
    const page = await browser.open({ token: server.token, path: `/runs/${id}` });
    await page.locator('.page-head').getByText('Failed', { exact: true }).waitFor();
    expect(await foreign(page)).toEqual([]);

    await page.getByRole('button', { name: /^hands-on/ }).click();
    const panel = page.getByRole('complementary', { name: 'Task hands-on' });
    await panel.getByText('the last line').waitFor();
    const lines = await panel.locator('.log-text').allTextContents();
    expect(lines.slice(0, CORPUS.length)).toEqual(CORPUS);
    expect(lines).toHaveLength(CORPUS.length + ESCAPES.length + 1);
    await soon(async () =>
      expect(await panel.locator('.ansi-red').first().textContent()).toBe(CORPUS[1]!.replace('2', '11')),
    );
    expect(await foreign(page)).toEqual([]);
    await panel.getByRole('searchbox').fill('<img src=x');
    await panel.getByText(/^1 of \d$/).waitFor();
    await soon(async () => expect(await panel.locator('mark').first().textContent()).toBe('<img src=x'));
    expect(await page.title()).toMatch(/^hostile/);

    for (const [tab, expected] of [
      ['Attempts', CORPUS[2]],
      ['Config', CORPUS[5]],
      ['Why', 'Who decided'],
    ] as const) {
      await panel.getByRole('tab', { name: tab }).click();
      await panel.getByText(expected!).first().waitFor();
      expect(await foreign(page)).toEqual([]);
    }
    await page.getByRole('tab', { name: 'Params and origin' }).click();
    await soon(async () => expect(await text(page)).toContain(JSON.stringify(CORPUS[6])));
    await page.getByRole('tab', { name: 'Tasks' }).click();
    await page.getByRole('button', { name: 'fails', exact: true }).click();
    await page.getByRole('complementary', { name: 'Task fails' }).getByText(CORPUS[1]!).first().waitFor();
    await page.getByRole('tab', { name: 'Timeline' }).click();
    expect(await foreign(page)).toEqual([]);
  });

  it('is not let into names, and what names it in a refusal is text, too', async () => {
    for (const name of CORPUS) {
      const tasks = [{ key: name, runner: 'mock' }];
      await expect(
        server.ask(
          `mutation ($definition: JSON!) { applyPipeline(input: { definition: $definition }) {
             __typename ... on InvalidPipeline { message problems { message } } } }`,
          { definition: { name, tasks } },
        ),
      ).rejects.toThrow(/is not valid|must be|invalid/i);
    }
  });

  it('is text in an address', async () => {
    const hostile = encodeURIComponent(CORPUS[1]!);
    const page = await browser.open({ token: server.token, path: `/runs/${hostile}` });
    await page.getByRole('alert').filter({ hasText: CORPUS[1]! }).waitFor();
    expect(await foreign(page)).toEqual([]);
    await page.goto(`${server.url}/runs?pipeline=${hostile}&states=${hostile}&since=${hostile}&trigger=${hostile}`);
    await page.getByText('No run fits these filters').waitFor();
    await soon(async () => expect(await page.getByLabel('Only of this pipeline').inputValue()).toBe(CORPUS[1]));
    await applyPipeline(server, 'name: plain\ntasks: [{ key: only, runner: mock }]\n');
    const id = await triggerRun(server, 'plain');
    await page.goto(`${server.url}/runs/${id}?tab=tasks&of=${hostile}&task=${hostile}&view=${hostile}#${hostile}`);
    await page.getByRole('button', { name: `Only ${CORPUS[1]}` }).waitFor();
    expect(await foreign(page)).toEqual([]);
  });

  it('in a login link is no token and no markup', async () => {
    const page = await browser.open({ token: encodeURIComponent(CORPUS[0]!), expected: /status of 40[01]/ });
    await page.getByLabel('Token').waitFor();
    expect(await foreign(page)).toEqual([]);
  });
});
