import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { startBrowser, soon, type TestBrowser } from './browser.ts';
import { applyPipeline, createToken, startWebServer, triggerRun, type WebServer } from './server.ts';

let server: WebServer;
let browser: TestBrowser;
const folder = mkdtempSync(join(tmpdir(), 'gantry-web-run-'));

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

const openRun = (id: string, query = ''): Promise<Page> =>
  browser.open({ token: server.token, path: `/runs/${id}${query}` });
const runState = (page: Page, word: string): Promise<void> =>
  page.getByRole('main').locator('.page-head').getByText(word, { exact: true }).waitFor();
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

// Its tasks wait for files, so that nothing happens before the test has looked.
const GATED = `
name: gated
params:
  folder: { type: string }
tasks:
  - key: build
    runner: shell
    with:
      command: |
        printf 'plain\\n\\033[31mred\\033[0m and \\033[1;32mbold green\\033[0m\\nneedle one\\n'
        while [ ! -e "$GANTRY_PARAM_FOLDER/built" ]; do sleep 0.05; done
        echo 'needle two' >&2
  - key: ship
    needs: [build]
    runner: shell
    with:
      command: test -e "$GANTRY_PARAM_FOLDER/ready-to-ship" || { echo 'nothing to ship'; exit 3; }
`;

describe('a run', () => {
  it('is watched to its end, its log is read, and its failure is retried, all without a reload', async () => {
    await applyPipeline(server, GATED);
    const id = await triggerRun(server, 'gated', { folder });
    const page = await openRun(id);
    await runState(page, 'Running');
    await page.evaluate(() => Object.assign(globalThis, { wasHere: true }));

    await page.getByRole('button', { name: /^build.*Running/ }).click();
    const panel = page.getByRole('complementary', { name: 'Task build' });
    await panel.getByText('needle one').waitFor();
    await soon(async () => expect(await panel.locator('.ansi-red').textContent()).toBe('red'));
    await soon(async () => expect(await panel.locator('.ansi-bold.ansi-green').textContent()).toBe('bold green'));

    writeFileSync(join(folder, 'built'), '');
    await panel.getByText('needle two').waitFor();
    await runState(page, 'Failed');
    await soon(async () => expect(await panel.locator('.log-line.is-stderr').textContent()).toMatch(/needle two$/));
    const search = panel.getByRole('searchbox', { name: 'Search in the log' });
    await search.fill('NEEDLE');
    await panel.getByText('1 of 2').waitFor();
    await search.press('Enter');
    await panel.getByText('2 of 2').waitFor();
    await soon(async () => expect(await panel.locator('.is-hit mark').textContent()).toBe('needle'));
    await search.fill('haystack');
    await panel.getByText('not found').waitFor();
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });

    await page.getByRole('button', { name: /^ship.*Failed/ }).click();
    await page.getByRole('complementary', { name: 'Task ship' }).getByText('nothing to ship').waitFor();
    writeFileSync(join(folder, 'ready-to-ship'), '');
    await button(page, 'Retry from failure').click();
    await page.waitForURL((url) => /^\/runs\/./.test(url.pathname) && !url.pathname.endsWith(id));
    await runState(page, 'Succeeded');
    await page.getByRole('button', { name: /^build.*Taken over/ }).waitFor();
    await page.getByRole('button', { name: /^ship.*Succeeded/ }).waitFor();
    expect(await page.evaluate(() => 'wasHere' in globalThis)).toBe(true);
  });

  it('tells of a task what was tried, what it is made of, and why it is where it is', async () => {
    await applyPipeline(
      server,
      `
name: told
tasks:
  - key: flaky
    description: Fails at first.
    runner: mock
    with: { failFirst: 1, outputs: { answer: 42 } }
    resources: { cpu: 250m }
    retry: { max: 2, backoff: constant, delay: 10ms }
`,
    );
    const page = await openRun(await triggerRun(server, 'told'));
    await runState(page, 'Succeeded');
    await page.getByRole('button', { name: /^flaky/ }).click();
    const panel = page.getByRole('complementary', { name: 'Task flaky' });
    await panel.getByText('It has printed nothing.').waitFor();
    await panel.getByRole('tab', { name: 'Log' }).press('ArrowRight');
    await panel.getByText('Attempt 2').waitFor();
    const attempts = await panel.getByRole('tabpanel').innerText();
    expect(attempts).toMatch(/Attempt 2[^]*Succeeded[^]*Attempt 1[^]*Failed[^]*ordered to fail with exit code 1/);
    expect(attempts).toMatch(/"?answer"?: 42/);
    await panel.getByRole('tab', { name: 'Config' }).click();
    await panel.getByText('Fails at first.').waitFor();
    await soon(async () => expect(await panel.getByRole('tabpanel').innerText()).toMatch(/mock[^]*250m cpu|0\.25 cpu/));
    await panel.getByRole('tab', { name: 'Why' }).click();
    await panel.getByRole('heading', { name: 'Who decided' }).waitFor();
    await panel.getByRole('button', { name: 'Make the decision again' }).click();
    await panel.getByText(/Made again, it is the same/).waitFor();
    await page.waitForURL(/view=why/);
  });

  it('shows in its timeline every attempt, and in Config the command as it ran', async () => {
    await applyPipeline(
      server,
      `
name: tried
params:
  who: { type: string }
tasks:
  - key: list
    runner: mock
    with: { outputs: { words: [first, second] } }
  - key: each
    needs: [list]
    forEach: \${{ tasks.list.outputs.words }}
    runner: shell
    env: { WHO: '\${{ params.who }}', WHAT: 'the \${{ item }} of \${{ tasks.list.outputs.words }}' }
    with: { command: exit 3 }
    retry: { max: 2, backoff: constant, delay: 10ms }
`,
    );
    const id = await triggerRun(server, 'tried', { who: 'Ada' });
    const page = await openRun(id, '?tab=timeline');
    await runState(page, 'Failed');
    const row = page.locator('.timeline-row', { hasText: 'each[1]' });
    await soon(async () =>
      expect(
        new Set(await row.locator('.bar[data-attempt]').evaluateAll((all) => all.map((bar) => bar.dataset['attempt']))),
      ).toEqual(new Set(['1', '2', '3'])),
    );
    await row.getByRole('button').click();
    const panel = page.getByRole('complementary', { name: 'Task each[1]' });
    await panel.getByRole('tab', { name: 'Config' }).click();
    await panel.getByText('As it ran').waitFor();
    const config = await panel.getByRole('tabpanel').innerText();
    expect(config).toMatch(/WHO": "Ada"/);
    expect(config).toContain('the second of');
    expect(config).not.toContain('params.who');
  });

  it('has a log that is searched while it grows', async () => {
    await applyPipeline(
      server,
      `
name: chatty
params:
  folder: { type: string }
tasks:
  - key: talk
    runner: shell
    with:
      command: |
        echo needle
        while [ ! -e "$GANTRY_PARAM_FOLDER/said-enough" ]; do echo hay; sleep 0.01; done
        echo another needle
`,
    );
    const page = await openRun(await triggerRun(server, 'chatty', { folder }));
    await page.getByRole('button', { name: /^talk.*Running/ }).click();
    const panel = page.getByRole('complementary', { name: 'Task talk' });
    await panel.getByRole('searchbox').fill('needle');
    await panel.getByText('1 of 1', { exact: true }).waitFor();
    writeFileSync(join(folder, 'said-enough'), '');
    await panel.getByText('1 of 2', { exact: true }).waitFor();
  });

  it('says of a task that waits what would help', async () => {
    await applyPipeline(server, 'name: picky\ntasks: [{ key: choosy, runner: mock, nodeSelector: { disk: fast } }]\n');
    const page = await openRun(await triggerRun(server, 'picky'), '?tab=tasks');
    await button(page, 'choosy').click();
    const panel = page.getByRole('complementary', { name: 'Task choosy' });
    await panel.getByRole('tab', { name: 'Why' }).click();
    await panel.getByText(/disk/).first().waitFor();
    await soon(async () => expect(await panel.getByText('What would help').count()).toBe(1));
  });
});

