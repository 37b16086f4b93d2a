import { describe, expect, it } from '@jest/globals';
import { parseYaml, problemsOf } from './runners.ts';

/** Situation, text, the problem as `line:column CODE path`, a part of the suggestion (null: none). */
type Case = readonly [situation: string, yaml: string, problem: string, suggestion: string | null];

const HEAD = 'name: p\ntasks:\n';
/** The text of a pipeline whose first task begins in line 3 with `  - key: a` and has `lines` from line 4 on. */
const task = (...lines: readonly string[]): string =>
  `${HEAD}  - key: a\n${lines.map((line) => `    ${line}\n`).join('')}`;
const shell = (...lines: readonly string[]): string => task('runner: shell', 'with: { command: x }', ...lines);
const flow = (...tasks: readonly string[]): string => `${HEAD}${tasks.map((each) => `  - { ${each} }\n`).join('')}`;
const step = (key: string, rest = ''): string => `key: ${key}, runner: shell, with: { command: x }${rest}`;

const TEXT: readonly Case[] = [
  ['an empty text', '', '1:1 WRONG_TYPE', null],
  ['a list', '- a\n', '1:1 WRONG_TYPE', null],
  ['a tab as indentation', 'name: p\ntasks:\n\t- key: a\n', '3:1 BAD_YAML', 'spaces'],
  ['an open quote', 'name: "p\ntasks: []\n', '3:1 BAD_YAML', 'left open'],
  ['an open bracket', 'name: p\ntasks: [\n', '3:1 BAD_YAML', 'close every bracket'],
  ['an alias', 'name: p\ntasks:\n  - *a\n', '3:5 ALIAS', '"*a"'],
  ['an anchor', 'name: &n p\ntasks: []\n', '1:7 ANCHOR', '"&n"'],
  ['a tag', 'name: !!str p\ntasks: []\n', '1:7 TAG', '"!!str"'],
  ['a directive', '%YAML 1.1\n---\nname: p\n', '1:1 DIRECTIVE', '1.2'],
  ['two documents', 'name: p\n---\nname: q\n', '2:1 MULTIPLE_DOCUMENTS', 'file of its own'],
  ['the character NUL', 'name: p\ndescription: a\0b\n', '2:15 BAD_CHARACTER', 'escape'],
  ['the character NUL as an escape', 'name: p\ndescription: "a\\0b"\n', '2:14 BAD_CHARACTER description', null],
  ['half a surrogate pair', 'name: p\ndescription: "\\uD800"\n', '2:14 BAD_CHARACTER description', null],
  ['a list as a key', 'name: p\n? [a]\n: b\n', '2:3 BAD_KEY', 'plain text'],
  ['infinity', 'name: p\ntasks: []\npriority: .inf\n', '3:11 BAD_NUMBER priority', '".inf"'],
  ['a number that would be rounded', 'name: p\npriority: 12345678901234567890\n', '2:11 BAD_NUMBER priority', 'quotes'],
  ['the key __proto__', 'name: p\n__proto__: { a: 1 }\ntasks: []\n', '2:1 UNSAFE_KEY __proto__', null],
  ['a field that is there twice', shell('runner: http'), '6:5 DUPLICATE_KEY tasks.0.runner', 'Leave one'],
  [
    'lines that end with CR LF',
    'name: p\r\ntasks:\r\n  - key: a\r\n    runer: shell\r\n',
    '4:5 UNKNOWN_FIELD tasks.0.runer',
    'runner',
  ],
  ['a byte order mark', '\uFEFFnmae: p\n', '1:1 UNKNOWN_FIELD nmae', '“name”'],
  ['YAML 1.1 truth as a key', 'name: p\nyes: 1\n', '2:1 UNKNOWN_FIELD yes', 'There is: name'],
  ['truth as a key', 'name: p\ntrue: 1\n', '2:1 UNKNOWN_FIELD true', 'There is: name'],
  ['a merge key', 'name: p\n<<: { pool: x }\n', '2:1 UNKNOWN_FIELD <<', 'There is: name'],
];

