import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startBrowser, type TestBrowser } from './browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from './server.ts';

let server: WebServer;
let browser: TestBrowser;

/** Three of these are more than a replay takes, and none of them is ever executed. */
const WIDE = 9_000;
const QUICK = 4;

const ended = async (id: string): Promise<void> => {
  for (;;) {
    const query = 'query ($id: ID!) { run(id: $id) { isFinished } }';
    if ((await server.ask<{ readonly run: { readonly isFinished: boolean } }>(query, { id })).run.isFinished) return;
  }
};
const REPLAY = `query ($from: DateTime!) { replay(input: { from: $from, schedulers: [{ scheduler: "priority" }, { scheduler: "spread" }] }) {
  taskRunCount recordedCount sampledCount stretches results { choice { scheduler } ended } } }`;
const from = new Date(Date.now() - 3_600_000).toISOString();

beforeAll(async () => {
  server = await startWebServer();
  browser = await startBrowser(server.url);
  await applyPipeline(server, 'name: quick\ntasks: [{ key: work, runner: mock }]\n');
  for (let at = 0; at < QUICK; at++) await ended(await triggerRun(server, 'quick'));
});
afterEach(async () => expect(await browser.troubles()).toEqual([]));
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('a replay', () => {
  it('takes all of a short period, one at a time for each token', async () => {
    const [first, second] = await Promise.allSettled([server.ask(REPLAY, { from }), server.ask(REPLAY, { from })]);
    const answers = [first, second].filter(({ status }) => status === 'fulfilled');
    const refusals = [first, second].filter(({ status }) => status === 'rejected');
    expect(answers).toMatchObject([
      {
        value: {
          replay: {
            taskRunCount: QUICK,
            recordedCount: QUICK,
            sampledCount: QUICK,
            stretches: 1,
            results: [
              { choice: { scheduler: 'priority' }, ended: QUICK },
              { choice: { scheduler: 'spread' }, ended: QUICK },
            ],
          },
        },
      },
    ]);
    expect(refusals).toMatchObject([{ reason: { message: expect.stringContaining('TOO_MANY') } }]);
    // Once it is over there may be another.
    await server.ask(REPLAY, { from });
  });

  it('of a busy period takes stretches, and says so', async () => {
    const items = JSON.stringify(Array.from({ length: WIDE }, (_, at) => at));
    await applyPipeline(
      server,
      `name: wide\ntasks: [{ key: each, runner: mock, forEach: ${items}, nodeSelector: { never: there } }]\n`,
    );
    for (let at = 0; at < 3; at++) {
      const id = await triggerRun(server, 'wide');
      await server.ask(
        'mutation ($id: ID!) { cancelRun(input: { id: $id }) { __typename ... on Error { message } } }',
        {
          id,
        },
      );
      await ended(id);
    }
    const { replay } = await server.ask<{ readonly replay: Readonly<Record<string, number>> }>(REPLAY, { from });
    expect(replay['recordedCount']).toBe(3 * WIDE + QUICK);
    expect(replay['sampledCount']).toBeLessThanOrEqual(20_000);
    expect(replay['sampledCount']).toBeGreaterThan(WIDE);

    const page = await browser.open({ token: server.token, path: '/schedulers?tab=replay' });
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page.getByRole('status', { name: 'Replay' }).waitFor();
    await page.getByText(`of ${(3 * WIDE + QUICK).toLocaleString()} task runs of the period were taken`).waitFor();
    await page.getByText(/stretches, evenly spread/).waitFor();
    await page.getByRole('region', { name: 'Schedulers compared' }).getByText('critical-path').waitFor();
    // A period of one’s own.
    await page.getByRole('combobox', { name: 'Period' }).selectOption('own');
    await page.getByLabel('From', { exact: true }).fill('2020-01-01T00:00');
    await page.getByLabel('To; now when it is left empty').fill('2020-01-02T00:00');
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page.getByText('Nothing ended in this period').waitFor();
  });
});
