import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { IMPURE, MAY_IMPORT, MAY_IMPORT_LAZILY, PURE, refusal, rowOf } from '../scripts/architecture.ts';

// The real linter with the real configuration reads forbidden snippets in a folder laid out as this repository, so
// that neither the table nor the bans can be off without a failure here.

const ROOT = join(import.meta.dirname, '..');

/** Importer, what it imports: each must be refused. */
const FORBIDDEN_IMPORTS: readonly (readonly [path: string, specifier: string])[] = [
  ['server/agent/a1.ts', '../store/store.ts'],
  ['server/agent/a2.ts', '../engine/loop.ts'],
  ['server/agent/a3.ts', '../dispatch/sync.ts'],
  ['server/agent/a4.ts', '../api/schema.ts'],
  ['server/agent/link/a5.ts', '../../store/store.ts'],
  ['server/api/b1.ts', '../engine/loop.ts'],
  ['server/api/b2.ts', '../engine/core/advance.ts'],
  ['server/api/run/b3.ts', '../../dispatch/sync.ts'],
  ['server/api/b4.ts', '../placement/verify.ts'],
  ['server/engine/c1.ts', '../dispatch/sync.ts'],
  ['server/engine/core/c2.ts', '../loop.ts'],
  ['server/engine/core/c3.ts', '../../clock.ts'],
  ['server/dispatch/c4.ts', '../engine/loop.ts'],
  ['server/domain/d1.ts', '../store/store.ts'],
  ['server/domain/d2.ts', '@gantry/plugin-kit/scheduler'],
  ['server/placement/e1.ts', './scheduler-host.ts'],
  ['server/placement/filters/e2.ts', '../../plugin-host/registry.ts'],
  ['server/simulation/e3.ts', '../placement/scheduler-host.ts'],
  ['server/store/f1.ts', '../events/hub.ts'],
  ['server/store/f2.ts', '../../plugins/kit/src/vocabulary.ts'],
  ['server/events/f3.ts', '../commands/submit.ts'],
  ['server/plugin-host/f4.ts', '../store/store.ts'],
  ['server/cli/g1.ts', '../api/schema.ts'],
  ['server/cli/g2.ts', '../main.ts'],
  ['server/unheard-of/h1.ts', '../domain/run.ts'],
  ['plugins/kit/src/scheduler.ts', './runner.ts'],
  ['plugins/kit/src/plugin.ts', '../../../server/domain/run.ts'],
  ['plugins/scheduler-x/src/index.ts', '@gantry/plugin-kit/runner'],
  ['plugins/runner-x/src/index.ts', '../../../server/agent/journal.ts'],
  ['web/pages/index.ts', '../../server/domain/run.ts'],
];

const ALLOWED: readonly (readonly [path: string, code: string])[] = [
  ['server/domain/ok1.ts', "import type { A } from '@gantry/plugin-kit/vocabulary';\nexport type B = A;"],
  ['server/domain/ok2.ts', 'export const at = (now: number): Date => new Date(now);'],
  ['server/domain/ok3.ts', 'export const zone = (d: Date): number => Math.max(Date.UTC(2026, 0), d.getTime());'],
  ['server/domain/ok4.ts', 'export const isDate = (value: unknown): boolean => value instanceof Date;'],
  ['server/domain/ok5.ts', 'export const label = (process: { performance: string }): string => process.performance;'],
  ['server/engine/ok6.ts', "import { a } from './core/advance.ts';\nexport const b = a;"],
  ['server/engine/ok7.ts', "import { a } from '../clock.ts';\nexport const b = a;"],
  ['server/cli/ok8.ts', "export const load = async (): Promise<unknown> => import('../main.ts');"],
  ['server/placement/scheduler-host.ts', 'export const now = (): number => Date.now();'],
  ['server/dispatch/ok9.ts', "import { a } from '../engine/inbox.ts';\nexport const b = a;"],
  ['test/ok10.ts', "import { a } from '../server/engine/core/advance.ts';\nexport const b = a;"],
  ['plugins/runner-x/test/ok11.ts', "import { a } from '../../../test/support/b.ts';\nexport const b = a;"],
];

/** Impure code: each must be refused in every pure folder. */
const IMPURITIES: readonly string[] = [
  'export const x = Date.now();',
  'export const { now } = Date;',
  'export const x = new Date();',
  'export const x = Date();',
  'export const x = performance.now();',
  'export const x = Math.random();',
  'export const { random } = Math;',
  'export const x = () => setTimeout(() => 0, 1);',
  'export const x = () => setInterval(() => 0, 1);',
  'export const x = () => setImmediate(() => 0);',
  'export const x = () => queueMicrotask(() => 0);',
  'export const x = process.env;',
  'export const x = crypto.randomUUID();',
  "export const x = () => fetch('a');",
  'export const x = () => console.info(1);',
  'export const x = globalThis.Date;',
  "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;",
  "import { randomUUID } from 'crypto';\nexport const x = randomUUID;",
  "export { readFileSync } from 'node:fs';",
  "export const x = () => import('node:os');",
  "import type { Readable } from 'node:stream';\nexport type X = Readable;",
];

const PURE_FOLDERS = PURE.map((key) => key.replace('*', 'x')).filter((key) => !key.endsWith('.ts'));