const HEADER: readonly Case[] = [
  ['no name', 'tasks: []\n', '1:1 MISSING_FIELD name', null],
  ['a name that is no name', 'name: Word Count\n', '1:7 BAD_NAME name', 'word-count'],
  ['a name that is a number', 'name: 7\n', '1:7 WRONG_TYPE name', '"7"'],
  ['no tasks', 'name: p\n', '1:1 MISSING_FIELD tasks', null],
  ['an empty list of tasks', 'name: p\ntasks: []\n', '2:8 OUT_OF_RANGE tasks', null],
  ['tasks as a map', 'name: p\ntasks: { a: {} }\n', '2:8 WRONG_TYPE tasks', null],
  ['a task that is text', `${HEAD}  - a\n`, '3:5 WRONG_TYPE tasks.0', null],
  ['a priority out of range', `priority: 101\n${shell()}`, '1:11 OUT_OF_RANGE priority', null],
  ['a priority that is no whole number', `priority: 1.5\n${shell()}`, '1:11 WRONG_TYPE priority', null],
  ['an expression in the pool', `pool: \${{ params.x }}\n${shell()}`, '1:7 BAD_NAME pool', 'with, env and forEach'],
  [
    'a param in short form',
    `params: { corpus: data.txt }\n${shell()}`,
    '1:19 WRONG_TYPE params.corpus',
    'type: string, default: "data.txt"',
  ],
  ['a param without type', `params: { x: {} }\n${shell()}`, '1:14 MISSING_FIELD params.x.type', null],
  [
    'a param of an unknown type',
    `params: { x: { type: int } }\n${shell()}`,
    '1:22 BAD_VALUE params.x.type',
    '“integer”',
  ],
  [
    'a default of another type',
    `params: { x: { type: integer, default: "3" } }\n${shell()}`,
    '1:40 WRONG_TYPE params.x.default',
    'without quotes: 3',
  ],
  [
    'a default that is no option',
    `params: { x: { type: string, default: debg, options: [debug] } }\n${shell()}`,
    '1:39 NOT_AN_OPTION params.x.default',
    '“debug”',
  ],
  [
    'an option of another type',
    `params: { x: { type: number, options: [1, a] } }\n${shell()}`,
    '1:43 WRONG_TYPE params.x.options.1',
    null,
  ],
  [
    'an expression as a default',
    `params: { x: { type: string, default: "\${{ run.id }}" } }\n${shell()}`,
    '1:39 EXPRESSION_NOT_ALLOWED params.x.default',
    'with, env and forEach',
  ],
  ['a param with a dash', `params: { a-b: { type: string } }\n${shell()}`, '1:11 BAD_NAME params.a-b', null],
  [
    'a param called constructor',
    `params: { constructor: { type: string } }\n${shell()}`,
    '1:11 BAD_NAME params.constructor',
    null,
  ],
  [
    'params that differ in case',
    `params: { a: { type: string }, A: { type: string } }\n${shell()}`,
    '1:32 DUPLICATE_PARAM params.A',
    'another name',
  ],
];

