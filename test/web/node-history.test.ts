import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startBrowser, type TestBrowser } from './browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from './server.ts';

let server: WebServer;
let browser: TestBrowser;

beforeAll(async () => {
  server = await startWebServer(['--node-name', 'alpha']);
  browser = await startBrowser(server.url);
});
afterEach(async () => expect(await browser.troubles()).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** What a browser writes down by itself about a server that is gone. */
const GONE = /WebSocket connection|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET/;

/** Cordons the node again and again; said with a reason, each time is told. */
async function cordon(times: number, why: string): Promise<void> {
  for (let time = 1; time <= times; time++) {
    await server.ask(
      `mutation ($message: String!) { cordonNode(input: { name: "alpha", message: $message }) {
         __typename ... on Error { message } } }`,
      { message: `${why} ${time}` },
    );
  }
}

describe('the history of a node', () => {
  it('is there from before the page was opened, is read back to its beginning, and goes on over a restart', async () => {
    await cordon(45, 'before');
    const page = await browser.open({ token: server.token, path: '/nodes/alpha', expected: GONE });
    const history = page.getByRole('region', { name: 'History' });
    const items = history.getByRole('listitem');
    await items.nth(0).getByText('before 45', { exact: true }).waitFor();
    expect(await items.count()).toBe(20);
    await cordon(2, 'meanwhile');
    await items.nth(0).getByText('meanwhile 2', { exact: true }).waitFor();
    await history.getByRole('button', { name: 'Older' }).click();
    // 20 + 2 + 20: the next page begins where the first ended, whatever has come since.
    await items.nth(41).waitFor();
    await history.getByRole('button', { name: 'Older' }).click();
    await history.getByText('Registered').waitFor();
    expect(await history.getByRole('button', { name: 'Older' }).count()).toBe(0);

    await server.kill();
    await page.getByRole('navigation').getByText('Reconnecting').waitFor();
    await server.restart();
    await items.nth(0).getByText('as incarnation 2').waitFor();
    await cordon(1, 'after');
    await items.nth(0).getByText('after 1', { exact: true }).waitFor();
    const numbered = (why: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${why} ${count - index}`);
    expect(await history.locator('.node-record-message').allTextContents()).toEqual([
      ...numbered('after', 1),
      ...numbered('meanwhile', 2),
      ...numbered('before', 45),
    ]);
    // The messages, that it came back, and that it came.
    expect(await items.count()).toBe(48 + 2);
  });

  it('is read again when it could not be', async () => {
    const page = await browser.open({ token: server.token, path: '/nodes', expected: /status of 500/ });
    let isBroken = true;
    await page.route('**/graphql', (route) =>
      isBroken && route.request().postData()?.includes('NodeHistory')
        ? route.fulfill({ status: 500, contentType: 'text/plain', body: 'broken' })
        : route.continue(),
    );
    await page.getByRole('link', { name: /alpha/ }).first().click();
    const history = page.getByRole('region', { name: 'History' });
    await history.getByRole('alert').waitFor();
    isBroken = false;
    await history.getByRole('button', { name: 'Try again' }).click();
    await history.getByText('Cordoned').first().waitFor();
    expect(await history.getByRole('alert').count()).toBe(0);
  });
});

describe('what has ended on a node', () => {
  it('is read back to the first, each try of it, and what ends meanwhile shows up by itself', async () => {
    await server.ask('mutation { uncordonNode(input: { name: "alpha" }) { __typename ... on Error { message } } }');
    await applyPipeline(
      server,
      `name: many\ntasks: [{ key: each, runner: mock, forEach: [${Array.from({ length: 25 }, (_, item) => item).join()}] }]\n`,
    );
    await applyPipeline(
      server,
      'name: again\ntasks: [{ key: work, runner: mock, retry: { max: 1, delay: 0s }, with: { failFirst: 1 } }]\n',
    );
    const page = await browser.open({ token: server.token, path: '/nodes/alpha' });
    const ended = page.getByRole('region', { name: 'Ended here' });
    await ended.getByText('Nothing has ended here yet').waitFor();
    await triggerRun(server, 'many');
    const rows = ended.getByRole('row').filter({ has: page.getByRole('link') });
    await rows.nth(19).waitFor();
    await ended.getByRole('button', { name: 'Older' }).click();
    await rows.nth(24).waitFor();
    const instances = Array.from({ length: 25 }, (_, index) => `each[${24 - index}]`);
    expect(await rows.getByRole('link').allTextContents()).toEqual(instances);
    expect(await ended.getByRole('button', { name: 'Older' }).count()).toBe(0);

    await triggerRun(server, 'again');
    await rows.nth(26).waitFor();
    expect(await rows.getByRole('link').allTextContents()).toEqual(['work', 'work', ...instances]);
    expect(await rows.nth(0).textContent()).toMatch(/Succeeded.*again2/);
    expect(await rows.nth(1).textContent()).toMatch(/Failed.*again1/);
    await rows.nth(1).getByRole('link').click();
    await page.waitForURL(/\/runs\/.*task=/);
  });
});
