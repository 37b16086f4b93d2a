import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { availableParallelism } from 'node:os';
import { startBrowser, type TestBrowser } from './browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from './server.ts';

const CROWD = `
name: crowd
tasks: [{ key: many, runner: mock, nodeSelector: { disk: fast }, forEach: [${[...Array(3_000).keys()].join()}] }]
`;
const CANCEL = `mutation ($id: ID!) { cancelRun(input: { id: $id }) { __typename ... on Error { message } } }`;

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
    const waiting = page.getByRole('region', { name: 'What waits' });
    await waiting.getByText(/None of 1 node will do\. Node alpha has no label disk/).waitFor();
    await waiting.getByText('Drop disk=fast: alpha would do then.').waitFor();
    await page.getByRole('link', { name: 'wait', exact: true }).click();
    await page.waitForURL(new RegExp(`/runs/${id}\\?task=.*&view=why`));
    await page.getByRole('tab', { name: 'Why', selected: true }).waitFor();
  });

  it('of thousands is scrolled to its end, narrowed by what keeps them, and goes on by itself meanwhile', async () => {
    await applyPipeline(server, CROWD);
    const crowd = await triggerRun(server, 'crowd');
    const page = await browser.open({ token: server.token, path: '/queue' });
    await page.getByText('3,001 tasks wait.').waitFor();
    const reasons = page.getByRole('region', { name: 'Why they wait' });
    await reasons.getByRole('button', { name: /No node of the kind.*3,001/ }).waitFor();
    const waiting = page.getByRole('region', { name: 'What waits' });
    await waiting.getByRole('link', { name: 'wait', exact: true }).waitFor();
    await waiting.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await waiting.getByRole('link', { name: 'many[2999]', exact: true }).waitFor();
    await waiting.getByText('3,001', { exact: true }).waitFor();

    await page.getByLabel('Only of this pipeline').selectOption({ label: 'picky · 1' });
    await page.getByText('1 of 3,001 shown').waitFor();
    await waiting.getByRole('link', { name: 'wait', exact: true }).waitFor();
    await page.waitForURL(/pipeline=picky/);
    const another = await triggerRun(server, 'picky');
    await page.getByText('2 of 3,002 shown').waitFor();
    await server.ask(CANCEL, { id: another });
    await page.getByText('1 of 3,001 shown').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await server.ask(CANCEL, { id: crowd });
    await page.getByText('One task waits.').waitFor();
    await page.setViewportSize({ width: 390, height: 800 });
    await waiting.getByRole('link', { name: 'wait', exact: true }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});

describe('a task as large as the node, behind small ones', () => {
  it('has the node held for it, and all who look at the queue or the pools are told so', async () => {
    const cpu = availableParallelism();
    await server.ask(
      `mutation { updatePool(input: { name: "default", scheduler: "priority", config: { reserveAfterMs: 0 } }) {
         __typename ... on Error { message } } }`,
    );
    for (const [name, amount] of [
      ['small', '500m'],
      ['large', cpu],
    ]) {
      await applyPipeline(
        server,
        `name: ${name}\ntasks: [{ key: ${name}, runner: mock, resources: { cpu: ${amount} }, with: { outcome: hang } }]\n`,
      );
    }
    const page = await browser.open({ token: server.token, path: '/queue' });
    const first = await triggerRun(server, 'small');
    const large = await triggerRun(server, 'large');
    const late = await triggerRun(server, 'small');
    const held = page.getByRole('list', { name: 'Held nodes' });
    await held.getByText('alpha is held for large').waitFor();
    await page.getByRole('button', { name: /Nodes are held for others.*1/ }).waitFor();
    const { pools } = await server.ask<{ readonly pools: readonly object[] }>(
      '{ pools { heldNodes { nodeName taskRun { runId } } } }',
    );
    expect(pools).toEqual([{ heldNodes: [{ nodeName: 'alpha', taskRun: { runId: large } }] }]);

    await server.ask(CANCEL, { id: first });
    // It begins; and since nobody has to wait for that here, the small one is the next.
    await held.getByText('alpha is held for small').waitFor();
    await page.goto(`${server.url}/runs/${large}`);
    await page.locator('.page-head').getByText('Running', { exact: true }).waitFor();
    for (const id of [large, late]) await server.ask(CANCEL, { id });
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
