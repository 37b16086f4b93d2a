import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createRegistry } from '../../server/plugin-host/registry.ts';

const folder = new URL('../support/broken-plugins/', import.meta.url).pathname;
const load = (...names: string[]) =>
  createRegistry(
    names.map((name) => `./${name}.ts`),
    folder,
  );

describe('a plugin', () => {
  it('that is sound is listed with all that it says of itself, and can be found', async () => {
    const registry = await load('sound');
    expect(registry.list()).toEqual([
      {
        kind: 'RUNNER',
        name: 'sound',
        version: '1.2.3',
        contract: '1.0',
        summary: 'Does nothing.',
        state: 'ACTIVE',
        problem: null,
        configSchema: expect.objectContaining({ type: 'object' }) as unknown,
        source: './sound.ts',
      },
    ]);
    expect(registry.runner('sound')?.version).toBe('1.2.3');
    expect(registry.scheduler('sound')).toBeNull();
    expect(registry.runnerSchema('sound')).toMatchObject({ properties: { path: { type: 'string' } } });
  });

  it.each([
    ['throws-on-load', 'It could not be loaded: no licence was found. Is the path right'],
    ['throws-null-on-load', 'It could not be loaded: null. Is the path right'],
    ['not-there', 'It could not be loaded: '],
    ['nothing-exported', 'Its default export is not a plugin: use defineRunner or defineScheduler.'],
    ['wrong-kind', 'Its kind is storage; a plugin is a scheduler or a runner.'],
    ['bad-name', 'Its name is Not A Name; names are lower case letters, digits and dashes.'],
    ['bad-version', 'Its version is latest, which is not a semantic version.'],
    ['no-contract', 'Its contract is undefined; it must say for which version it was built, such as 1.0.'],
    ['cannot-run', 'A runner must have a function `run`.'],
    ['bad-detect', 'Its `detect` must be a function, or be left out.'],
    ['bad-idempotent', 'Its `isIdempotent` must be a function, or be left out.'],
    ['no-summary', 'It has no `summary`: one sentence for lists and forms.'],
    ['no-config', 'Its config has no function `check`: use zodConfig.'],
    ['hostile-header', 'It could not be loaded: it does not tell its name.'],
  ])('that is broken (%s) is listed with what is wrong, and keeps nothing else from loading', async (name, problem) => {
    const registry = await load(name, 'sound');
    expect(registry.list()).toMatchObject([
      { state: 'FAILED', problem: expect.stringContaining(problem) as unknown, source: `./${name}.ts` },
      { state: 'ACTIVE', name: 'sound' },
    ]);
    expect(registry.names('runner')).toEqual(['sound']);
  });

  it.each([
    ['future-contract', 'Built for contract 2.0; this Gantry speaks 1.0 to 1.0.'],
    ['newer-contract', 'Built for contract 1.7; this Gantry speaks 1.0 to 1.0.'],
  ])('that was built for another contract is incompatible (%s)', async (name, problem) => {
    const [info] = (await load(name)).list();
    expect(info).toMatchObject({ state: 'INCOMPATIBLE', problem, kind: 'RUNNER', version: '1.2.3' });
  });

  it('that does not parse is listed as well', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'gantry-plugin-'));
    try {
      writeFileSync(join(temporary, 'plugin.mjs'), 'export default {');
      const [info] = (await createRegistry(['./plugin.mjs'], temporary)).list();
      expect(info).toMatchObject({
        state: 'FAILED',
        problem: expect.stringContaining('It could not be loaded') as unknown,
      });
    } finally {
      rmSync(temporary, { recursive: true });
    }
  });

  it('that is a package which is not installed says so', async () => {
    const [info] = (await createRegistry(['@gantry/runner-that-is-not-there'], folder)).list();
    expect(info).toMatchObject({
      state: 'FAILED',
      name: '@gantry/runner-that-is-not-there',
      problem: expect.stringMatching(
        /could not be loaded: .*runner-that-is-not-there.* Is the package installed\?$/s,
      ) as unknown,
    });
  });

  it('with the name of another is left out, and the first one stays', async () => {
    const registry = await createRegistry(['./sound.ts', `${folder}sound.ts`], folder);
    expect(registry.list()).toMatchObject([
      { state: 'ACTIVE' },
      { state: 'FAILED', problem: 'There is already a runner named sound; leave one of them out.' },
    ]);
  });
});

describe('the config of a task', () => {
  it('is checked by its runner, with every problem and its path', async () => {
    const registry = await load('sound');
    expect(registry.checkRunnerConfig('sound', { path: 'a' })).toEqual([]);
    expect(registry.checkRunnerConfig('sound', { path: 7, more: true })).toMatchObject([
      { code: 'INVALID_TYPE', path: ['path'] },
      { code: 'UNRECOGNIZED_KEYS', path: [] },
    ]);
  });

  it('is said to be idempotent only by a runner that says so of it', async () => {
    const registry = await load('says-idempotent', 'sound');
    expect(registry.isRunnerIdempotent('says-idempotent', { path: 'yes' })).toBe(true);
    expect(registry.isRunnerIdempotent('says-idempotent', { path: 'no' })).toBe(false);
    expect(registry.isRunnerIdempotent('says-idempotent', { path: 'throw' })).toBe(false);
    expect(registry.isRunnerIdempotent('says-idempotent', { path: 7 })).toBe(false);
    expect(registry.isRunnerIdempotent('sound', { path: 'yes' })).toBe(false);
    expect(registry.isRunnerIdempotent('nobody', {})).toBe(false);
  });

  it('for an unknown runner is a problem with a suggestion', async () => {
    const registry = await load('sound');
    expect(registry.checkRunnerConfig('sund', {})).toEqual([
      { code: 'UNKNOWN_RUNNER', message: 'There is no runner sund.', remedy: 'Did you mean sound?', path: [] },
    ]);
    expect(registry.checkRunnerConfig('kubernetes', {})).toMatchObject([{ remedy: 'There are: sound.' }]);
    expect((await load()).checkRunnerConfig('shell', {})).toMatchObject([
      { code: 'UNKNOWN_RUNNER', remedy: 'No runner is loaded: see the list of plugins.' },
    ]);
  });

  it.each([
    ['throwing-check', 'The runner throwing-check failed on this config: the check is broken'],
    ['nonsense-check', 'The runner nonsense-check failed on this config: its check returned no result'],
  ])('whose check is broken blames the plugin (%s)', async (name, message) => {
    expect((await load(name)).checkRunnerConfig(name, {})).toMatchObject([{ code: 'PLUGIN_FAULT', message }]);
  });
});
