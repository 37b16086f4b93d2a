import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startBrowser, soon, type TestBrowser } from './browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from './server.ts';

/** Enough that what is told of them does not fit into what waits for a client. */
const TASK_RUNS = 3_000;

let server: WebServer;
let browser: TestBrowser;

beforeAll(async () => {
  server = await startWebServer(['--node-slots', '200']);
  browser = await startBrowser(server.url);
  const items = JSON.stringify(Array.from({ length: TASK_RUNS }, (_, at) => at));
  await applyPipeline(server, `name: wide\ntasks: [{ key: each, runner: mock, forEach: ${items} }]\n`);
});
afterEach(async () => expect(await browser.troubles()).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** Writes down every state that the head of the page has shown. */
const watchStates = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const states: string[] = [];
    Object.assign(globalThis, { states });
    const look = (): void => {
      const state = document.querySelector('.page-head .badge')?.textContent ?? '';
      if (state !== '' && state !== states.at(-1)) states.push(state);
    };
    new MutationObserver(look).observe(document.body, { childList: true, characterData: true, subtree: true });
    look();
  });

/** The page does nothing for a while, and so does not read what the server sends. */
const stall = (page: Page, ms: number): Promise<void> =>
  page.evaluate((wait) => {
    for (const until = performance.now() + wait; performance.now() < until;);
  }, ms);

const isFinished = async (id: string): Promise<boolean> =>
  (
    await server.ask<{ readonly run: { readonly isFinished: boolean } }>(
      'query ($id: ID!) { run(id: $id) { isFinished } }',
      {
        id,
      },
    )
  ).run.isFinished;

describe(`a run of ${TASK_RUNS} task runs that ends while its page is slow`, () => {
  it('is never shown to go back, and offers at the end what can be done with a run that has ended', async () => {
    const id = await triggerRun(server, 'wide');
    const page = await browser.open({ token: server.token, path: `/runs/${id}` });
    await page.locator('.page-head .badge').waitFor();
    await watchStates(page);
    while (!(await isFinished(id))) await stall(page, 1_000);
    await page.getByText(`${TASK_RUNS} succeeded`).waitFor();
    await page.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor();
    const cancel = page.getByRole('button', { name: 'Cancel', exact: true });
    await soon(async () => expect(await cancel.getAttribute('title')).toBe('The run has ended.'));
    const states = await page.evaluate(() => (globalThis as unknown as { states: string[] }).states);
    // Each at most once, and the last of them to stay.
    expect([...new Set(states)]).toEqual(states);
    expect(states.at(-1)).toBe('Succeeded');
    // What it shows when nothing more comes is what a page that is opened now shows.
    const summary = await page.locator('.summary-counts').innerText();
    const fresh = await browser.open({ token: server.token, path: `/runs/${id}` });
    await fresh.getByText(`${TASK_RUNS} succeeded`).waitFor();
    expect(await fresh.locator('.summary-counts').innerText()).toBe(summary);
  });

  it('is shown as ended in the lists that follow it, too, and leaves those of what runs', async () => {
    const id = await triggerRun(server, 'wide');
    const all = await browser.open({ token: server.token, path: '/runs' });
    const running = await browser.open({ token: server.token, path: '/runs?states=QUEUED,RUNNING' });
    await all.getByRole('link', { name: id }).waitFor();
    while (!(await isFinished(id))) await Promise.all([stall(all, 500), stall(running, 500)]);
    await all.locator('.run-row', { hasText: id }).getByText('Succeeded').waitFor();
    await all.locator('.run-row', { hasText: id }).getByText(`${TASK_RUNS}/${TASK_RUNS}`).waitFor();
    await running.getByText('No run fits these filters').waitFor();
  });
});
