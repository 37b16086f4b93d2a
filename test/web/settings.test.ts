import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startBrowser, type TestBrowser } from './browser.ts';
import { applyPipeline, createToken, startWebServer, type WebServer } from './server.ts';

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

describe('the settings', () => {
  it('make a token that is shown once and signs in, and revoke it, which ends its sessions', async () => {
    const page = await browser.open({ token: server.token, path: '/settings' });
    await page.getByRole('button', { name: 'New token' }).click();
    const dialog = page.getByRole('dialog', { name: 'New token' });
    await dialog.getByLabel('Name').fill('no such name!');
    await dialog.getByLabel('Name').press('Enter');
    await dialog.getByRole('alert').filter({ hasText: 'A name has 1 to 64 letters' }).waitFor();
    await dialog.getByLabel('Name').fill('colleague');
    await dialog.getByLabel('Name').press('Enter');
    const made = page.getByRole('dialog', { name: 'The token colleague' });
    const secret = await made.locator('input[readonly]').inputValue();
    await made.getByRole('button', { name: 'Copy' }).click();
    await made.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByText('colleague', { exact: true }).first().waitFor();
    expect(await page.content()).not.toContain(secret);

    const other = await browser.open({ token: secret, expected: /4403|status of 401|WebSocket/ });
    await other.getByRole('navigation').getByText('colleague').waitFor();
    await other.getByRole('navigation').getByText('Live', { exact: true }).waitFor();
    const revoke = page.getByRole('button', { name: 'Revoke colleague' });
    await revoke.click();
    await revoke.click();
    await other.getByText('This token is not accepted any more').waitFor();

    await page.getByRole('tab', { name: 'Audit' }).click();
    await page
      .getByText('createToken')
      .or(page.getByText(/made the token|creates? a token/i))
      .first()
      .waitFor();
  });

  it('are for an admin; others are told so', async () => {
    const token = await createToken(server, 'operator', 'OPERATOR');
    const page = await browser.open({ token, path: '/settings?tab=tokens' });
    await page
      .getByText(/role admin/)
      .first()
      .waitFor();
    expect(await page.getByRole('button', { name: /^Revoke/ }).count()).toBe(0);
  });

  it('show what is kept, by which rules, and what it takes', async () => {
    await applyPipeline(server, 'name: probe\ntasks: [{ key: a, runner: mock }]\n');
    await server.ask(
      'mutation { setRetention(input: { pipeline: "probe", age: "7d", runs: "100" }) { __typename ... on Error { message } } }',
    );
    const page = await browser.open({ token: server.token, path: '/settings?tab=storage' });
    await page.getByText('for 30d after their end, and at most the newest 10,000 of each pipeline').waitFor();
    await page.getByText('pipeline probe: for 7d, the newest 100').waitFor();
    await page.getByText('The next sweep would delete no run.').waitFor();
    const kinds = page.getByRole('region', { name: 'What the database holds' });
    // The probe and its one version.
    await kinds.getByRole('row', { name: /^pipelines 2 / }).waitFor();
  });
});
