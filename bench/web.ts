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

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** What the main thread of a page did in one go, longest first. `cpu` leaves out what others took of the machine. */
interface Tasks {
  readonly wall: readonly number[];
  readonly cpu: readonly number[];
}

/** Does something with a page and prints how long it took and what the page's main thread did meanwhile. */
async function during(page: Page, what: string, work: () => Promise<unknown>): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  devtools.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await devtools.send('Tracing.start', { transferMode: 'ReportEvents', categories: 'toplevel' });
  const began = performance.now();
  await work();
  const took = performance.now() - began;
  const isComplete = new Promise<void>((resolve) => devtools.once('Tracing.tracingComplete', () => resolve()));
  await devtools.send('Tracing.end');
  await isComplete;
  await devtools.detach();
  console.log(`${what}: ${round(took)}; ${wordsOf(tasksIn(events))}`);
}

function tasksIn(events: readonly TraceEvent[]): Tasks {
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const mains = new Set(events.filter(({ args }) => args?.name === 'CrRendererMain').map(threadOf));
  const tasks = events.filter((event) => event.name === 'ThreadControllerImpl::RunTask' && mains.has(threadOf(event)));
  if (tasks.length === 0) throw new Error('This Chromium traces no tasks under the name that is looked for.');
  const sorted = (micros: readonly (number | undefined)[]): readonly number[] =>
    micros.map((each) => (each ?? 0) / 1_000).sort((a, b) => b - a);
  return { wall: sorted(tasks.map(({ dur }) => dur)), cpu: sorted(tasks.map(({ tdur }) => tdur)) };
}

function wordsOf({ wall, cpu }: Tasks): string {
  const long = wall.filter((each) => each >= 50);
  const cpuSum = cpu.reduce((sum, each) => sum + each, 0);
  return (
    `longest task ${round(cpu[0] ?? 0)} of processor time, ${round(wall[0] ?? 0)} by the clock; ` +
    `${long.length} of 50 ms and more by the clock; ${round(cpuSum)} of processor time in all`
  );
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

const ended = (page: Page): Promise<void> =>
  page.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor({ timeout: WAIT_MS });

const scroll = (page: Page, region: string): Promise<void> =>
  during(page, '  scrolled through', () => page.getByRole('region', { name: region }).evaluate(scrollThrough));

/** A run while it goes from its first task run to its last, tab by tab. */
async function run(server: WebServer, browser: TestBrowser): Promise<void> {
  const items = JSON.stringify(Array.from({ length: Number(taskRuns) }, (_, at) => at));
  await applyPipeline(
    server,
    `name: wide\ntasks:\n  - { key: each, runner: mock, forEach: ${items} }\n  - { key: all, runner: mock, needs: [each] }\n`,
  );
  for (const [tab, region] of [
    ['graph', null],
    ['timeline', 'Timeline'],
    ['tasks', 'Task runs'],
  ] as const) {
    const page = await browser.open({ token: server.token, path: '/runs' });
    await page.locator('main h1').waitFor();
    const id = await triggerRun(server, 'wide');
    await during(page, `run of ${taskRuns} task runs, ${tab} in sight, to its end`, async () => {
      await page.goto(`${server.url}/runs/${id}?tab=${tab}`);
      await ended(page);
    });
    await during(page, '  opened anew, with all of it', async () => {
      await page.reload();
      await page.getByText(`${Number(taskRuns) + 1} succeeded`).waitFor();
    });
    if (region !== null) await scroll(page, region);
    await page.close();
  }
}

/** Goes from the top of what scrolls to its end in a hundred steps, a frame each. */
async function scrollThrough(element: Element): Promise<void> {
  for (let at = 0; at <= 100; at++) {
    element.scrollTop = (element.scrollHeight * at) / 100;
    element.scrollLeft = (element.scrollWidth * at) / 100;
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
  const page = await browser.open({ token: server.token });
  await during(page, 'graph of 1,000 tasks, shown', async () => {
    await page.locator(`a[href="/runs/${id}"]`).click();
    await page.locator('.graph-box').first().waitFor();
  });
  await during(page, '  until the end of its run', () => ended(page));
  await scroll(page, 'Graph of the tasks');
}

/** A log of a million lines: read to its end, scrolled, searched. */
async function log(server: WebServer, browser: TestBrowser): Promise<void> {
  const command = `seq -f "line %.0f of a log that is long" ${lines}`;
  await applyPipeline(server, `name: wordy\ntasks: [{ key: say, runner: shell, with: { command: '${command}' } }]\n`);
  const id = await triggerRun(server, 'wordy');
  const page = await browser.open({ token: server.token, path: `/runs/${id}?tab=tasks` });
  const panel = page.getByRole('complementary', { name: 'Task say' });
  await during(page, `log of ${lines} lines, to its end`, async () => {
    await page.getByRole('button', { name: 'say', exact: true }).click();
    await panel.getByText(`line ${lines} of`).waitFor({ timeout: WAIT_MS });
  });
  await scroll(page, 'Lines');
  await during(page, '  searched for one line', async () => {
    await panel.getByRole('searchbox').fill(`line ${Number(lines) - 1} `);
    await panel.getByText('1 of 1').waitFor({ timeout: WAIT_MS });
  });
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
