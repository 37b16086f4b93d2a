import { describe, expect, it } from '@jest/globals';
import { parseDefinition, parseYaml, problemsOf } from './runners.ts';

/** A pipeline of one task with a line of its own. */
const shell = (line = 'timeout: 1s'): string =>
  `name: p\ntasks:\n  - key: a\n    runner: shell\n    with: { command: x }\n    ${line}\n`;

const suggestionsFor = (yaml: string): readonly (string | null)[] => {
  const result = parseYaml(yaml);
  return result.ok ? [] : result.problems.map(({ suggestion }) => suggestion);
};

const HEAD = 'name: p\ntasks:\n  - key: a\n';

/** Situation, text, the problem as `line:column CODE path`, a part of the suggestion (null: none). */
const CASES: readonly (readonly [string, string, string, string | null])[] = [
  ['a name with a dash in env', shell('env: { my-port: x }'), '6:12 BAD_ENV_NAME tasks.0.env.my-port', 'my_port'],
  ['a name that begins with a digit in env', shell('env: { 1st: x }'), '6:12 BAD_ENV_NAME tasks.0.env.1st', '_1st'],
  [
    'a name in env whose nearest is taken',
    shell('env: { a-b: x, a_b: y }'),
    '6:12 BAD_ENV_NAME tasks.0.env.a-b',
    'Choose another',
  ],
  [
    'a word that is neither true nor false',
    shell('allowFailure: maybe'),
    '6:19 WRONG_TYPE tasks.0.allowFailure',
    'true or false',
  ],
  [
    'a number that a runner takes for text',
    `${HEAD}    runner: http\n    with: { url: "http://a.b", headers: { X: 3.10 } }\n`,
    '5:46 INVALID_TYPE tasks.0.with.headers.X',
    '"3.10"',
  ],
  [
    'data in a command, beside a variable of the name',
    `${HEAD}    runner: shell\n    env: { ID: x }\n    with: { command: "x \${{ run.id }}" }\n`,
    '6:25 EXPRESSION_IN_LITERAL tasks.0.with.command',
    'env: { ID_2: ${{ run.id }} } and use "$ID_2"',
  ],
  [
    'a leading zero in a number that is text',
    `params: { x: { type: integer, default: "007" } }\n${shell()}`,
    '1:40 WRONG_TYPE params.x.default',
    null,
  ],
];

describe('a suggestion', () => {
  it.each(CASES)('for %s is one that may be followed', (_situation, yaml, problem, suggestion) => {
    const result = parseYaml(yaml);
    const at = problemsOf(result).indexOf(problem);
    expect(problemsOf(result)).toContain(problem);
    const found = result.ok ? null : (result.problems[at]?.suggestion ?? null);
    if (suggestion === null) expect(found).toBeNull();
    else expect(found).toContain(suggestion);
  });

  const SCALARS = ['3.10', '0x1F', '0o17', '017', '1e3', '.5', '+1', '-0', '1.0', '~', 'null', 'True', 'FALSE', '1E-7'];

  it.each(SCALARS)('quotes %s as it is written, where text is wanted', (scalar) => {
    for (const [yaml, path] of [
      [shell(`env: { V: ${scalar} }`), 'tasks.0.env.V'],
      [shell(`nodeSelector: { zone: ${scalar} }`), 'tasks.0.nodeSelector.zone'],
      [`params: { v: { type: string, options: [${scalar}] } }\n${shell()}`, 'params.v.options.0'],
      [`description: ${scalar}\n${shell()}`, 'description'],
    ] as const) {
      const result = parseYaml(yaml);
      // Nothing where a description may stand is no description.
      const found = result.ok ? [] : result.problems.filter((problem) => problem.path.join('.') === path);
      if (result.ok || (found.length === 0 && /^(~|null)$/.test(scalar))) continue;
      if (/^(~|null)$/.test(scalar) && path.startsWith('params')) continue;
      expect(found.map(({ suggestion }) => suggestion)).toEqual([`Write it in quotes: "${scalar}".`]);
      expect(found[0]!.message).toContain(/^(~|null)$/.test(scalar) ? 'nothing' : scalar);
    }
  });

  it('that is followed keeps every value', () => {
    for (const scalar of SCALARS) {
      const first = parseYaml(shell(`env: { V: ${scalar} }`));
      const [, quoted] = /("[^"]*")/.exec(first.ok ? '' : (first.problems[0]?.suggestion ?? '')) ?? [];
      const second = parseYaml(shell(`env: { V: ${quoted} }`));
      expect(second.ok && second.definition.tasks[0]!.env['V']).toBe(scalar);
    }
  });

  it.each(['yes', '2024-01-01', '1_000', '0b11', '12:30:45', '1.2.3', 'on'])(
    'is not due for %s, which is text',
    (text) => {
      const result = parseYaml(shell(`env: { V: ${text} }`));
      expect(result.ok && result.definition.tasks[0]!.env['V']).toBe(text);
    },
  );

  it('repeats a number as it is written in a list and in the long form of a param', () => {
    const [param] = suggestionsFor(`params: { v: 3.10 }\n${shell()}`);
    expect(param).toBe('Write { type: number, default: 3.10 }.');
    const [list] = suggestionsFor(shell('tolerations: 3.10'));
    expect(list).toBe('Write a list: [3.10].');
  });

  it('does not repeat what came as JSON: nobody knows how it was written', () => {
    const tasks = [{ key: 'a', runner: 'shell', with: { command: 'x' }, env: { V: 3.1 } }];
    const result = parseDefinition({ name: 'p', tasks });
    expect(result.ok ? null : result.problems[0]?.suggestion).toBe('Write it as text, in quotes.');
  });

  it('is not due for names in lower case, nor for the lower case of reserved ones', () => {
    const names = ['TF_VAR_region', 'npm_config_cache', 'http_proxy', 'path', 'ld_preload', '_', 'a1'];
    const env = names.map((name) => `${name}: x`).join(', ');
    const result = parseYaml(shell(`env: { ${env}, A: "\${{ secrets.api_token }}" }`));
    expect(problemsOf(result)).toEqual([]);
    expect(result.ok && Object.keys(result.definition.tasks[0]!.env)).toEqual([...names, 'A']);
  });

  it('compares labels with numbers as they are written', () => {
    const rules = 'require: [{ label: v, equals: 3.10 }, { label: w, in: [0x1F, True] }, { label: x, contains: 1.0 }]';
    const result = parseYaml(shell(`placement: { ${rules} }`));
    expect(result.ok && result.definition.tasks[0]!.placement?.require.map(({ values }) => values)).toEqual([
      ['3.10'],
      ['0x1F', 'True'],
      ['1.0'],
    ]);
  });
});
