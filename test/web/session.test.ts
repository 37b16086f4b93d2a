import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startBrowser, soon, type TestBrowser } from './browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from './server.ts';

let server: WebServer;
let browser: TestBrowser;

beforeAll(async () => {
  server = await startWebServer();
  browser = await startBrowser(server.url);
});
afterEach(async () => expect(await browser.troubles()).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('signing in', () => {
  it('is done by the login link, whose token leaves the address at once and is kept for the next time', async () => {
    const page = await browser.open({ token: server.token });
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
    await page.waitForURL(`${server.url}/runs`);
    await soon(async () => expect(await page.getByRole('navigation').textContent()).toContain('admin'));
    await page.reload();
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
  });

  it('is done by a pasted token, and the page that was asked for is shown', async () => {
    const page = await browser.open({ path: '/runs?states=FAILED' });
    await page.getByLabel('Token').fill(`  ${server.token}\n`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
    await page.waitForURL(`${server.url}/runs?states=FAILED`);
  });

  it('says what is wrong with a token, and shows nothing', async () => {
    const page = await browser.open({ expected: /status of 401/ });
    const alert = page.getByRole('alert').filter({ hasText: /./ });
    await page.getByRole('button', { name: 'Sign in' }).click();
    await soon(async () => expect(await alert.textContent()).toMatch(/Paste a token first/));
    await page.getByLabel('Token').fill('gantry_of-nobody');
    await page.getByLabel('Token').press('Enter');
    await page.getByText('The server does not know this token').waitFor();
    await page.getByLabel('Token').fill('naïve token');
    await page.getByLabel('Token').press('Enter');
    await page.getByText('That is no token').waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);
  });

  it('with a link whose token is not good says so, and asks for another', async () => {
    const page = await browser.open({ token: 'gantry_of-nobody', expected: /status of 401|4403|403/ });
    await page.getByText('This token is not accepted any more').waitFor();
    await page.getByLabel('Token').fill(server.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
  });
});

describe('signing out', () => {
  it('forgets the token, in the other tabs of the browser, too', async () => {
    const page = await browser.open({ token: server.token });
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
    const other = await page.context().newPage();
    await other.goto(`${server.url}/runs`);
    await other.getByRole('heading', { name: 'Runs' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await other.getByLabel('Token').waitFor();
    expect(await page.evaluate(() => Object.values(localStorage))).not.toContain(server.token);
    await page.reload();
    await page.getByLabel('Token').waitFor();
  });
});

describe('a link to a run', () => {
  it('opens the run and the task that was open, and does so again after a reload', async () => {
    await applyPipeline(
      server,
      'name: linked\ntasks:\n  - { key: only, runner: mock, with: { logLines: 1, logLine: hello } }\n',
    );
    const id = await triggerRun(server, 'linked');
    const page = await browser.open({ token: server.token, path: `/runs/${id}` });
    await page.getByRole('heading', { name: 'linked' }).waitFor();
    await page.getByRole('tab', { name: 'Tasks' }).click();
    await page.getByRole('button', { name: 'only', exact: true }).click();
    await page.getByRole('complementary', { name: 'Task only' }).getByRole('tab', { name: 'Why' }).click();
    await page.waitForURL(/tab=tasks.*view=why/);
    const address = page.url();
    await page.reload();
    await page.getByRole('complementary', { name: 'Task only' }).waitFor();
    await soon(async () =>
      expect(await page.getByRole('tab', { name: 'Why' }).getAttribute('aria-selected')).toBe('true'),
    );
    expect(page.url()).toBe(address);
  });

  it('that nobody knows is answered with a sentence', async () => {
    const page = await browser.open({ token: server.token, path: '/runs/run_00000000000000000000000000' });
    await page
      .getByRole('alert')
      .filter({ hasText: /no run/i })
      .waitFor();
  });
});
