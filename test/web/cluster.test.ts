import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startBrowser, soon, type TestBrowser } from './browser.ts';
import { applyPipeline, createToken, startWebServer, triggerRun, type WebServer } from './server.ts';

let server: WebServer;
let browser: TestBrowser;

beforeAll(async () => {
  server = await startWebServer(['--node-name', 'alpha']);
  browser = await startBrowser(server.url);
  await applyPipeline(server, 'name: quick\ntasks: [{ key: work, runner: mock }]\n');
});
afterEach(async () => expect(await browser.troubles()).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('a node', () => {
  it('is cordoned in one page, which a run that waits for it tells in another, and goes on when it is uncordoned', async () => {
    const nodes = await browser.open({ token: server.token, path: '/nodes?view=list' });
    await nodes.getByRole('button', { name: 'Cordon alpha' }).first().click();
    await nodes.getByText('alpha gets no new work. What runs there goes on.').waitFor();
    await nodes.getByRole('button', { name: 'Uncordon alpha' }).first().waitFor();

    const id = await triggerRun(server, 'quick');
    const run = await browser.open({ token: server.token, path: `/runs/${id}?tab=tasks` });
    await run.getByText('1 in the queue').waitFor();
    await run.getByRole('button', { name: 'work', exact: true }).click();
    await run.getByRole('tab', { name: 'Why' }).click();
    await run
      .getByRole('complementary')
      .getByText(/cordoned/i)
      .first()
      .waitFor();

    await nodes.getByRole('button', { name: 'Uncordon alpha' }).first().click();
    await run.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor();
  });
});

describe('a pool’s scheduler', () => {
  it('is swapped after its plan has been looked at, and what comes then is placed by the new one', async () => {
    const page = await browser.open({ token: server.token, path: '/schedulers' });
    await page.getByRole('heading', { name: /At work: priority/ }).waitFor();
    const change = page.getByRole('region', { name: 'Change' });
    await soon(async () =>
      expect(await change.getByRole('button', { name: 'Plan the change' }).getAttribute('title')).toMatch(
        /This is how it is now/,
      ),
    );
    await change.getByLabel('Scheduler', { exact: true }).selectOption('round-robin');
    expect(await change.getByRole('button', { name: 'Apply' }).count()).toBe(0);
    await change.getByRole('button', { name: 'Plan the change' }).click();
    await change.getByRole('button', { name: 'Apply' }).waitFor();
    // A plan changes nothing.
    await page.getByRole('heading', { name: /At work: priority/ }).waitFor();
    await change.getByRole('button', { name: 'Apply' }).click();
    await page.getByRole('heading', { name: /At work: round-robin/ }).waitFor();

    const id = await triggerRun(server, 'quick');
    await page.goto(`${server.url}/runs/${id}`);
    await page.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor();
    await page.getByRole('button', { name: /^work/ }).click();
    await page.getByRole('tab', { name: 'Why' }).click();
    await page
      .getByRole('complementary')
      .getByText(/^round-robin \d/)
      .waitFor();
  });

  it('is for an admin to change; others see it and are told so', async () => {
    const token = await createToken(server, 'operator', 'OPERATOR');
    const page = await browser.open({ token, path: '/schedulers' });
    await page.getByRole('heading', { name: /At work:/ }).waitFor();
    const change = page.getByRole('region', { name: 'Change' });
    await soon(async () => expect(await change.getByLabel('Scheduler', { exact: true }).isDisabled()).toBe(true));
    await soon(async () =>
      expect(await change.getByRole('button', { name: 'Plan the change' }).getAttribute('title')).toMatch(/role admin/),
    );
    await page.goto(`${server.url}/nodes?view=list`);
    await page.getByRole('button', { name: 'Cordon alpha' }).first().waitFor();
    await soon(async () =>
      expect(await page.getByRole('button', { name: 'Cordon alpha' }).first().getAttribute('title')).toMatch(
        /role admin/,
      ),
    );
  });
});
