import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startBrowser, type TestBrowser } from './browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from './server.ts';

// How long any of this takes is for `npm run bench -- web`; what must hold is that a page draws only what is in sight.

const TASK_RUNS = 10_000;
const TASKS = 1_000;
/** Of everything on the page. */
const MOST_ELEMENTS = 2_500;

let server: WebServer;
let browser: TestBrowser;
let page: Page;

beforeAll(async () => {
  // Without a slot nothing runs, and the test decides what happens.
  server = await startWebServer(['--node-slots', '0']);
  browser = await startBrowser(server.url);
});
afterEach(async () => {
  const count = await page.evaluate(() => document.querySelectorAll('*').length);
  expect(await browser.troubles()).toEqual([]);
  expect(count).toBeLessThan(MOST_ELEMENTS);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** To the end of what scrolls. */
const scrollToEnd = (region: string): Promise<void> =>
  page.getByRole('region', { name: region }).evaluate((element) => {
    element.scrollTop = element.scrollHeight;
    element.scrollLeft = element.scrollWidth;
  });

describe(`a run of ${TASK_RUNS} task runs`, () => {
  it('is one box in the graph, and every one of its task runs is found in its lists', async () => {
    const items = JSON.stringify(Array.from({ length: TASK_RUNS }, (_, at) => at));
    await applyPipeline(server, `name: wide\ntasks: [{ key: each, runner: mock, forEach: ${items} }]\n`);
    const id = await triggerRun(server, 'wide');
    page = await browser.open({ token: server.token, path: `/runs/${id}` });
    await page.getByText(`${TASK_RUNS} in the queue`).waitFor();
    expect(await page.locator('.graph-box').allInnerTexts()).toEqual([
      expect.stringMatching(new RegExp(`each[^]*0 of ${TASK_RUNS}`)),
    ]);

    // What stands for many leads to the list of them.
    await page.locator('.graph-box').click();
    await page.getByRole('button', { name: 'Only each' }).waitFor();
    await scrollToEnd('Task runs');
    await page.getByRole('button', { name: `each[${TASK_RUNS - 1}]`, exact: true }).waitFor();
    await page.getByRole('searchbox', { name: 'Only tasks or nodes' }).fill('each[4321]');
    await page.getByText(`1 of ${TASK_RUNS}`).waitFor();
    await page.getByRole('button', { name: 'each[4321]', exact: true }).click();
    await page.getByRole('complementary', { name: 'Task each[4321]' }).waitFor();
    await page.getByRole('tab', { name: 'Timeline' }).click();
    await scrollToEnd('Timeline');
    await page
      .getByRole('button', { name: /^each\[99\d\d\]$/ })
      .first()
      .waitFor();
  });

  it('is cancelled in one go while it is looked at', async () => {
    const id = await triggerRun(server, 'wide');
    page = await browser.open({ token: server.token, path: `/runs/${id}?tab=tasks` });
    await page.getByText(`${TASK_RUNS} in the queue`).waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Really cancel?' }).click();
    await page.getByText(`${TASK_RUNS} cancelled`).waitFor();
    await page.getByRole('img', { name: `${TASK_RUNS} of ${TASK_RUNS} task runs have ended` }).waitFor();
  });
});

describe(`a pipeline of ${TASKS} tasks`, () => {
  it('is drawn as far as it is in sight, layer behind layer, nothing upon anything else', async () => {
    const width = 25;
    const tasks = Array.from({ length: TASKS }, (_, at) => {
      const before = (Math.floor(at / width) - 1) * width;
      const needs = before < 0 ? [] : [...new Set([before + (at % width), before + ((at * 7) % width)])];
      return `  - { key: t${at}, runner: mock, needs: [${needs.map((each) => `t${each}`).join(', ')}] }`;
    });
    await applyPipeline(server, `name: deep\ntasks:\n${tasks.join('\n')}\n`);
    const id = await triggerRun(server, 'deep');
    page = await browser.open({ token: server.token, path: `/runs/${id}` });
    const boxes = page.locator('.graph-box');
    await boxes.filter({ hasText: /^t0/ }).waitFor();
    const rectangles = await boxes.evaluateAll((all) =>
      all.map((each) => each.getBoundingClientRect().toJSON() as DOMRect),
    );
    expect(rectangles.length).toBeLessThan(TASKS / 2);
    const overlaps = rectangles.filter((one, at) =>
      rectangles.some(
        (other, index) =>
          index < at && one.x < other.right && other.x < one.right && one.y < other.bottom && other.y < one.bottom,
      ),
    );
    expect(overlaps).toEqual([]);
    await scrollToEnd('Graph of the tasks');
    await boxes
      .filter({ hasText: /^t9[789]\d/ })
      .first()
      .waitFor();
    expect(await boxes.filter({ hasText: /^t0/ }).count()).toBe(0);
    await page.getByRole('button', { name: 'Smaller' }).click();
    await boxes
      .filter({ hasText: /^t9[789]\d/ })
      .first()
      .click();
    await page.getByRole('complementary', { name: /^Task t9/ }).waitFor();
  });
});
