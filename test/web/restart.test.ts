import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBrowser, soon, type TestBrowser } from './browser.ts';
import { applyPipeline, createToken, startWebServer, triggerRun, type WebServer } from './server.ts';

let server: WebServer;
let browser: TestBrowser;
const folder = mkdtempSync(join(tmpdir(), 'gantry-web-restart-'));

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

/** What a browser writes down by itself about a server that is gone. */
const GONE = /WebSocket connection|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET/;

// One task is found again after the restart, for what it runs outlives the server; the other has yet to begin.
const PIPELINE = `
name: outliving
params:
  folder: { type: string }
tasks:
  - key: first
    runner: shell
    with:
      command: |
        echo 'before the break'
        while [ ! -e "$GANTRY_PARAM_FOLDER/go-on" ]; do sleep 0.05; done
        echo 'after the break'
  - key: second
    needs: [first]
    runner: mock
    with: { logLines: 1, logLine: the end }
`;

describe('a server that is killed and started again', () => {
  it('is waited for by the page, which says so, recovers by itself, and goes on to the end of the run', async () => {
    await applyPipeline(server, PIPELINE);
    const id = await triggerRun(server, 'outliving', { folder });
    const page = await browser.open({ token: server.token, path: `/runs/${id}`, expected: GONE });
    const list = await browser.open({ token: server.token, path: '/runs', expected: GONE });
    await page.getByRole('button', { name: /^first.*Running/ }).click();
    const panel = page.getByRole('complementary', { name: 'Task first' });
    await panel.getByText('before the break').waitFor();
    await list.locator('.run-row').getByText('Running').waitFor();
    const contact = page.getByRole('navigation').getByRole('status');
    await soon(async () => expect(await contact.textContent()).toBe('Live'));
    await page.evaluate(() => Object.assign(globalThis, { wasHere: true }));

    await server.kill();
    await contact.getByText('Reconnecting').waitFor();
    await list.getByRole('navigation').getByText('Reconnecting').waitFor();
    // What was known stays in sight.
    await soon(async () => expect(await panel.getByText('before the break').count()).toBe(1));
    await page.getByRole('button', { name: /^first.*Running/ }).waitFor();

    await server.restart();
    await contact.getByText('Live').waitFor();
    writeFileSync(join(folder, 'go-on'), '');
    await panel.getByText('after the break').waitFor();
    await page.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor();
    // The agent tells again what it cannot know to be kept, and says so. The page shows what one that is opened now does.
    const lines = await panel.locator('.log-text').allTextContents();
    expect([lines[0], lines.at(-1)]).toEqual(['before the break', 'after the break']);
    const fresh = await browser.open({
      token: server.token,
      path: new URL(page.url()).pathname + new URL(page.url()).search,
    });
    await fresh.getByText('after the break').waitFor();
    await soon(async () => expect(await fresh.locator('.log-text').allTextContents()).toEqual(lines));
    await page.getByRole('button', { name: /^second.*Succeeded/ }).waitFor();
    await list.locator('.run-row').getByText('Succeeded').waitFor();
    await list.locator('.run-row').getByText('2/2').waitFor();
    expect(await page.evaluate(() => 'wasHere' in globalThis)).toBe(true);
  });

  it('is told of where something was to be done meanwhile, which can be done afterwards', async () => {
    await applyPipeline(server, 'name: hanging\ntasks: [{ key: wait, runner: mock, with: { outcome: hang } }]\n');
    const id = await triggerRun(server, 'hanging');
    const page = await browser.open({ token: server.token, path: `/runs/${id}`, expected: GONE });
    await page.locator('.page-head').getByText('Running', { exact: true }).waitFor();
    await server.kill();
    await page.getByRole('navigation').getByText('Reconnecting').waitFor();
    const pause = page.getByRole('button', { name: 'Pause', exact: true });
    await pause.click();
    await page.getByRole('log', { name: 'Messages' }).getByText('The server cannot be reached').waitFor();
    await server.restart();
    await page.getByRole('navigation').getByText('Live').waitFor();
    await pause.click();
    await page.getByRole('button', { name: 'Resume', exact: true }).waitFor();
  });

  it('asks for another token when the one of the page has been revoked', async () => {
    const secret = await createToken(server, 'lent', 'OPERATOR');
    const page = await browser.open({ token: secret, expected: /4403|status of 401|WebSocket/ });
    await page.getByRole('navigation').getByText('Live').waitFor();
    const { tokens } = await server.ask<{ readonly tokens: readonly { id: string; name: string }[] }>(
      '{ tokens { id name } }',
    );
    await server.ask(
      'mutation ($id: ID!) { revokeToken(input: { id: $id }) { __typename ... on Error { message } } }',
      { id: tokens.find(({ name }) => name === 'lent')!.id },
    );
    await page.getByText('This token is not accepted any more').waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);
  });
});
