import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startBrowser, soon, type TestBrowser } from './browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from './server.ts';

let server: WebServer;
let browser: TestBrowser;
let run: string;

beforeAll(async () => {
  server = await startWebServer();
  browser = await startBrowser(server.url);
  await applyPipeline(server, 'name: quick\ntasks: [{ key: work, runner: mock }]\n');
  run = await triggerRun(server, 'quick');
});
let isUp = true;
afterEach(async () => {
  // Also where a test has failed in the middle.
  if (!isUp) await restart();
  expect(await browser.troubles()).toEqual([]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const kill = async (): Promise<void> => {
  isUp = false;
  await server.kill();
};
const restart = async (): Promise<void> => {
  await server.restart();
  isUp = true;
};

/** What a browser writes down by itself about a server that is gone. */
const GONE = /WebSocket connection|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET|Failed to load resource/;
const away = (page: Page) => page.getByRole('status', { name: 'The server' }).getByText('The server is not reachable.');
const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true });
const place = (page: Page, name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true });
/** Every screen’s program has been loaded, as it is a moment after a page was opened. */
const haveScreens = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => document.querySelectorAll('script[src*="/pages/"]').length >= 12);

describe('a page whose server is away', () => {
  let page: Page;
  beforeEach(async () => {
    page = await browser.open({ token: server.token, path: '/runs', expected: GONE });
    await page.getByRole('link', { name: run }).waitFor();
  });

  it('says so, goes where its links lead, shows what it has, and goes on when the server is back', async () => {
    await haveScreens(page);
    await page.evaluate(() => Object.assign(globalThis, { wasHere: true }));
    await kill();
    await away(page).waitFor();
    await place(page, 'Nodes').click();
    await heading(page, 'Nodes').waitFor();
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await heading(page, 'Runs').waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'A screen, pipeline, run or node' }).fill('Settings');
    await page.keyboard.press('Enter');
    await heading(page, 'Settings').waitFor();
    await page.goBack();
    await heading(page, 'Runs').waitFor();
    await restart();
    await page.getByRole('link', { name: run }).waitFor();
    await away(page).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: run }).click();
    await page.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor();
    expect(await page.evaluate(() => 'wasHere' in globalThis)).toBe(true);
  });

  it('stays where it is when it lacks the program of a screen, and opens that when the server is back', async () => {
    // As if the link were clicked before the screens were loaded, or an upgrade had taken their program away.
    await page.route(/pages\/queue-/, (route) => route.abort('connectionrefused'));
    await kill();
    await away(page).waitFor();
    await place(page, 'Queue').click();
    await page.getByText('/queue opens as soon as it is back.').waitFor();
    await heading(page, 'Runs').waitFor();
    await page.getByRole('button', { name: 'Stay here' }).click();
    await page.getByText('/queue opens as soon as it is back.').waitFor({ state: 'detached' });
    // Also what is no screen of the UI.
    await place(page, 'Playground').click();
    await page.getByText('/playground opens as soon as it is back.').waitFor();
    await page.getByRole('button', { name: 'Stay here' }).click();
    await place(page, 'Queue').click();
    await page.getByText('/queue opens as soon as it is back.').waitFor();
    await page.unroute(/pages\/queue-/);
    await restart();
    await heading(page, 'Queue').waitFor();
    expect(new URL(page.url()).pathname).toBe('/queue');
  });

  it('lets somebody sign out, and says to who wants to sign in why that has to wait', async () => {
    await kill();
    await away(page).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').fill(server.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The server cannot be reached. Is it running?').waitFor();
    await restart();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: run }).waitFor();
  });
});

describe('a server that has been upgraded', () => {
  it('is met by an old page with a request of its own, which brings the new program', async () => {
    const page = await browser.open({ token: server.token, path: '/runs', expected: GONE });
    await page.getByRole('link', { name: run }).waitFor();
    await page.route(/pages\/queue-/, (route) => route.fulfill({ status: 404, body: '' }));
    await page.evaluate(() => Object.assign(globalThis, { wasHere: true }));
    const opened = page.waitForEvent('framenavigated', (frame) => frame.url().endsWith('/queue'));
    await place(page, 'Queue').click();
    await opened;
    await page.unroute(/pages\/queue-/);
    await page.waitForFunction(() => !('wasHere' in globalThis));
  });
});

describe('a page that is loaded again while its server is away', () => {
  it('is there, says what it waits for, and goes on by itself', async () => {
    const page = await browser.open({
      token: server.token,
      path: `/runs/${run}`,
      keepsProgram: true,
      expected: GONE,
    });
    await page.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor();
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await kill();
    await page.reload();
    await page.getByText('The server is not reachable.').first().waitFor();
    await page.goto(`${server.url}/pipelines/quick`);
    await page.getByText('The server is not reachable.').first().waitFor();
    await page.goto(`${server.url}/runs/${run}`);
    await page.getByText('The server is not reachable.').first().waitFor();
    await restart();
    await page.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor();
    await soon(async () => expect(await page.getByText('The server is not reachable.').count()).toBe(0));
  });
});
