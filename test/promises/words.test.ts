import { describe, expect, it } from '@jest/globals';
import { buildSchema, isEnumType, isInterfaceType, isObjectType, isUnionType } from 'graphql';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TOP_LEVEL_CODES } from '../../docs/pages/errors.ts';
import { FAILURE_KINDS } from '../../server/domain/failure.ts';
import { settingNames } from '../../server/config/schema.ts';
import { producedStrings, readMembers, stringsMadeBy } from './produced.ts';

/*
 * Nothing is promised that nothing produces: every word of the schema, of the codes and of the pages is made somewhere
 * in the code by something other than the table that lists it.
 */

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const schema = buildSchema(read('schema.graphql'));

const SERVER = 'server/**/*.ts';
const PLUGINS = 'plugins/*/src/**/*.ts';

/** Enums whose values a client hands in; the server only compares them. */
const INPUTS: ReadonlySet<string> = new Set(['Backoff', 'ParamType', 'RetryFrom', 'Role']);
/** Tables of states, of which the histories of transitions.test.ts are the proof. */
const STATES: ReadonlySet<string> = new Set([
  'RunState',
  'TaskRunState',
  'AttemptState',
  'NodeConnectionState',
  'NodeEligibility',
]);

describe('the schema promises nothing that nothing produces', () => {
  const produced = producedStrings(SERVER, PLUGINS);
  const enums = Object.values(schema.getTypeMap()).filter(
    (type) => isEnumType(type) && !type.name.startsWith('__') && !INPUTS.has(type.name) && !STATES.has(type.name),
  );

  it.each(enums.map(({ name }) => name))('in the enum %s', (name) => {
    const type = schema.getType(name);
    const values = isEnumType(type) ? type.getValues().map((value) => value.name) : [];
    expect(values.length).toBeGreaterThan(0);
    expect(values.filter((value) => !produced.has(value))).toEqual([]);
  });

  it('in its refusals', () => {
    const error = schema.getType('Error');
    const types = isInterfaceType(error) ? schema.getPossibleTypes(error).map(({ name }) => name) : [];
    expect(types.length).toBeGreaterThan(5);
    const returned = producedStrings('server/api/*.ts');
    const isMade = (name: string): boolean => returned.has(name) && isRefused(name);
    expect(types.filter((name) => !isMade(name))).toEqual([]);
  });

  it('in its unions: every member is the answer of something', () => {
    const unions = Object.values(schema.getTypeMap()).filter((type) => isUnionType(type));
    const members = new Set(unions.flatMap((union) => union.getTypes().map(({ name }) => name)));
    const orphans = Object.values(schema.getTypeMap()).filter(
      (type) => isObjectType(type) && type.name.endsWith('Payload') && !members.has(type.name),
    );
    expect(orphans.map(({ name }) => name)).toEqual([]);
  });
});

/** Whether a refusal is made by the API itself, or by the engine with a code that stands for it. */
function isRefused(name: string): boolean {
  const sources = globSync('server/api/*.ts', { cwd: ROOT }).map(read).join('\n');
  if (sources.includes(`refusal: '${name}'`)) return true;
  const code = new RegExp(`^  ([A-Z_]+): '${name}',$`, 'm').exec(read('server/api/run-refusals.ts'))?.[1];
  return code !== undefined && producedStrings('server/engine/**/*.ts', 'server/commands/*.ts').has(code);
}

describe('a string', () => {
  it.each([
    ["type A = 'X';", false],
    ["if (a === 'X') b();", false],
    ["switch (a) { case 'X': break; }", false],
    ["const T = { X: 'its description' };", false],
    ["const all = new Set(['X']);", false],
    ["const kinds = ['X'] as const;", false],
    ["z.enum(['X']);", false],
    ["const a: 'X' | null = null;", false],
    ["const a = { code: 'X' };", true],
    ["function f() { return 'X'; }", true],
    ["refused('X', message);", true],
    ["const a = b ? 'X' : null;", true],
    ["switch (a) { case 1: f('X'); }", true],
  ])('in %s is made: %s', (source, isMade) => {
    expect(stringsMadeBy(source).has('X')).toBe(isMade);
  });
});

