import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startBrowser, type TestBrowser } from './browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from './server.ts';

let server: WebServer;
let browser: TestBrowser;

beforeAll(async () => {
  server = await startWebServer(['--node-name', 'alpha']);
  browser = await startBrowser(server.url);
  await applyPipeline(server, 'name: picky\ntasks: [{ key: wait, runner: mock, nodeSelector: { disk: fast } }]\n');
  await applyPipeline(server, 'name: hanging\ntasks: [{ key: hold, runner: mock, with: { outcome: hang } }]\n');
});
afterEach(async () => expect(await browser.troubles()).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('the queue', () => {
  it('shows by itself what comes to wait, with its reason and what would help, and leads to its Why tab', async () => {
    const page = await browser.open({ token: server.token, path: '/queue' });
    await page.getByText('Nothing waits').waitFor();
    const id = await triggerRun(server, 'picky');
    await page.getByText('One task waits.').waitFor();
    await page.getByText(/None of 1 node will do\. Node alpha has no label disk/).waitFor();
    await page.getByText('Drop disk=fast: alpha would do then.').waitFor();
    await page.getByRole('link', { name: 'wait', exact: true }).click();
    await page.waitForURL(new RegExp(`/runs/${id}\\?task=.*&view=why`));
    await page.getByRole('tab', { name: 'Why', selected: true }).waitFor();
  });
});

describe('the screen of a node', () => {
  it('shows by itself what begins there, and what is done to it, by whom and why', async () => {
    const page = await browser.open({ token: server.token, path: '/nodes/alpha' });
    await page.getByText('Nothing runs here now').waitFor();
    await triggerRun(server, 'hanging');
    await page.getByRole('link', { name: 'hold', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Cordon alpha' }).click();
    await page.getByRole('dialog').getByLabel('Why').fill('a <b>new</b> disk');
    await page.keyboard.press('Enter');
    const history = page.getByRole('region', { name: 'History' }).getByRole('listitem');
    await history.filter({ hasText: 'Cordoned by admin' }).filter({ hasText: 'a <b>new</b> disk' }).waitFor();
    expect(await history.count()).toBe(2);
    await history.nth(1).getByText('Registered').waitFor();
    await page.getByRole('button', { name: 'Uncordon alpha' }).click();
    await history.nth(0).getByText('Uncordoned by admin').waitFor();
  });
});
