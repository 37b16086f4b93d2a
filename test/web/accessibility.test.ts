import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axe, { type AxeResults } from 'axe-core';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { startBrowser, type TestBrowser } from './browser.ts';
import { applyPipeline, createToken, startWebServer, triggerRun, type WebServer } from './server.ts';

const EXPORT = join(import.meta.dirname, '../../web/out');

const PIPELINE = `
name: varied
description: Something of everything.
params:
  times: { type: integer, default: 3, description: How often. }
  what: { type: string, default: tests, options: [tests, more] }
tasks:
  - key: fine
    description: Succeeds.
    runner: shell
    with: { command: 'printf "plain \\033[31mred\\033[0m \\033[32mgreen\\033[0m \\033[33myellow\\033[0m \\033[34mblue\\033[0m \\033[2mdim\\033[0m\\n"; echo oops >&2' }
  - { key: each, runner: mock, forEach: [1, 2, 3], with: { outputs: { answer: 42 } } }
  - { key: fails, runner: mock, with: { outcome: fail }, needs: [fine] }
  - { key: after, runner: mock, needs: [fails, each] }
`;

let server: WebServer;
let browser: TestBrowser;
let run: string;
let task: string;
/** One for all, which saves a third of the time. */
let page: Page;

beforeAll(async () => {
  server = await startWebServer();
  browser = await startBrowser(server.url);
  await applyPipeline(server, PIPELINE);
  await applyPipeline(server, 'name: hanging\ntasks: [{ key: wait, runner: mock, with: { outcome: hang } }]\n');
  await applyPipeline(server, 'name: picky\ntasks: [{ key: wait, runner: mock, nodeSelector: { disk: fast } }]\n');
  run = await triggerRun(server, 'varied');
  await triggerRun(server, 'hanging');
  await triggerRun(server, 'picky');
  await createToken(server, 'onlooker', 'VIEWER');
  const { run: found } = await server.ask<{ run: { taskRuns: { nodes: readonly { id: string; taskKey: string }[] } } }>(
    'query ($run: ID!) { run(id: $run) { taskRuns(first: 10) { nodes { id taskKey } } } }',
    { run },
  );
  task = found.taskRuns.nodes.find(({ taskKey }) => taskKey === 'fine')!.id;
  page = await browser.open({ token: server.token });
  await page.locator('main h1').waitFor();
});
afterAll(async () => {
  const troubles = await browser?.troubles();
  await browser?.close();
  await server?.stop();
  expect(troubles).toEqual([]);
});

/** Opens an address as wide as it comes. */
async function goTo(address: string): Promise<void> {
  await page.setViewportSize({ width: 1_360, height: 860 });
  await page.goto(`${server.url}${address}`);
}

/** How a page is looked at. Wide and dark is left to what else the other two leave out: colours. */
const LOOKS = [
  { width: 1_360, colorScheme: 'light', options: {} },
  { width: 1_360, colorScheme: 'dark', options: { runOnly: ['color-contrast'] } },
  { width: 390, colorScheme: 'dark', options: {} },
] as const;