const TASK: readonly Case[] = [
  ['an unknown field', shell('neds: [b]'), '6:5 UNKNOWN_FIELD tasks.0.neds', '“needs”'],
  ['a key with capitals', flow(step('Split')), '3:12 BAD_NAME tasks.0.key', 'split'],
  ['a key that is a number', flow(step('1')), '3:12 WRONG_TYPE tasks.0.key', '"1"'],
  ['a key that is taken', flow(step('a'), step('a')), '4:12 DUPLICATE_TASK tasks.1.key', 'key of its own'],
  ['no runner', task('description: x'), '3:5 MISSING_FIELD tasks.0.runner', null],
  ['an unknown runner', task('runner: shel'), '4:13 UNKNOWN_RUNNER tasks.0.runner', 'shell, http'],
  [
    'a field that the runner does not know',
    task('runner: shell', 'with: { command: x, comand: y }'),
    '5:25 UNKNOWN_FIELD tasks.0.with.comand',
    '“command”',
  ],
  ['a field that the runner needs', task('runner: shell', 'with: {}'), '5:11 MISSING_FIELD tasks.0.with.command', null],
  [
    'a value that the runner refuses',
    task('runner: http', 'with:', '  url: nowhere'),
    '6:12 INVALID_FORMAT tasks.0.with.url',
    null,
  ],
  ['a number in env', shell('env: { PORT: 80 }'), '6:18 WRONG_TYPE tasks.0.env.PORT', '"80"'],
  ...['PATH', 'LD_PRELOAD', 'BASH_ENV', 'ENV', 'IFS', 'NODE_OPTIONS', 'PYTHONPATH', 'GANTRY_OUTPUT'].map(
    (name): Case => [
      `${name} in env`,
      shell(`env: { ${name}: x }`),
      `6:12 RESERVED_ENV_NAME tasks.0.env.${name}`,
      `MY_${name}`,
    ],
  ),
  ['an unknown unit', shell('resources: { memory: 512MB }'), '6:26 BAD_QUANTITY tasks.0.resources.memory', '512Mi'],
  ['less than a millicore', shell('resources: { cpu: 0.0001 }'), '6:23 BAD_QUANTITY tasks.0.resources.cpu', '500m'],
  ['a GPU and a half', shell('resources: { gpu: 1.5 }'), '6:23 BAD_QUANTITY tasks.0.resources.gpu', '500m'],
  [
    'half a licence',
    shell('resources: { licence: 0.5 }'),
    '6:27 BAD_QUANTITY tasks.0.resources.licence',
    'whole number',
  ],
  ['a resource with a capital', shell('resources: { GPU: 1 }'), '6:18 BAD_NAME tasks.0.resources.GPU', null],
  ['a timeout without unit', shell('timeout: 5'), '6:14 BAD_DURATION tasks.0.timeout', '5s, 5m or 5h'],
  ['a timeout of nothing', shell('timeout: 0'), '6:14 OUT_OF_RANGE tasks.0.timeout', 'Leave it out'],
  ['a timeout in months', shell('timeout: P1M'), '6:14 BAD_DURATION tasks.0.timeout', '1h30m'],
  ['a list as a timeout', shell('timeout: [5m]'), '6:14 WRONG_TYPE tasks.0.timeout', null],
  ['a negative number of retries', shell('retry: -1'), '6:12 OUT_OF_RANGE tasks.0.retry', null],
  [
    'an unknown field of retry',
    shell('retry: { max: 1, dealy: 1s }'),
    '6:22 UNKNOWN_FIELD tasks.0.retry.dealy',
    '“delay”',
  ],
  [
    'an unknown backoff',
    shell('retry: { max: 1, backoff: linear }'),
    '6:31 BAD_VALUE tasks.0.retry.backoff',
    'constant, exponential',
  ],
  [
    'a longest delay that is shorter',
    shell('retry: { max: 1, delay: 10s, maxDelay: 1s }'),
    '6:44 OUT_OF_RANGE tasks.0.retry.maxDelay',
    '10s',
  ],
  ['a label that is none', shell('nodeSelector: { "a b": x }'), '6:21 BAD_NAME tasks.0.nodeSelector.a b', null],
  [
    'a label whose value is a number',
    shell('nodeSelector: { zone: 1 }'),
    '6:27 WRONG_TYPE tasks.0.nodeSelector.zone',
    '"1"',
  ],
  [
    'a toleration without key',
    shell('tolerations: [{ value: x }]'),
    '6:19 MISSING_FIELD tasks.0.tolerations.0.key',
    null,
  ],
  ['YAML 1.1 truth as a value', shell('allowFailure: yes'), '6:19 WRONG_TYPE tasks.0.allowFailure', 'true'],
  [
    'an expression in a timeout',
    shell('timeout: ${{ params.t }}'),
    '6:14 EXPRESSION_NOT_ALLOWED tasks.0.timeout',
    'with, env and forEach',
  ],
];

const GRAPH: readonly Case[] = [
  [
    'an unknown need',
    flow(step('split'), step('b', ', needs: [spilt]')),
    '4:60 UNKNOWN_TASK tasks.1.needs.0',
    '“split”',
  ],
  [
    'an unknown need that stands alone',
    flow(step('split'), step('b', ', needs: spilt')),
    '4:59 UNKNOWN_TASK tasks.1.needs',
    '“split”',
  ],
  ['a task that needs itself', shell('needs: [a]'), '6:13 SELF_NEED tasks.0.needs.0', 'Leave it out'],
  [
    'a cycle of two',
    flow(step('a', ', needs: [b]'), step('b', ', needs: [a]')),
    '3:60 CYCLE tasks.0.needs.0',
    '“b” from “a”',
  ],
  [
    'a cycle behind other tasks',
    flow(step('x', ', needs: [a]'), step('a', ', needs: [x, c]'), step('c')),
    '3:60 CYCLE tasks.0.needs.0',
    '“a” from “x”',
  ],
];

