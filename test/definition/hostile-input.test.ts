import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDefinition, parseYaml, problemsOf } from './runners.ts';

const MEBIBYTE = 1 << 20;
const codesOf = (result: ReturnType<typeof parseYaml>): readonly string[] =>
  result.ok ? [] : result.problems.map(({ code }) => code);

/** Far beyond any real slowness of a loaded machine; a quadratic step on a mebibyte takes minutes. */
const PATIENCE_MS = 20_000;

describe('nesting', () => {
  const levels = 10_000;
  it.each([
    ['lists in flow style', `a: ${'['.repeat(levels)}`],
    ['closed lists in flow style', `a: ${'['.repeat(levels)}${']'.repeat(levels)}`],
    ['maps in flow style', '{a: '.repeat(levels)],
    ['lists in block style', '- '.repeat(levels)],
    ['maps in block style', Array.from({ length: 1400 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
    ['keys in block style', '? '.repeat(levels)],
    ['both by turns', '- {a: ['.repeat(levels)],
    ['values on one line', 'a: '.repeat(levels)],
  ])('of %s is refused before it is parsed', (_style, yaml) => {
    expect(codesOf(parseYaml(yaml))).toEqual(['TOO_DEEP']);
  });

  it('of exactly 32 levels is read, and one more is refused', () => {
    const nested = (depth: number): string =>
      `name: p\ntasks: [{ key: a, runner: http, with: { url: "http://a.b", headers: { a: ${'['.repeat(depth)}${']'.repeat(depth)} } } }]`;
    // The pipeline, tasks, the task, with and headers are five.
    expect(codesOf(parseYaml(nested(27)))).not.toContain('TOO_DEEP');
    expect(codesOf(parseYaml(nested(28)))).toEqual(['TOO_DEEP']);
  });

  it('of data is refused, also when it is endless', () => {
    let deep: unknown = null;
    for (let level = 0; level < levels; level++) deep = [deep];
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(codesOf(parseDefinition(deep))).toEqual(['TOO_DEEP']);
    expect(codesOf(parseDefinition(circle))).toEqual(['TOO_DEEP']);
  });

  it('does not depend on brackets in text', () => {
    const script = '[ { ( '.repeat(200);
    const result = parseYaml(
      `name: p\ntasks:\n  - key: a\n    runner: shell\n    with:\n      command: |\n        ${script}\n`,
    );
    expect(problemsOf(result)).toEqual([]);
  });
});

describe('size', () => {
  it('of five megabytes is refused', () => {
    expect(problemsOf(parseYaml(`name: ${'x'.repeat(5_000_000)}`))).toEqual(['1:1 TOO_LARGE']);
  });

  it('is counted in bytes', () => {
    expect(codesOf(parseYaml(`# ${'€'.repeat(MEBIBYTE / 3)}`))).toEqual(['TOO_LARGE']);
    expect(codesOf(parseYaml(`# ${'€'.repeat(MEBIBYTE / 3 - 10)}\nname: p`))).toEqual(['MISSING_FIELD']);
  });

  it('of billion laughs is refused at the first anchor', () => {
    const yaml = `a: &a [lol, lol, lol]\n${Array.from({ length: 9 }, (_, at) => `b${at}: &b${at} [*a, *a, *a]`).join('\n')}`;
    expect(problemsOf(parseYaml(yaml))).toEqual(['1:4 ANCHOR']);
  });

  it('of wide data that shares its parts is refused', () => {
    let wide: unknown = 'lol';
    for (let level = 0; level < 20; level++) wide = Array.from({ length: 100 }, () => wide);
    expect(codesOf(parseDefinition(wide))).toEqual(['TOO_LARGE']);
  });

  it.each([
    ['commas', `[${','.repeat(MEBIBYTE - 2)}]`],
    ['closing brackets', ']'.repeat(MEBIBYTE)],
    ['pairs of brackets', '[]'.repeat(MEBIBYTE / 2)],
    ['quotes', '"'.repeat(MEBIBYTE)],
    ['duplicate keys', 'a: 1\n'.repeat(MEBIBYTE / 8)],
    ['different keys', Array.from({ length: 80_000 }, (_, at) => `k${at}: 1`).join('\n')],
    ['wrong indentation', '- a: 1\n b\n'.repeat(MEBIBYTE / 16)],
    ['tabs', `a:\n${'\t- b\n'.repeat(MEBIBYTE / 8)}`],
    ['line breaks', '\n'.repeat(MEBIBYTE)],
    ['empty items', '-\n'.repeat(MEBIBYTE / 2)],
    ['expressions', `name: p\ntasks: [{ key: a, runner: shell, with: { command: "${'${{ a }}'.repeat(100_000)}" } }]`],
  ])(
    'of a mebibyte of %s is answered',
    (_what, yaml) => {
      const { ok } = parseYaml(yaml);
      expect(ok).toBe(false);
    },
    PATIENCE_MS,
  );
});

describe('a large pipeline', () => {
  const shell = { runner: 'shell', with: { command: 'x' } };
  const chain = (length: number): object[] =>
    Array.from({ length }, (_, at) => ({ key: `t${at}`, ...shell, needs: at === 0 ? [] : [`t${at - 1}`] }));

  it('of 100,000 tasks in a chain is taken', () => {
    const result = parseDefinition({ name: 'p', tasks: chain(100_000) });
    expect(result.ok && result.definition.tasks.length).toBe(100_000);
  });

  it('of one task more is refused', () => {
    expect(codesOf(parseDefinition({ name: 'p', tasks: chain(100_001) }))).toEqual(['OUT_OF_RANGE']);
  });

  it('of more than a million needs is refused', () => {
    const sources = Array.from({ length: 1001 }, (_, at) => ({ key: `s${at}`, ...shell }));
    const needs = sources.map(({ key }) => key);
    const tasks = [...sources, ...Array.from({ length: 1000 }, (_, at) => ({ key: `t${at}`, ...shell, needs }))];
    expect(codesOf(parseDefinition({ name: 'p', tasks }))).toEqual(['TOO_LARGE']);
  });

  it('of a circle of 20,000 names the circle in a line', () => {
    const tasks = chain(20_000).with(0, { key: 't0', ...shell, needs: ['t19999'] });
    const result = parseDefinition({ name: 'p', tasks });
    expect(codesOf(result)).toEqual(['CYCLE']);
    expect(result.ok ? 0 : result.problems[0]?.message.length).toBeLessThan(300);
  });

  it('whose tasks all read far away is told to need what they read', () => {
    const tasks = chain(50_000).map((task, at) => ({
      ...task,
      env: at < 25_000 ? {} : { A: `\${{ tasks.t${at - 25_000}.outputs }}` },
    }));
    expect(codesOf(parseDefinition({ name: 'p', tasks }))).toEqual(['TOO_LARGE']);
  });
});

describe('anything', () => {
  it('as text is answered and never thrown at', () => {
    const pieces = fc.constantFrom(
      ...[
        'name: ',
        'p',
        '\n',
        '  ',
        '- ',
        'tasks:',
        'key: a',
        '{',
        '}',
        '[',
        ']',
        ',',
        ': ',
        '"',
        "'",
        '|',
        '>',
        '#',
        '&a',
      ],
      ...[
        '*a',
        '!t',
        '%',
        '---',
        '...',
        '\t',
        '\r',
        '?',
        '${{',
        '}}',
        ' params.x ',
        'needs',
        '\0',
        '\uFEFF',
        '\uD800',
        '~',
        '<<',
      ],
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 60 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (yaml) => {
        const result = parseYaml(yaml);
        if (result.ok) return;
        expect(result.problems.length).toBeGreaterThan(0);
        for (const { line, column } of result.problems) {
          expect(line).toBeGreaterThan(0);
          expect(column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('as data is answered and never thrown at', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        (value) => {
          expect(parseDefinition(value).ok).toBe(false);
          expect(parseDefinition({ name: 'p', tasks: [value] }).ok).toBe(false);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('in the place of any field is answered and never thrown at', () => {
    const fields = fc.constantFrom(
      ...[
        'key',
        'description',
        'runner',
        'with',
        'env',
        'needs',
        'forEach',
        'resources',
        'nodeSelector',
        'tolerations',
      ],
      ...['retry', 'timeout', 'killGrace', 'allowFailure'],
    );
    fc.assert(
      fc.property(fields, fc.jsonValue(), (field, value) => {
        const result = parseDefinition({
          name: 'p',
          tasks: [{ key: 'a', runner: 'shell', with: { command: 'x' }, [field]: value }],
        });
        if (result.ok)
          expect(parseDefinition(JSON.parse(result.canonical))).toMatchObject({ canonical: result.canonical });
        else expect(result.problems.every(({ path }) => path.length === 0 || path[0] === 'tasks')).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a pipeline of any shape', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,10}$/);
  const text = fc
    .string({ unit: 'grapheme', maxLength: 20 })
    .filter((each) => !each.includes('${{') && !each.includes('\0'));
  const task = fc.record(
    {
      description: text,
      env: fc.dictionary(fc.constantFrom('A', 'B_2', '_C'), text),
      forEach: fc.array(
        fc.jsonValue({ maxDepth: 2 }).filter((each) => !JSON.stringify(each).includes('${{')),
        { maxLength: 3 },
      ),
      resources: fc.record(
        { cpu: fc.nat(100_000).map((each) => `${each}m`), memory: fc.nat(), gpu: fc.nat(8) },
        { requiredKeys: [] },
      ),
      retry: fc.oneof(fc.nat(5), fc.record({ max: fc.nat(5), delay: fc.nat(300_000).map((each) => `${each}ms`) })),
      timeout: fc.integer({ min: 1, max: 1e9 }).map((each) => `${each}ms`),
      allowFailure: fc.boolean(),
      nodeSelector: fc.dictionary(fc.constantFrom('zone', 'a.b/c'), text),
    },
    { requiredKeys: [] },
  );
  const pipelines = fc
    .tuple(
      name,
      fc.uniqueArray(name, { minLength: 1, maxLength: 8 }),
      fc.array(task, { minLength: 8, maxLength: 8 }),
      fc.infiniteStream(fc.boolean()),
    )
    .map(([pipeline, keys, bodies, coins]) => ({
      name: pipeline,
      tasks: keys.map((key, at) => ({
        ...bodies[at],
        key,
        runner: 'shell',
        with: { command: 'x' },
        needs: keys.slice(0, at).filter(() => coins.next().value),
      })),
    }));

  it('has a canonical text that is the same pipeline', () => {
    fc.assert(
      fc.property(pipelines, (pipeline) => {
        const result = parseDefinition(pipeline);
        expect(problemsOf(result)).toEqual([]);
        const canonical = result.ok ? result.canonical : '';
        const again = parseDefinition(JSON.parse(canonical));
        expect(again.ok && again.canonical).toBe(canonical);
        expect(again.ok && again.definition).toEqual(result.ok && result.definition);
        const fromText = parseYaml(canonical);
        expect(fromText.ok && fromText.canonical).toBe(canonical);
      }),
      { numRuns: 300 },
    );
  });
});
