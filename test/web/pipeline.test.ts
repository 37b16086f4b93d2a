import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startBrowser, soon, type TestBrowser } from './browser.ts';
import { applyPipeline, createToken, startWebServer, triggerRun, type WebServer } from './server.ts';

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

const editor = (page: Page) => page.getByRole('textbox', { name: /Pipeline in YAML/ });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** What the editor holds once it holds something like this. */
async function textOnce(page: Page, wanted: RegExp): Promise<string> {
  await page.waitForFunction(
    (source) => new RegExp(source).test(document.querySelector<HTMLTextAreaElement>('.yaml-text')?.value ?? ''),
    wanted.source,
  );
  return editor(page).inputValue();
}

describe('the pipelines', () => {
  it('begin with one that is written in the browser, checked as it is typed, and applied when it is right', async () => {
    const page = await browser.open({ token: server.token, path: '/new-pipeline' });
    await editor(page).fill('name: written\ntasks:\n  - key: one\n    runer: mock\n');
    const mistakes = page.getByRole('status', { name: 'Mistakes' });
    await mistakes.getByText(/^4:5/).waitFor();
    await mistakes.getByText('Did you mean “runner”?').waitFor();
    // Quoted once.
    expect((await mistakes.innerText()).match(/Did you mean/g)).toHaveLength(1);
    await soon(async () => expect(await button(page, 'Apply').getAttribute('title')).toBe('Its mistakes come first.'));
    await soon(async () => expect(await page.locator('.yaml-gutter .is-wrong').allTextContents()).toContain('4'));

    await editor(page).fill(
      'name: written\ntasks:\n  - key: one\n    runner: mock\n  - key: two\n    runner: mock\n    needs: [one]\n',
    );
    await page.getByText('This makes a new pipeline').waitFor();
    await soon(async () => expect(await page.locator('.graph-box').count()).toBe(2));
    await button(page, 'Apply').click();
    await page.waitForURL(`${server.url}/pipelines/written`);
    await page.getByText('version 1', { exact: false }).first().waitFor();
  });

  it('are changed in their YAML, with a mistake refused and shown at its line, and compared version by version', async () => {
    await applyPipeline(server, 'name: changing\ntasks:\n  - key: build\n    runner: mock\n');
    const page = await browser.open({ token: server.token, path: '/pipelines/changing?tab=yaml' });
    await soon(async () => expect(await editor(page).inputValue()).toContain('key: build'));
    await soon(async () =>
      expect(await button(page, 'Apply').getAttribute('title')).toMatch(/Nothing has changed|mistakes come first/),
    );
    await editor(page).fill('name: changing\ntasks:\n  - key: build\n    runner: mock\n    needs: [nobody]\n');
    await page.getByRole('status', { name: 'Mistakes' }).getByText(/^5:/).waitFor();
    await soon(async () => expect(await page.locator('.yaml-gutter .is-wrong').textContent()).toBe('5'));
    await editor(page).fill(
      'name: changing\ntasks:\n  - key: build\n    runner: mock\n  - key: ship\n    runner: mock\n    needs: [build]\n',
    );
    await page.getByText('This makes a new version of').waitFor();
    await button(page, 'Apply').click();
    await page.getByText('Version 2 is applied.').waitFor();
    await page.getByRole('tab', { name: 'Versions' }).click();
    await page.getByRole('list', { name: 'Versions' }).getByText('Version 2').waitFor();
    await page.getByText('key: ship').first().waitFor();
  });

  it('keep what is being typed when somebody else applies another version, and say so', async () => {
    const version = (key: string): string => `name: shared\ntasks:\n  - key: ${key}\n    runner: mock\n`;
    await applyPipeline(server, version('first'));
    const page = await browser.open({ token: server.token, path: '/pipelines/shared?tab=yaml' });
    await editor(page).waitFor();
    await applyPipeline(server, version('second'));
    await expect(textOnce(page, /second/)).resolves.toBe(version('second'));
    await editor(page).fill(version('mine'));
    await applyPipeline(server, version('third'));
    await page.getByText('Another version has been applied meanwhile.').waitFor();
    await soon(async () => expect(await editor(page).inputValue()).toBe(version('mine')));
    await button(page, 'Show the new version').click();
    await expect(textOnce(page, /third/)).resolves.toBe(version('third'));
  });

  it('keep what was typed and not applied as a draft, over other screens, a reload and a new sign-in', async () => {
    const version = (key: string): string => `name: drafted\ntasks:\n  - key: ${key}\n    runner: mock\n`;
    await applyPipeline(server, version('first'));
    const page = await browser.open({ token: server.token, path: '/pipelines/drafted?tab=yaml' });
    await editor(page).fill(version('mine'));
    await page.getByText('Kept as a draft in this browser').waitFor();
    // Elsewhere and back: it is simply there.
    await page.getByRole('tab', { name: 'Graph' }).click();
    await page.getByRole('tab', { name: 'YAML' }).click();
    await soon(async () => expect(await editor(page).inputValue()).toBe(version('mine')));
    await applyPipeline(server, version('second'));
    await page.getByText('Another version has been applied meanwhile.').waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.reload();
    await page.getByLabel('Token').fill(server.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await button(page, 'Restore the draft').waitFor();
    await soon(async () => expect(await editor(page).inputValue()).toBe(version('second')));
    await button(page, 'Restore the draft').click();
    await soon(async () => expect(await editor(page).inputValue()).toBe(version('mine')));
    // It was edited from a version that is not the latest any more.
    await page.getByText('Another version has been applied meanwhile.').waitFor();
    await button(page, 'Apply').click();
    await page.getByText('Version 3 is applied.').waitFor();
    await page.goto(`${server.url}/pipelines/drafted?tab=yaml`);
    await soon(async () => expect(await editor(page).inputValue()).toBe(version('mine')));
    expect(await button(page, 'Restore the draft').count()).toBe(0);

    await editor(page).fill(version('unwanted'));
    await page.getByText('Kept as a draft in this browser').waitFor();
    await page.reload();
    await button(page, 'Discard the draft').click();
    await soon(async () => expect(await editor(page).inputValue()).toBe(version('mine')));
    await page.reload();
    await editor(page).waitFor();
    expect(await button(page, 'Restore the draft').count()).toBe(0);
  });

  it('are run from a form made of their params, which says what is wrong with what was filled in', async () => {
    await applyPipeline(
      server,
      `
name: asking
params:
  times: { type: integer, description: How often. }
  what: { type: string, default: tests, options: [tests, benchmarks] }
  deep: { type: json, default: { a: 1 } }
tasks: [{ key: work, runner: mock, with: { outputs: { what: '\${{ params.what }}' } } }]
`,
    );
    const page = await browser.open({ token: server.token, path: '/pipelines/asking' });
    await button(page, 'Run now').click();
    const form = page.getByRole('dialog', { name: 'Run asking' });
    await form.getByLabel(/^times/).fill('often');
    await form.getByRole('button', { name: 'Run', exact: true }).click();
    await form.getByRole('alert').waitFor();
    await soon(async () => expect(await form.getByLabel(/^times/).getAttribute('aria-invalid')).toBe('true'));
    // What a browser would have rounded before anybody could refuse it.
    await form.getByLabel(/^times/).fill('9007199254740993');
    await form.getByLabel(/^deep/).fill('{ "id": 9007199254740993 }');
    await form.getByRole('button', { name: 'Run', exact: true }).click();
    await form.getByText(/^9007199254740993 is a number that cannot be kept exactly/).waitFor();
    await form.getByText(/^id \(line 1, column 9\): .* Write it as a string: "9007199254740993"\.$/).waitFor();
    await form.getByLabel(/^times/).fill('3');
    await form.getByLabel(/^deep/).fill('{ "id": "9007199254740993" }');
    await form.getByLabel(/^what/).selectOption('benchmarks');
    await form.getByRole('button', { name: 'Run', exact: true }).click();
    await page.waitForURL(/\/runs\/./);
    await page.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor();
    await page.getByRole('tab', { name: 'Params and origin' }).click();
    await page.getByText('"times": 3').waitFor();
    await page.getByText('"id": "9007199254740993"').waitFor();
    await page.getByText('"what": "benchmarks"').waitFor();
  });

  it('are paused, resumed and deleted, and show what their runs came to', async () => {
    await applyPipeline(server, 'name: fleeting\ntasks: [{ key: work, runner: mock }]\n');
    const id = await triggerRun(server, 'fleeting');
    const page = await browser.open({ token: server.token, path: '/pipelines' });
    await page.getByRole('link', { name: 'fleeting' }).first().click();
    await page.getByRole('heading', { name: 'fleeting' }).waitFor();
    await page.getByRole('tab', { name: 'Runs' }).click();
    await page.getByRole('link', { name: id }).waitFor();
    await page.getByRole('tab', { name: 'Grid' }).click();
    await page.getByText('work').first().waitFor();
    await button(page, 'Pause').click();
    await page.getByText('Paused', { exact: true }).waitFor();
    await soon(async () =>
      expect(await button(page, 'Run now').getAttribute('title')).toBe('It is paused: resume it first.'),
    );
    await button(page, 'Resume').click();
    await button(page, 'Pause').waitFor();
    await button(page, 'Delete').click();
    await button(page, 'Really delete?').click();
    await page.waitForURL(`${server.url}/pipelines`);
    await page.getByText('fleeting is deleted. Its runs are kept.').waitFor();
    expect(await page.getByRole('link', { name: 'fleeting' }).count()).toBe(0);
  });

  it('are not for a viewer to change, who is told so', async () => {
    await applyPipeline(server, 'name: watched\ntasks: [{ key: work, runner: mock }]\n');
    const token = await createToken(server, 'onlooker', 'VIEWER');
    const page = await browser.open({ token, path: '/pipelines/watched?tab=yaml' });
    await editor(page).waitFor();
    for (const name of ['Delete', 'Pause', 'Run now', 'Apply']) {
      await soon(async () => expect(await button(page, name).getAttribute('aria-disabled')).toBe('true'));
      await soon(async () =>
        expect(await button(page, name).getAttribute('title')).toMatch(/^This takes the role (operator|author)/),
      );
    }
    await soon(async () => expect(await editor(page).getAttribute('readonly')).toBe(''));
  });
});
