import { beforeAll, describe, expect, it } from '@jest/globals';
import { buildSchema, parse, validate } from 'graphql';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { staleFiles } from '../docs/generate.ts';
import { TOP_LEVEL_CODES } from '../docs/pages/errors.ts';
import { COMMANDS } from '../server/cli/command-table.ts';
import { SETTINGS, settingNames } from '../server/config/schema.ts';
import { parsePipeline } from '../server/definition/parse.ts';
import { isResourceName, parseQuantity } from '../server/domain/resources.ts';
import { parseDuration } from '../server/domain/time.ts';
import { createRegistry, type Registry } from '../server/plugin-host/registry.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...globSync('docs/**/*.md', { cwd: ROOT }),
  ...globSync('plugins/*/README.md', { cwd: ROOT }),
].toSorted();
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Snippet {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

const snippets: readonly Snippet[] = PAGES.flatMap((page) =>
  [...read(page).matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language = '', text = '']) => ({ page, language, text })),
);
const inLanguage = (language: string): readonly Snippet[] =>
  snippets.filter((snippet) => snippet.language === language);

let registry: Registry;
beforeAll(async () => {
  registry = await createRegistry(
    ['@gantry/runner-shell', '@gantry/runner-http', '@gantry/runner-docker', '@gantry/runner-mock'],
    ROOT,
  );
});

function problemsOf(yaml: string): readonly string[] {
  const parsed = parsePipeline(
    { yaml },
    {
      checkRunner: (runner, config) => registry.checkRunnerConfig(runner, config),
      runnerSchema: (runner) => registry.runnerSchema(runner),
    },
  );
  return parsed.ok ? [] : parsed.problems.map(({ line, message }) => `line ${line}: ${message}`);
}