const EXPRESSIONS: readonly Case[] = [
  [
    'data in a command',
    task('runner: shell', 'with:', '  command: echo ${{ run.id }}'),
    '6:21 EXPRESSION_IN_LITERAL tasks.0.with.command',
    'env: { ID: ${{ run.id }} } and use "$ID"',
  ],
  [
    'data in an argument',
    task('runner: shell', 'with: { command: x, arguments: [a, "${{ run.id }}"] }'),
    '5:41 EXPRESSION_IN_LITERAL tasks.0.with.arguments.1',
    '"$ID"',
  ],
  [
    'a secret that is written down',
    task('runner: http', 'with: { url: "http://a.b", password: hunter2 }'),
    '5:42 SECRET_IN_PLAIN tasks.0.with.password',
    '"${{ secrets.PASSWORD }}"',
  ],
  [
    'a secret that is a param',
    task('runner: http', 'with: { url: "http://a.b", password: "${{ run.id }}" }'),
    '5:42 SECRET_IN_PLAIN tasks.0.with.password',
    '"${{ secrets.PASSWORD }}"',
  ],
  ['an expression without end', shell('env: { A: "x ${{ run.id" }'), '6:18 BAD_EXPRESSION tasks.0.env.A', '}}'],
  ['a call', shell('env: { A: "${{ run.id() }}" }'), '6:26 BAD_EXPRESSION tasks.0.env.A', 'Write a path'],
  [
    'an expression as a key',
    task('runner: http', 'with:', '  url: http://a.b', '  headers: { "${{ run.id }}": x }'),
    '7:18 BAD_EXPRESSION tasks.0.with.headers.${{ run.id }}',
    null,
  ],
  [
    'a mistake in the third line of a block',
    task(
      'runner: shell',
      'with:',
      '  command: x',
      '  input: |',
      '    one',
      '    two ${{ run.id }}',
      '    three ${{ rn.id }}',
    ),
    '10:15 UNKNOWN_NAME tasks.0.with.input',
    '“run”',
  ],
  [
    'a param that is not declared',
    `params: { corpus: { type: string } }\n${shell('env: { A: "${{ params.corpse }}" }')}`,
    '7:16 UNKNOWN_PARAM tasks.0.env.A',
    '“corpus”',
  ],
  [
    'a param where none is declared',
    shell('env: { A: "${{ params.x }}" }'),
    '6:16 UNKNOWN_PARAM tasks.0.env.A',
    'params: { x: { type: string } }',
  ],
  [
    'outputs of an unknown task',
    shell('env: { A: "${{ tasks.b.outputs }}" }'),
    '6:16 UNKNOWN_TASK tasks.0.env.A',
    null,
  ],
  [
    'something else of a task',
    flow(step('a'), step('b', ', needs: a, env: { A: "${{ tasks.a.state }}" }')),
    '4:73 BAD_REFERENCE tasks.1.env.A',
    '${{ tasks.a.outputs }}',
  ],
  ['its own outputs', shell('env: { A: "${{ tasks.a.outputs }}" }'), '6:16 SELF_REFERENCE tasks.0.env.A', null],
  [
    'outputs of a task beside it',
    flow(step('a'), step('b', ', env: { A: "${{ tasks.a.outputs }}" }')),
    '4:63 NOT_UPSTREAM tasks.1.env.A',
    'Add “a” to needs',
  ],
  [
    'outputs of a task behind it',
    flow(step('a', ', env: { A: "${{ tasks.b.outputs }}" }'), step('b', ', needs: a')),
    '3:63 NOT_UPSTREAM tasks.0.env.A',
    'in a later one',
  ],
  [
    'a secret by a bad name',
    shell('env: { A: "${{ secrets[\'a-b\'] }}" }'),
    '6:16 BAD_SECRET_NAME tasks.0.env.A',
    null,
  ],
  ['all secrets', shell('env: { A: "${{ secrets }}" }'), '6:16 BAD_REFERENCE tasks.0.env.A', 'secrets.NAME'],
  ['a part of a secret', shell('env: { A: "${{ secrets.A.b }}" }'), '6:16 BAD_REFERENCE tasks.0.env.A', 'secrets.NAME'],
  ['a list of secrets', shell('forEach: ${{ secrets.A }}'), '6:14 BAD_REFERENCE tasks.0.forEach', null],
  [
    'a secret in a command',
    task('runner: shell', 'with: { command: "x ${{ secrets.TOKEN }}" }'),
    '5:25 EXPRESSION_IN_LITERAL tasks.0.with.command',
    'env: { TOKEN:',
  ],
  ['an item without forEach', shell('env: { A: "${{ item }}" }'), '6:16 BAD_REFERENCE tasks.0.env.A', 'Add forEach'],
  ['an item in the list of items', shell('forEach: ${{ item }}'), '6:14 BAD_REFERENCE tasks.0.forEach', null],
  [
    'a part of the index',
    shell('forEach: [1]', 'env: { A: "${{ index.x }}" }'),
    '7:16 BAD_REFERENCE tasks.0.env.A',
    '${{ index }}',
  ],
  [
    'a name that is nothing',
    shell('env: { A: "${{ vault.x }}" }'),
    '6:16 UNKNOWN_NAME tasks.0.env.A',
    'params, tasks, secrets, item, index, run',
  ],
  ['forEach over text', shell('forEach: a,b'), '6:14 BAD_FOR_EACH tasks.0.forEach', '${{ tasks.split.outputs.parts }}'],
  [
    'forEach over text with an expression',
    shell('forEach: x${{ run.id }}'),
    '6:14 BAD_FOR_EACH tasks.0.forEach',
    'nothing around it',
  ],
];

