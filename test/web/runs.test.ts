import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startBrowser, soon, type TestBrowser } from './browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from './server.ts';

let server: WebServer;
let browser: TestBrowser;

beforeAll(async () => {
  server = await startWebServer(['--node-slots', '20']);
  browser = await startBrowser(server.url);
  await applyPipeline(server, 'name: hanging\ntasks: [{ key: wait, runner: mock, with: { outcome: hang } }]\n');
  await applyPipeline(server, 'name: failing\ntasks: [{ key: fail, runner: mock, with: { outcome: fail } }]\n');
  await applyPipeline(server, 'name: fine\ntasks: [{ key: work, runner: mock }]\n');
});
afterEach(async () => expect(await browser.troubles()).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** The row of a run. */
const row = (page: Page, id: string) => page.locator('.run-row', { has: page.getByRole('link', { name: id }) });

describe('the list of runs', () => {
  it('says what to do while there is none, and shows the first one when it comes, without a reload', async () => {
    const page = await browser.open({ token: server.token });
    await page.getByText('Nothing has run yet').waitFor();
    await page.getByText('Run now').waitFor();
    const id = await triggerRun(server, 'fine');
    await row(page, id).getByText('Succeeded').waitFor();
    await row(page, id).getByText('1/1').waitFor();
    await page.getByRole('link', { name: id }).click();
    await page.getByRole('heading', { name: 'fine' }).waitFor();
    await page.goBack();
    await row(page, id).waitFor();
  });

  it('is narrowed by filters that are kept in the address, and stays live within them', async () => {
    const failed = await triggerRun(server, 'failing');
    const fine = await triggerRun(server, 'fine');
    const page = await browser.open({ token: server.token });
    await row(page, failed).getByText('Failed', { exact: true }).waitFor();
    await row(page, fine).waitFor();
    const filters = page.getByRole('group', { name: 'Filters' });
    await filters.getByRole('button', { name: 'Failed' }).click();
    await row(page, fine).waitFor({ state: 'detached' });
    await filters.getByLabel('Only of this pipeline').fill('failing');
    await filters.getByLabel('Only of this pipeline').press('Enter');
    await filters.getByLabel('What set it going').selectOption('Triggered');
    await filters.getByLabel('Since when').selectOption('The last hour');
    await row(page, failed).waitFor();
    await page.waitForURL(/states=FAILED&pipeline=failing&trigger=MANUAL&since=1h$/);

    await page.reload();
    await row(page, failed).waitFor();
    await soon(async () =>
      expect(await filters.getByRole('button', { name: 'Failed' }).getAttribute('aria-pressed')).toBe('true'),
    );
    await soon(async () => expect(await filters.getByLabel('Only of this pipeline').inputValue()).toBe('failing'));
    const next = await triggerRun(server, 'failing');
    await row(page, next).waitFor();
    await soon(async () =>
      expect(await page.locator('.run-row').getByRole('link').allTextContents()).toEqual([next, failed]),
    );
    await filters.getByLabel('Only of this pipeline').fill('none-such');
    await filters.getByLabel('Only of this pipeline').blur();
    await page.getByText('No run fits these filters').waitFor();
  });

  it('cancels and retries several at once, and each row becomes what its run does', async () => {
    const ids = [await triggerRun(server, 'hanging'), await triggerRun(server, 'hanging')];
    const failed = await triggerRun(server, 'failing');
    const page = await browser.open({ token: server.token });
    for (const id of ids) {
      await row(page, id).getByText('Running').waitFor();
      await page.getByRole('checkbox', { name: `Choose run ${id}` }).check();
    }
    await page.getByRole('button', { name: 'Cancel 2' }).click();
    await page.getByRole('button', { name: 'Really cancel 2?' }).click();
    await page.getByText('2 cancelled', { exact: true }).waitFor();
    for (const id of ids) await row(page, id).getByText('Cancelled').waitFor();

    await page.getByRole('checkbox', { name: `Choose run ${failed}` }).check();
    await soon(async () =>
      expect(await page.getByRole('button', { name: 'Cancel', exact: true }).getAttribute('title')).toBe(
        'They have ended already.',
      ),
    );
    await page.getByRole('button', { name: 'Retry 1' }).click();
    await page.getByText('1 retried', { exact: true }).waitFor();
    await page.getByRole('group', { name: 'Filters' }).getByLabel('What set it going').selectOption('Retries');
    await page.getByText('retry by admin').waitFor();
  });

  it('is gone through by keyboard: rows, the list of shortcuts, the palette, and places', async () => {
    const ids = [await triggerRun(server, 'fine'), await triggerRun(server, 'fine')].toReversed();
    const page = await browser.open({ token: server.token, path: '/runs?pipeline=fine' });
    for (const id of ids) await row(page, id).waitFor();
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? '');
    await page.keyboard.press('j');
    expect(await focused()).toBe(ids[0]);
    await page.keyboard.press('j');
    expect(await focused()).toBe(ids[1]);
    await page.keyboard.press('k');
    expect(await focused()).toBe(ids[0]);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${server.url}/runs/${ids[0]}`);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: /keyboard/i }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Go to …' }).waitFor();
    await page.keyboard.type(ids[1]!);
    await page.getByRole('dialog').getByText(ids[1]!).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(`${server.url}/runs/${ids[1]}`);
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await page.waitForURL(`${server.url}/runs`);
  });

  it('lets an admin delete a run for ever, and other pages that list it drop it', async () => {
    const gone = await triggerRun(server, 'failing');
    const stays = await triggerRun(server, 'failing');
    const list = await browser.open({ token: server.token });
    await row(list, gone).getByText('Failed', { exact: true }).waitFor();
    const page = await browser.open({ token: server.token, path: `/runs/${gone}` });
    const button = page.getByRole('button', { name: 'Delete' });
    await button.click();
    await row(list, gone).waitFor();
    await button.click();
    await page.waitForURL(/\/runs$|\/$/);
    await row(list, gone).waitFor({ state: 'detached' });
    await row(list, stays).waitFor();
  });
});