/** Other rules that the repository leans on: rule, file, code. */
const OTHERS: readonly (readonly [rule: string, path: string, code: string])[] = [
  ['no-explicit-any', 'server/api/any.ts', 'export const x: any = 1;'],
  [
    'no-floating-promises',
    'server/api/floating.ts',
    'const f = async (): Promise<void> => {};\nexport const g = () => {\n  f();\n};',
  ],
  ['no-cycle', 'server/api/cycle.ts', "import { b } from './cycle-back.ts';\nexport const a = (): unknown => b;"],
  ['max-lines', 'server/api/long.ts', 'export {};\n'.repeat(401)],
];

interface Finding {
  readonly message: string;
  readonly code: string;
  readonly filename: string;
}

const folder = mkdtempSync(join(tmpdir(), 'gantry-architecture-'));
let findings: readonly Finding[] = [];

function write(path: string, code: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), code);
}

const importing = (specifier: string): string => `import { a } from '${specifier}';\nexport const b = a;\n`;
const impureFile = (pureFolder: string, at: number): string => `${pureFolder}/impure-${at}.ts`;
const rulesFor = (path: string): string[] => findings.filter((each) => each.filename === path).map((each) => each.code);

beforeAll(() => {
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json', 'scripts']) {
    cpSync(join(ROOT, file), join(folder, file), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, specifier] of FORBIDDEN_IMPORTS) write(path, importing(specifier));
  for (const [path, code] of ALLOWED) write(path, code);
  for (const pureFolder of PURE_FOLDERS) {
    IMPURITIES.forEach((code, at) => write(impureFile(pureFolder, at), code));
  }
  for (const [, path, code] of OTHERS) write(path, code);
  write('server/api/cycle-back.ts', "import { a } from './cycle.ts';\nexport const b = (): unknown => a;");

  const oxlint = join(ROOT, 'node_modules', '.bin', 'oxlint');
  const run = spawnSync(oxlint, ['--format', 'json'], { cwd: folder, encoding: 'utf8', maxBuffer: 64 << 20 });
  findings = (JSON.parse(run.stdout) as { readonly diagnostics: readonly Finding[] }).diagnostics;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the import table', () => {
  it.each(FORBIDDEN_IMPORTS)('refuses %s importing %s', (path, _specifier) => {
    expect(rulesFor(path)).toContain('gantry(import-direction)');
  });

  it.each(ALLOWED)('lets %s pass', (path, _code) => {
    expect(rulesFor(path).filter((rule) => rule.startsWith('gantry'))).toEqual([]);
  });

  it('keeps every row but the composition root from importing the composition root', () => {
    const rows = Object.keys(MAY_IMPORT).filter((row) => row !== 'server/main.ts');
    const free = rows.filter((row) => !refusal(row.replace('*', 'x'), 'server/main.ts', false));
    expect(free).toEqual([]);
  });

  it('names only rows, files of rows and entry points of the kit', () => {
    const kit = JSON.parse(readFileSync(join(ROOT, 'plugins/kit/package.json'), 'utf8')) as { exports: object };
    const entries = Object.keys(kit.exports).map((entry) => `@gantry/plugin-kit${entry.slice(1)}`);
    const named = [...Object.values(MAY_IMPORT), ...Object.values(MAY_IMPORT_LAZILY)].flat();
    const unknown = named.filter(
      (each) => !rowOf(each) && ![...entries, '@gantry/plugin-kit', 'server', 'plugins'].includes(each),
    );
    expect(unknown).toEqual([]);
  });

  it('says what to do', () => {
    expect(refusal('server/agent/agent.ts', 'server/store/store.ts', false)).toMatch(
      /^server\/agent must not import server\/store\/store\.ts; it may import server\/domain, .* let server\/main\.ts hand it in/,
    );
  });
});

describe('a pure folder', () => {
  const cases = PURE_FOLDERS.flatMap((pureFolder) => IMPURITIES.map((code, at) => ({ pureFolder, code, at })));

  it.each(cases)('$pureFolder refuses $code', ({ pureFolder, at }) => {
    expect(rulesFor(impureFile(pureFolder, at))).toContain('gantry(pure)');
  });

  it('is told the remedy', () => {
    const finding = findings.find((each) => each.code === 'gantry(pure)');
    expect(finding?.message).toContain('Take `now` as an argument');
  });

  it('is also checked without the types of Node', () => {
    const config = readFileSync(join(ROOT, 'tsconfig.pure.json'), 'utf8').replace(/^\s*\/\/.*$/gm, '');
    const { include, exclude, compilerOptions } = JSON.parse(config) as Record<string, unknown>;
    expect(include).toEqual(PURE);
    expect(exclude).toEqual(expect.arrayContaining([...IMPURE]));
    expect(compilerOptions).toEqual({ lib: ['es2024'], types: [] });
    // One import of a file that needs them would bring Node's types back for all.
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    const files = spawnSync(tsc, ['-p', 'tsconfig.pure.json', '--listFilesOnly'], { cwd: ROOT, encoding: 'utf8' });
    expect(files.stdout).toContain('/plugins/kit/src/scheduler.ts');
    expect(files.stdout).not.toContain('/@types/node/');
  });
});

describe('the linter', () => {
  it.each(OTHERS)('has %s on', (rule, path, _code) => {
    expect(rulesFor(path).join()).toContain(rule);
  });
});

describe('package-lock.json', () => {
  const text = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
  const packages = Object.keys((JSON.parse(text) as { packages: object }).packages);

  it('holds one copy of graphql', () => {
    expect(packages.filter((path) => /(^|\/)node_modules\/graphql$/.test(path))).toEqual(['node_modules/graphql']);
  });

  it('holds no download address', () => {
    expect(text).not.toMatch(/"resolved": "http/);
  });
});
