import type { Page } from 'playwright-core';
import { startBrowser, type TestBrowser } from '../test/web/browser.ts';
import { applyPipeline, startWebServer, triggerRun, type WebServer } from '../test/web/server.ts';

/*
 * The web UI in a headless Chromium against a real server: the scripts of the home page, how soon it can be used, and
 * the longest task of the page's main thread while it shows a run with 10,000 task runs from its first to its last, a
 * pipeline's graph of 1,000 tasks, and a log of a million lines.
 *
 *   npm run bench -- web [task runs] [lines]
 */

const [taskRuns = '10000', lines = '1000000'] = process.argv.slice(2);
const ROUNDS = 5;
const WAIT_MS = 180_000;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const round = (ms: number): string => `${Math.round(ms)} ms`;

/** Begins to note tasks of 50 ms and longer. */
const watchTasks = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const tasks: number[] = [];
    Object.assign(globalThis, { longTasks: tasks });
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: 'longtask',
    });
  });

/** What has been noted since it was last asked. */
async function longTasks(page: Page): Promise<string> {
  const tasks = await page.evaluate(() => (globalThis as unknown as { longTasks: number[] }).longTasks.splice(0));
  if (tasks.length === 0) return 'none above 50 ms';
  const sum = tasks.reduce((all, each) => all + each, 0);
  return `longest ${round(Math.max(...tasks))}, ${tasks.length} above 50 ms, ${round(sum)} together`;
}

/** What the home page loads, and how long it takes from the request until its first screen is there and answers. */
async function home(server: WebServer, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ token: server.token, path: '/' });
  const took: number[] = [];
  for (let at = 0; at < ROUNDS; at++) {
    await page.goto('about:blank');
    const began = performance.now();
    await page.goto(`${server.url}/`, { waitUntil: 'commit' });
    await page.locator('main h1').waitFor();
    // A frame after that, the page answers to what is done.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    took.push(performance.now() - began);
  }
  await page.waitForLoadState('networkidle');
  const scripts = await page.evaluate(() =>
    (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
      .filter(({ name }) => name.endsWith('.js'))
      .map(({ initiatorType, encodedBodySize }) => ({ isAhead: initiatorType === 'link', encodedBodySize })),
  );
  const bytes = (isWanted: boolean): number =>
    scripts.reduce((sum, each) => sum + (each.isAhead === isWanted ? 0 : each.encodedBodySize), 0);
  const [now, ahead] = [bytes(true), bytes(false)].map((each) => `${Math.round(each / 1_000)} KB`);
  console.log(`home: ${now} of compressed script; ${ahead} more fetched ahead for other screens`);
  console.log(`home: usable after ${round(median(took))} (${took.map(round).join(', ')})`);
}

/** A run while it goes from its first task run to its last, tab by tab. */
async function run(server: WebServer, browser: TestBrowser): Promise<void> {
  for (const tab of ['graph', 'timeline', 'tasks']) {
    const items = JSON.stringify(Array.from({ length: Number(taskRuns) }, (_, at) => at));
    await applyPipeline(
      server,
      `name: wide\ntasks:\n  - { key: each, runner: mock, forEach: ${items} }\n  - { key: all, runner: mock, needs: [each] }\n`,
    );
    const id = await triggerRun(server, 'wide');
    const began = performance.now();
    const page = await browser.open({ token: server.token, path: `/runs?pipeline=wide` });
    await watchTasks(page);
    await page.locator(`a[href="/runs/${id}"]`).click();
    await page.locator('.page-head').getByText('Running', { exact: true }).waitFor();
    if (tab !== 'graph') await page.getByRole('tab', { name: tab === 'tasks' ? 'Tasks' : 'Timeline' }).click();
    await page.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor({ timeout: WAIT_MS });
    console.log(
      `run of ${taskRuns} task runs in ${round(performance.now() - began)}, ${tab} in sight: ${await longTasks(page)}`,
    );
    const open = performance.now();
    await page.reload();
    await page.getByText(`${Number(taskRuns) + 1} succeeded`).waitFor();
    console.log(`  opened anew, with all of it, after ${round(performance.now() - open)}`);
    if (tab === 'graph') continue;
    await watchTasks(page);
    await page.getByRole('region', { name: tab === 'tasks' ? 'Task runs' : 'Timeline' }).evaluate(scrollThrough);
    console.log(`  scrolled through: ${await longTasks(page)}`);
  }
}

/** Goes from the top of what scrolls to its end in a hundred steps, a frame each. */
async function scrollThrough(element: Element): Promise<void> {
  for (let at = 0; at <= 100; at++) {
    element.scrollTop = (element.scrollHeight * at) / 100;
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

/** A pipeline of 1,000 tasks in 40 layers. */
async function graph(server: WebServer, browser: TestBrowser): Promise<void> {
  const tasks = Array.from({ length: 1_000 }, (_, at) => {
    const layer = Math.floor(at / 25);
    const needs = layer === 0 ? [] : [(layer - 1) * 25 + (at % 25), (layer - 1) * 25 + ((at * 7) % 25)];
    return `  - { key: t${at}, runner: mock, needs: [${[...new Set(needs)].map((each) => `t${each}`).join(', ')}] }`;
  });
  await applyPipeline(server, `name: deep\ntasks:\n${tasks.join('\n')}\n`);
  const id = await triggerRun(server, 'deep');
  const page = await browser.open({ token: server.token, path: '/runs?pipeline=deep' });
  await watchTasks(page);
  const began = performance.now();
  await page.locator(`a[href="/runs/${id}"]`).click();
  await page.locator('.graph-box').first().waitFor();
  const shown = performance.now() - began;
  await page.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor({ timeout: WAIT_MS });
  console.log(`graph of 1,000 tasks: shown after ${round(shown)}; until the end of its run: ${await longTasks(page)}`);
  await page.getByRole('region', { name: 'Graph of the tasks' }).evaluate(scrollThrough);
  console.log(`  scrolled through: ${await longTasks(page)}`);
}

/** A log of a million lines: read to its end, scrolled, searched. */
async function log(server: WebServer, browser: TestBrowser): Promise<void> {
  await applyPipeline(
    server,
    `name: wordy\ntasks:\n  - key: say\n    runner: shell\n    with: { command: 'seq -f "line %.0f of a log that is long" ${lines}' }\n`,
  );
  const id = await triggerRun(server, 'wordy');
  const page = await browser.open({ token: server.token, path: `/runs/${id}?tab=tasks` });
  await watchTasks(page);
  const began = performance.now();
  await page.getByRole('button', { name: 'say', exact: true }).click();
  const panel = page.getByRole('complementary', { name: 'Task say' });
  await panel.getByText(`line ${lines} of`).waitFor({ timeout: WAIT_MS });
  console.log(`log of ${lines} lines: its end after ${round(performance.now() - began)}: ${await longTasks(page)}`);
  await panel.getByRole('region', { name: 'Lines' }).evaluate(scrollThrough);
  console.log(`  scrolled through: ${await longTasks(page)}`);
  const searched = performance.now();
  await panel.getByRole('searchbox').fill(`line ${Number(lines) - 1} `);
  await panel.getByText('1 of 1').waitFor({ timeout: WAIT_MS });
  console.log(`  searched for one line: ${round(performance.now() - searched)}: ${await longTasks(page)}`);
}

const server = await startWebServer(['--node-slots', '200']);
const browser = await startBrowser(server.url);
try {
  for (const part of [home, graph, run, log]) await part(server, browser);
} finally {
  for (const trouble of new Set(await browser.troubles())) console.log(`trouble: ${trouble}`);
  await browser.close();
  await server.stop();
}
