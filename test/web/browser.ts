import { setTimeout } from 'node:timers/promises';
import { chromium, type Browser, type Page } from 'playwright-core';

/** Of Debian and Ubuntu; elsewhere the environment says where it is. */
const CHROMIUM = process.env['GANTRY_TEST_CHROMIUM'] ?? '/usr/bin/chromium';

/** What a step may take. Shorter than Jest's own limit, so that it is the step that is named and not the test. */
const STEP_MS = 15_000;

const ARGUMENTS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How a page is opened. */
export interface PageOptions {
  /** Signs in with this token, by the login link. Otherwise nobody is signed in. */
  readonly token?: string;
  /** Behind the server's address; begins with `/`. The list of runs unless told. */
  readonly path?: string;
  readonly colorScheme?: 'light' | 'dark';
  /** Pixels. */
  readonly width?: number;
  /** Lets the page keep its program, for when the server is away. Not unless told: every profile would load all of it. */
  readonly keepsProgram?: boolean;
  /** Troubles that the test brings about itself, such as a server that is killed. */
  readonly expected?: RegExp;
}

/** A headless Chromium for one server, and what went wrong in any of its pages. */
export interface TestBrowser {
  /** Opens a page in a profile of its own, which nothing was kept in before. */
  open(options?: PageOptions): Promise<Page>;
  /**
   * What no test may bring about unless it says so: errors and warnings on the console (violations of the policy are
   * among them), uncaught exceptions, dialogs, and requests to any other host. Asked once, then forgotten. Closes all
   * pages.
   */
  troubles(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Starts Chromium. `url` is the server's. */
export async function startBrowser(url: string): Promise<TestBrowser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  const troubles: string[] = [];
  return {
    open: (options = {}) => openPage(browser, url, troubles, options),
    troubles: async () => {
      await Promise.all(browser.contexts().map((context) => context.close()));
      return troubles.splice(0);
    },
    close: () => browser.close(),
  };
}

async function openPage(browser: Browser, url: string, troubles: string[], options: PageOptions): Promise<Page> {
  const { token, path = '/runs', colorScheme = 'light', width = 1_360, keepsProgram = false, expected } = options;
  const context = await browser.newContext({
    viewport: { width, height: 860 },
    colorScheme,
    reducedMotion: 'reduce',
    serviceWorkers: keepsProgram ? 'allow' : 'block',
  });
  context.setDefaultTimeout(STEP_MS);
  const trouble = (what: string): void => {
    if (!expected?.test(what) && !what.includes('Service Worker registration blocked by Playwright'))
      troubles.push(what);
  };
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) trouble(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => trouble(`uncaught: ${error.message}`));
  page.on('dialog', (dialog) => {
    trouble(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const origin = new URL(url).origin;
  page.on('request', (request) => {
    const to = new URL(request.url());
    if (to.origin !== origin && !['data:', 'blob:'].includes(to.protocol)) trouble(`request to ${request.url()}`);
  });
  await page.goto(`${url}${path}${token === undefined ? '' : `#token=${token}`}`);
  return page;
}

/**
 * Repeats an expectation until it holds, as `waitFor` does for what is in sight: a page follows what is done to it, but
 * not at once. Throws what the expectation threw last when the patience of a step is over.
 */
export async function soon(expectation: () => Promise<void>): Promise<void> {
  for (const until = Date.now() + STEP_MS; ; await setTimeout(20)) {
    try {
      return await expectation();
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}