describe('codes promise nothing that nothing produces', () => {
  it('of top-level errors', () => {
    const produced = producedStrings('server/api/*.ts');
    expect(Object.keys(TOP_LEVEL_CODES).filter((code) => !produced.has(code))).toEqual([]);
  });

  it('of failed attempts', () => {
    // Comparing a kind makes none; what runners and agent hand on does.
    const produced = producedStrings('server/agent/*.ts', 'server/engine/**/*.ts', PLUGINS);
    expect(FAILURE_KINDS.filter((kind) => !produced.has(kind))).toEqual([]);
  });

  it('of refused commands', () => {
    const source = read('server/domain/command.ts');
    const codes = [...source.matchAll(/^ +\| '([A-Z_]+)'/gm)].map(([, code = '']) => code);
    expect(codes).toContain('RUN_NOT_FOUND');
    const produced = producedStrings('server/engine/**/*.ts', 'server/commands/*.ts');
    expect(codes.filter((code) => !produced.has(code))).toEqual([]);
  });

  it('of reasons to stop an attempt', () => {
    const source = /StopCause = (.*);/.exec(read('server/domain/effect.ts'))?.[1] ?? '';
    const causes = [...source.matchAll(/'([A-Z_]+)'/g)].map(([, cause = '']) => cause);
    expect(causes).toContain('CANCELLED');
    // What the agent makes of a cause is no cause; a timeout is its own.
    const produced = producedStrings('server/engine/**/*.ts', 'server/agent/attempt-ledger.ts');
    expect(causes.filter((cause) => !produced.has(cause))).toEqual([]);
  });
});

describe('settings promise nothing that nothing reads', () => {
  it('each is read by what it sets', () => {
    const readers = readMembers(
      'server/*.ts',
      'server/{api,agent,cli,retention,store}/**/*.ts',
      'server/config/load.ts',
    );
    expect(settingNames.filter((name) => !readers.has(name))).toEqual([]);
  });
});

describe('pages promise nothing that nothing produces', () => {
  const pages = ['README.md', ...globSync('{docs,examples,plugins}/**/*.md', { cwd: ROOT })].filter(
    (page) => !page.includes('node_modules') && !page.includes('decisions/') && !page.includes('reference/'),
  );
  const produced = producedStrings(SERVER, PLUGINS, 'web/{screens,design,client}/**/*.{ts,tsx}');
  const schemaText = read('schema.graphql');

  it.each(pages)('%s names no code that is nobody’s', (page) => {
    const prose = read(page).replaceAll(/^```.*?^```/gms, '');
    const codes = [...prose.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)`/g)].map(([, code = '']) => code);
    const unknown = codes.filter((code) => !produced.has(code) && !new RegExp(`^  ${code}$`, 'm').test(schemaText));
    expect(unknown.filter((code) => !VARIABLES.test(code) && !FOREIGN.has(code))).toEqual([]);
  });
});

/** Environment variables, ours and those of tools that a page speaks of. */
const VARIABLES =
  /^(GANTRY_.*|[A-Z_]*PATH|CUDA_VISIBLE_DEVICES|NVIDIA_.*|HOME|LANG|LC_.*|TZ|HTTPS?_PROXY|NO_PROXY|DOCKER_.*)$/;
/** Words of HTTP and of the operating system, of an example's own variables, and what a setting may be set to. */
const FOREIGN: ReadonlySet<string> = new Set(
  'TMPDIR RLIMIT_DATA ECONNREFUSED ENOTFOUND EAI_AGAIN ENETUNREACH ENETDOWN EMFILE EADDRNOTAVAIL HEAD OPTIONS PUT TIMES LEAST_LOADED'.split(
    ' ',
  ),
);
