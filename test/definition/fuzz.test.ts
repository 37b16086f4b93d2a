import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDefinition, parseYaml, problemsOf } from './runners.ts';

const WORDS = [
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
];
const FIELDS = [
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
  'retry',
  'timeout',
  'killGrace',
  'allowFailure',
];

describe('anything', () => {
  it('as text is answered and never thrown at', () => {
    const pieces = fc.constantFrom(...WORDS);
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
      { numRuns: 1500 },
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
    const fields = fc.constantFrom(...FIELDS);
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
      { numRuns: 1500 },
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
        // Expressions, and names that reach a prototype, are refused: the tables of bad input show it.
        fc
          .jsonValue({ maxDepth: 2 })
          .filter((each) => !/\$\{\{|__proto__|constructor|prototype/.test(JSON.stringify(each))),
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