describe('the generated references', () => {
  it('are what the code says (npm run docs writes them)', () => {
    expect(staleFiles()).toEqual([]);
  });

  it('explain every code that a top-level error may bear', () => {
    const sources = globSync('server/api/*.ts', { cwd: ROOT }).map(read).join('\n');
    const used = [...sources.matchAll(/extensions: \{[^}]*code: '([A-Z_]+)'|\bsay\('([A-Z_]+)'/g)].map(
      ([, one, other]) => one ?? other ?? '',
    );
    expect(used.length).toBeGreaterThan(5);
    expect([...new Set(used)].filter((code) => !(code in TOP_LEVEL_CODES))).toEqual([]);
  });
});

/** As GitHub makes them: lower case, no punctuation, dashes for blanks. */
function anchorsOf(page: string): readonly string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

describe('every link', () => {
  it.each(PAGES)('of %s leads somewhere', (page) => {
    const prose = read(page).replaceAll(/^```.*?^```/gms, '');
    const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const dead = targets.filter((target) => {
      if (/^(https?|mailto):/.test(target)) return false;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
      if (file.startsWith('..') || !existsSync(join(ROOT, file))) return true;
      return anchor !== undefined && !anchorsOf(file).includes(anchor);
    });
    expect(dead).toEqual([]);
  });

  it('of the contents covers every page', () => {
    const contents = read('docs/README.md');
    const missing = globSync('docs/**/*.md', { cwd: ROOT }).filter(
      (page) => page !== 'docs/README.md' && !contents.includes(`(${relative('docs', page)})`),
    );
    expect(missing).toEqual([]);
  });
});

describe('every snippet', () => {
  it.each(inLanguage('yaml'))('of YAML in $page is a valid pipeline', ({ text }) => {
    expect(problemsOf(text)).toEqual([]);
  });

  it.each(inLanguage('graphql'))('of GraphQL in $page fits the schema', ({ text }) => {
    const schema = buildSchema(read('schema.graphql'));
    expect(validate(schema, parse(text)).map((error) => error.message)).toEqual([]);
  });

  it('of a shell names only commands and options that exist', () => {
    const lines = inLanguage('sh').flatMap(({ page, text }) =>
      text
        .split('\n')
        .map((line) => ({ page, words: /(?:^|[\s(|])gantry ([a-z].*)/.exec(line)?.[1]?.split(' ') ?? [] })),
    );
    const called = lines.filter(({ words }) => words.length > 0 && words[0] !== 'help' && words[0] !== '&&');
    expect(called.length).toBeGreaterThan(20);
    const unknown = called.filter(({ words }) => {
      const command = COMMANDS.find(({ name }) => `${words.join(' ')} `.startsWith(`${name} `));
      if (!command) return true;
      const known = new Set(command.options?.flatMap(({ flags }) => flags.match(/--?[a-z-]+/g) ?? []));
      if (command.takesServerSettings) for (const name of settingNames) known.add(`--${SETTINGS[name].flag}`);
      for (const global of ['--json', '--url', '--token', '--config']) known.add(global);
      return words.some((word) => word.startsWith('-') && word !== '-' && !known.has(word));
    });
    expect(unknown.map(({ page, words }) => `${page}: gantry ${words.join(' ')}`)).toEqual([]);
  });
});

describe('every word in a sentence', () => {
  const prose = PAGES.map((page) => ({ page, text: read(page).replaceAll(/^```.*?^```/gms, '') }));
  const inCode = prose.flatMap(({ page, text }) =>
    [...text.matchAll(/`([^`\n]+)`/g)].map(([, words = '']) => ({ page, words })),
  );

  it('that is a command of gantry exists, with its options', () => {
    const called = inCode.flatMap(({ page, words }) => {
      const [, rest] = /^(?:npx )?gantry ([a-z].*)$/.exec(words) ?? [];
      return rest === undefined ? [] : [{ page, words: rest.split(' ') }];
    });
    expect(called.length).toBeGreaterThan(10);
    const unknown = called.filter(({ words }) => {
      const command = COMMANDS.find(({ name }) => `${words.join(' ')} `.startsWith(`${name} `));
      if (!command) return true;
      const known = new Set(command.options?.flatMap(({ flags }) => flags.match(/--?[a-z-]+/g) ?? []));
      if (command.takesServerSettings) for (const name of settingNames) known.add(`--${SETTINGS[name].flag}`);
      for (const global of ['--json', '--url', '--token', '--config', '--help']) known.add(global);
      return words.some((word) => word.startsWith('-') && word !== '-' && !known.has(word.split('=')[0]!));
    });
    expect(unknown.map(({ page, words }) => `${page}: gantry ${words.join(' ')}`)).toEqual([]);
  });

  it('that is a variable of ours is read by something', () => {
    const sources = globSync(['server/**/*.ts', 'plugins/*/src/**/*', 'test/**/*.ts', 'bench/*.ts', 'scripts/*.ts'], {
      cwd: ROOT,
    })
      .filter((file) => /\.(ts|sh)$/.test(file))
      .map(read)
      .join('\n');
    const named = inCode.flatMap(({ page, words }) =>
      [...words.matchAll(/\bGANTRY_[A-Z_]+\b/g)].map(([name]) => ({ page, name })),
    );
    expect(named.length).toBeGreaterThan(30);
    const unknown = named.filter(({ name }) => !sources.includes(name) && !/^GANTRY_(PARAM|SECRET)_/.test(name));
    expect(unknown).toEqual([]);
  });

  it('that is a duration or an amount in the reference of pipelines can be written so', () => {
    const page = read('docs/reference/pipeline.md');
    const durations = /\*\*Durations\*\*(.*?)Refused/s.exec(page)?.[1] ?? '';
    const written = [...durations.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
    expect(written.length).toBeGreaterThan(8);
    expect(written.filter((text) => !parseDuration(text).ok)).toEqual([]);
    const rows = [...page.matchAll(/^\| `(cpu|gpu|memory)`.*? \| (.*?) \|/gm)];
    expect(rows).toHaveLength(3);
    for (const [, resource = '', texts = ''] of rows) {
      const amounts = [...texts.matchAll(/`(\d[^`]*)`/g)].map(([, text = '']) => text);
      expect(amounts.length).toBeGreaterThan(1);
      expect(amounts.filter((text) => !isResourceName(resource) || !parseQuantity(resource, text).ok)).toEqual([]);
    }
  });
});

describe('every example', () => {
  it.each(globSync('examples/*/pipeline.yaml', { cwd: ROOT }))('%s is a valid pipeline', (path) => {
    expect(problemsOf(read(path))).toEqual([]);
  });
});