const HANGING = 'name: hanging\ntasks: [{ key: wait, runner: mock, with: { outcome: hang } }]\n';

describe('what can be done with a run', () => {
  it('is to pause and resume it, and to cancel it when asked twice', async () => {
    await applyPipeline(server, HANGING);
    const page = await openRun(await triggerRun(server, 'hanging'));
    await runState(page, 'Running');
    await button(page, 'Pause').click();
    await button(page, 'Resume').click();
    await button(page, 'Pause').waitFor();
    await button(page, 'Cancel').click();
    await button(page, 'Really cancel?').click();
    await runState(page, 'Cancelled');
    await soon(async () => expect(await button(page, 'Cancel').getAttribute('title')).toBe('The run has ended.'));
    await button(page, 'Retry tasks …').click();
    const dialog = page.getByRole('dialog', { name: 'Retry which tasks?' });
    await dialog.getByLabel('wait').check();
    await dialog.getByRole('button', { name: 'Retry 1' }).click();
    await runState(page, 'Running');
    await page.getByText(/^Run \S+ has begun/).waitFor();
  });

  it('is nothing for a viewer, who is told why at each action', async () => {
    await applyPipeline(server, HANGING);
    const id = await triggerRun(server, 'hanging');
    const token = await createToken(server, 'onlooker', 'VIEWER');
    const page = await browser.open({ token, path: `/runs/${id}` });
    await runState(page, 'Running');
    const actions = page.locator('.page-head').getByRole('button');
    await soon(async () =>
      expect(await actions.allTextContents()).toEqual(['Pause', 'Cancel', 'Retry tasks …', 'Retry from failure']),
    );
    for (const action of await actions.all()) {
      await soon(async () => expect(await action.getAttribute('aria-disabled')).toBe('true'));
      expect(await action.getAttribute('title')).toBe('This takes the role operator; your token has viewer.');
    }
    await button(page, 'Cancel').click({ force: true });
    await button(page, 'Cancel').press('Enter');
    expect(await button(page, 'Really cancel?').count()).toBe(0);
    await page.goto(`${server.url}/runs`);
    await page.getByRole('checkbox', { name: `Choose run ${id}` }).check();
    for (const name of ['Cancel 1', 'Retry']) {
      await soon(async () => expect(await button(page, name).getAttribute('title')).toMatch(/takes the role operator/));
    }
  });
});
