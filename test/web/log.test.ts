import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { startBrowser, soon, type TestBrowser } from './browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from './server.ts';

let server: WebServer;
let browser: TestBrowser;
const folder = mkdtempSync(join(tmpdir(), 'gantry-web-log-'));

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

/** Opens the log of the only task of a new run. */
async function openLog(pipeline: string, params: object = {}): Promise<Locator> {
  const id = await triggerRun(server, pipeline, params);
  const page = await browser.open({ token: server.token, path: `/runs/${id}?task=${id}.0` });
  const log = page.getByRole('region', { name: /^Log of/ });
  await log.waitFor();
  return log;
}

/** Whether something is wholly within what of the log is in sight. */
const isInSight = (log: Locator, what: Locator): Promise<boolean> =>
  what.evaluate((element) => {
    const inner = element.getBoundingClientRect();
    const outer = element.closest('.log-scroll')!.getBoundingClientRect();
    return (
      inner.top >= outer.top && inner.bottom <= outer.bottom && inner.left >= outer.left && inner.right <= outer.right
    );
  });

describe('a log', () => {
  it('is shown as a terminal shows it: bars that are written over, colours, links, and nothing else of its escapes', async () => {
    const script = [
      `for n in 10 50 100; do printf '\\rloading %s %%' "$n"; sleep 0.2; done; echo`,
      `printf 'downloading\\r\\033[Kdone\\n'`,
      `printf '\\033[38;5;208morange\\033[0m \\033[38;2;10;120;40mgreen\\033[0m \\033[48;5;21;97mground\\033[0m\\n'`,
      `printf '\\033]8;;https://example.org/docs\\033\\\\the docs\\033]8;;\\033\\\\ \\033]8;;javascript:alert(1)\\007a trap\\033]8;;\\007\\n'`,
      `printf '\\033]0;a title\\007\\033[?25l\\033[2Aplain <b>text</b>\\n'`,
      `printf '\\033[31mred line one\\nred line two\\033[0m\\n'`,
    ].join('\n        ');
    await applyPipeline(
      server,
      `
name: terminal
tasks:
  - key: paint
    runner: shell
    with:
      command: |
        ${script}
`,
    );
    const log = await openLog('terminal');
    const texts = log.locator('.log-text');
    await soon(async () =>
      expect(await texts.allTextContents()).toEqual([
        'loading 100 %',
        'done',
        'orange green ground',
        'the docs a trap',
        'plain <b>text</b>',
        'red line one',
        'red line two',
      ]),
    );
    const colors = await texts
      .nth(2)
      .locator('span')
      .evaluateAll((all) =>
        all.map((each) => [
          getComputedStyle(each).getPropertyValue('--ansi-color'),
          getComputedStyle(each).backgroundColor,
        ]),
      );
    expect(colors.map(([color, ground]) => [color || null, ground])).toEqual([
      ['rgb(255, 135, 0)', 'rgba(0, 0, 0, 0)'],
      ['rgb(10, 120, 40)', 'rgba(0, 0, 0, 0)'],
      [null, 'rgb(0, 0, 255)'],
    ]);
    const links = log.getByRole('link');
    expect(await links.count()).toBe(1);
    expect(await links.getAttribute('href')).toBe('https://example.org/docs');
    expect(await links.getAttribute('rel')).toContain('noopener');
    expect(await texts.nth(6).locator('.ansi-red').textContent()).toBe('red line two');
  });

  it('shows the first hit of a search by itself, far down and far to the right, and goes from hit to hit', async () => {
    await applyPipeline(
      server,
      `
name: long
params:
  folder: { type: string }
tasks:
  - key: talk
    runner: shell
    with:
      command: |
        i=0; while [ $i -lt 6000 ]; do echo "hay $i"; i=$((i+1)); done
        printf '%0600d' 0; echo ' (needle) [1+1=2] '
        i=0; while [ $i -lt 3000 ]; do echo "hay $i"; i=$((i+1)); done
        echo 'NEEDLE two'
        while [ ! -e "$GANTRY_PARAM_FOLDER/more" ]; do sleep 0.05; done
        echo 'late needle'
`,
    );
    const log = await openLog('long', { folder });
    const search = log.getByRole('searchbox', { name: 'Search in the log' });
    const hit = log.locator('.is-hit mark');
    const status = log.getByRole('status');
    await search.fill('needle');
    await status.getByText('1 of 2', { exact: true }).waitFor();
    await soon(async () => expect(await isInSight(log, hit)).toBe(true));
    expect(await log.locator('.is-hit .log-number').textContent()).toBe('6001');
    await log.getByRole('button', { name: 'Next hit' }).click();
    await soon(async () => expect(await log.locator('.is-hit .log-number').textContent()).toBe('9002'));
    await soon(async () => expect(await isInSight(log, hit)).toBe(true));
    await search.press('Shift+Enter');
    await soon(async () => expect(await log.locator('.is-hit .log-number').textContent()).toBe('6001'));
    // From the first to the last.
    await log.getByRole('button', { name: 'Previous hit' }).click();
    await status.getByText('2 of 2', { exact: true }).waitFor();
    await search.fill('(needle) [1+1=2]');
    await status.getByText('1 of 1', { exact: true }).waitFor();
    await soon(async () => expect(await hit.textContent()).toBe('(needle) [1+1=2]'));
    await search.fill('late needle');
    await status.getByText('not found yet').waitFor();
    writeFileSync(join(folder, 'more'), '');
    await status.getByText('1 of 1', { exact: true }).waitFor();
    await soon(async () => expect(await isInSight(log, hit)).toBe(true));
    // Wrapped lines have other heights.
    await log.getByRole('button', { name: 'Wrap' }).click();
    await search.fill('[1+1=2]');
    await soon(async () => expect(await hit.textContent()).toBe('[1+1=2]'));
    await soon(async () => expect(await isInSight(log, hit)).toBe(true));
    await search.fill('nowhere');
    await status.getByText('not found', { exact: true }).waitFor();
  });
});