/** What axe has to say of a page, light and dark, wide and narrow, and whether anything lies beyond its right edge. */
async function faults(seen: Page): Promise<readonly string[]> {
  await seen.evaluate(axe.source);
  const all: string[] = [];
  for (const { width, colorScheme, options } of LOOKS) {
    await seen.setViewportSize({ width, height: 860 });
    await seen.emulateMedia({ colorScheme });
    const { violations, beyond } = await seen.evaluate(async (how) => {
      // Two frames, after which everything has been drawn anew.
      for (let frame = 0; frame < 2; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
      const { axe: own } = globalThis as unknown as { axe: { run(how: unknown): Promise<AxeResults> } };
      return {
        violations: (await own.run(how)).violations,
        beyond: document.documentElement.scrollWidth - innerWidth,
      };
    }, options);
    all.push(
      ...violations.flatMap(({ id, nodes }) =>
        nodes
          .slice(0, 3)
          .map(({ html, failureSummary }) => `${width} ${colorScheme} ${id}: ${html}\n${failureSummary}`),
      ),
    );
    if (beyond > 0) all.push(`${width}: the page is ${beyond} pixels too wide`);
  }
  return all;
}

/** The address of an exported page; a name in it becomes one that there is. */
const addressOf = (name: string): string =>
  `/${name.replace(/\.html$/, '').replace(/^index$/, '')}`
    .replace('/runs/[id]', `/runs/${run}`)
    .replace('/pipelines/[name]', '/pipelines/varied')
    .replace('/nodes/[name]', '/nodes/local')
    .replace(/\/index$/, '');

/** A screen may have several parts that are read one by one. */
const nothingLoads = () => page.waitForFunction(() => document.querySelector('.loading') === null);

const screens = readdirSync(EXPORT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.html') && name !== '404.html')
  .sort();

describe('accessibility', () => {
  it.each(screens)('of %s: nothing that axe finds, and no scrolling sideways', async (name) => {
    const address = addressOf(name);
    expect(address).not.toContain('[');
    await goTo(address);
    await page.locator('main h1').waitFor();
    await nothingLoads();
    await page.waitForLoadState('networkidle');
    expect(await faults(page)).toEqual([]);
  });

  it.each(['timeline', 'tasks', 'about'])('of a run’s %s', async (tab) => {
    await goTo(`/runs/${run}?tab=${tab}`);
    await page.locator('.page-head').getByText('Failed', { exact: true }).waitFor();
    expect(await faults(page)).toEqual([]);
  });

  it.each(['grid', 'runs', 'versions', 'yaml'])('of a pipeline’s %s', async (tab) => {
    await goTo(`/pipelines/varied?tab=${tab}`);
    await page.getByRole('tab', { selected: true }).waitFor();
    await nothingLoads();
    await page.waitForLoadState('networkidle');
    expect(await faults(page)).toEqual([]);
  });

  it('of the nodes as a list', async () => {
    await goTo('/nodes?view=list');
    await page
      .getByRole('button', { name: /^Cordon / })
      .first()
      .waitFor();
    expect(await faults(page)).toEqual([]);
  });

  it.each(['tokens', 'audit', 'account'])('of the settings’ %s', async (tab) => {
    await goTo(`/settings?tab=${tab}`);
    await page.getByRole('tab', { selected: true }).waitFor();
    await nothingLoads();
    expect(await faults(page)).toEqual([]);
  });

  it('of the form of a run', async () => {
    await goTo('/pipelines/varied');
    await page.getByRole('button', { name: 'Run now' }).click();
    await page.getByLabel(/^times/).fill('often');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    expect(await faults(page)).toEqual([]);
  });

  it.each([
    ['log', 'oops'],
    ['attempts', 'Attempt 1'],
    ['config', 'Succeeds.'],
    ['why', 'Who decided'],
  ])('of a task’s %s', async (view, text) => {
    await goTo(`/runs/${run}?task=${task}&view=${view}`);
    await page.getByRole('complementary').getByText(text).waitFor();
    expect(await faults(page)).toEqual([]);
  });

  it('of signing in, of what is refused there, of dialogs and of what is not there', async () => {
    const outside = await browser.open({ expected: /status of 401/ });
    await outside.getByLabel('Token').fill('gantry_of-nobody');
    await outside.getByLabel('Token').press('Enter');
    await outside.getByText('The server does not know this token').waitFor();
    expect(await faults(outside)).toEqual([]);
    await goTo('/runs/none');
    await page.getByRole('alert').filter({ hasText: 'no run' }).waitFor();
    expect(await faults(page)).toEqual([]);
    await page.setViewportSize({ width: 1_360, height: 860 });
    for (const key of ['?', 'Control+k']) {
      await page.keyboard.press(key);
      await page.getByRole('dialog').waitFor();
      expect(await faults(page)).toEqual([]);
      await page.keyboard.press('Escape');
    }
  });
});