describe.each([
  ['the text', TEXT],
  ['the head of a pipeline', HEADER],
  ['a task', TASK],
  ['the graph', GRAPH],
  ['an expression', EXPRESSIONS],
])('in %s', (_name, cases) => {
  it.each(cases)('%s is a problem with a place', (_situation, yaml, problem, suggestion) => {
    const result = parseYaml(yaml);
    expect(problemsOf(result)).toContain(problem);
    const found = result.ok ? undefined : result.problems[problemsOf(result).indexOf(problem)];
    if (suggestion === null) expect(found?.suggestion ?? null).toBeNull();
    else expect(found?.suggestion).toContain(suggestion);
    expect(found?.message).toMatch(/[.?!…]/);
  });
});

describe('many mistakes', () => {
  it('are all reported, in the order of the text', () => {
    const result = parseYaml(`nam: p
tasks:
  - key: a
    runner: shell
    with: { command: "echo \${{ params.x }}" }
    resources: { cpu: lots }
  - key: b
    runner: ftp
    needs: [c]
    allowFailure: 1
    timeout: soon
`);
    expect(problemsOf(result)).toEqual([
      '1:1 UNKNOWN_FIELD nam',
      '1:1 MISSING_FIELD name',
      '5:28 EXPRESSION_IN_LITERAL tasks.0.with.command',
      '5:28 UNKNOWN_PARAM tasks.0.with.command',
      '6:23 BAD_QUANTITY tasks.0.resources.cpu',
      '8:13 UNKNOWN_RUNNER tasks.1.runner',
      '9:13 UNKNOWN_TASK tasks.1.needs.0',
      '10:19 WRONG_TYPE tasks.1.allowFailure',
      '11:14 BAD_DURATION tasks.1.timeout',
    ]);
  });

  it('are reported up to fifty', () => {
    const result = parseYaml(`${HEAD}${'  - { kee: a }\n'.repeat(100)}`);
    expect(result.ok ? 0 : result.problems.length).toBe(50);
  });

  it('of one pipeline spell a cycle out', () => {
    const result = parseYaml(flow(step('a', ', needs: [b]'), step('b', ', needs: [c]'), step('c', ', needs: [a]')));
    expect(result.ok ? '' : result.problems[0]?.message).toContain('a → b → c → a');
  });
});

describe('a runner plugin that throws', () => {
  it('is named instead of taking the request down', async () => {
    const { parsePipeline } = await import('../../server/definition/parse.ts');
    const result = parsePipeline(
      { yaml: shell() },
      {
        checkRunner() {
          throw new Error('out of cheese');
        },
      },
    );
    expect(problemsOf(result)).toEqual(['5:11 RUNNER_CHECK_FAILED tasks.0.with']);
    expect(result.ok ? '' : result.problems[0]?.message).toContain(
      '“shell” failed while it checked this: out of cheese',
    );
  });
});
