import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDefinition, parseYaml, problemsOf } from './runners.ts';

/** A pipeline with something under its only task, from line 4 on. */
const task = (lines: string): string => `name: p\ntasks:\n  - key: a\n    ${lines.replaceAll('\n', '\n    ')}\n`;
const fanOut = (items: string): string => task(`runner: shell\nwith: { command: x }\nforEach: ${items}`);
const param = (form: string): string =>
  `name: p\nparams: { v: ${form} }\n${task('runner: shell\nwith: { command: x }').slice(8)}`;

/** `line:column` of where something is written last. */
function placeOf(yaml: string, written: string): string {
  const before = yaml.slice(0, yaml.lastIndexOf(written)).split('\n');
  return `${before.length}:${before.at(-1)!.length + 1}`;
}

const suggestionsOf = (yaml: string): readonly (string | null)[] => {
  const result = parseYaml(yaml);
  return result.ok ? [] : result.problems.map(({ suggestion }) => suggestion);
};

describe('a number in a pipeline', () => {
  it.each([
    ['9007199254740993', '9007199254740992'],
    ['0.1234567890123456789', '0.12345678901234568'],
    ['9007199254740993.0', '9007199254740992'],
    ['0xFFFFFFFFFFFFFFFF', '18446744073709552000'],
    ['0o777777777777777777777', '9223372036854776000'],
  ])('that would be changed is refused wherever it stands: %s', (written, becomes) => {
    for (const [yaml, place] of [
      [fanOut(`[1, ${written}]`), 'tasks.0.forEach.1'],
      [param(`{ type: number, default: ${written} }`), 'params.v.default'],
      [task(`runner: http\nwith: { url: "http://a.b", timeoutSeconds: ${written} }`), 'tasks.0.with.timeoutSeconds'],
      [task(`runner: shell\nresources: { cpu: ${written} }`), 'tasks.0.resources.cpu'],
    ] as const) {
      const result = parseYaml(yaml);
      expect(problemsOf(result)).toEqual([`${placeOf(yaml, written)} BAD_NUMBER ${place}`]);
      expect(result.ok ? '' : result.problems[0]!.message).toContain(becomes);
      expect(suggestionsOf(yaml)).toEqual([`If text is meant, write it in quotes: "${written}".`]);
    }
  });

  it.each(['1e400', '.inf', '-.INF', '.nan'])('that JSON does not know is refused: %s', (written) => {
    expect(problemsOf(parseYaml(fanOut(`[${written}]`)))).toEqual(['6:15 BAD_NUMBER tasks.0.forEach.0']);
  });

  it.each(['9007199254740992', '-5', '0', '0.1', '3.1', '1_000', '2026-11-29', '"3.10"', "'010'", 'true', '~'])(
    'that survives is taken: %s',
    (written) => expect(problemsOf(parseYaml(fanOut(`[${written}]`)))).toEqual([]),
  );
});

describe('a number of which text may be made', () => {
  it.each([
    ['3.10', '3.1'],
    ['010', '10'],
    ['1.0', '1'],
    ['0x1F', '31'],
    ['0o17', '15'],
    ['+5', '5'],
    ['1e3', '1000'],
    ['-0', '0'],
    ['True', 'true'],
  ])('is refused when it would read otherwise: %s', (written, becomes) => {
    const remedy = [`If text is meant, write it in quotes: "${written}". Otherwise write ${becomes}.`];
    for (const [yaml, place] of [
      [fanOut(`[${written}, 3.9]`), 'tasks.0.forEach.0'],
      [fanOut(`[{ version: [${written}] }]`), 'tasks.0.forEach.0.version.0'],
      [param(`{ type: json, default: [${written}] }`), 'params.v.default.0'],
      [param(`{ type: json, options: [${written}] }`), 'params.v.options.0'],
      [task(`runner: http\nwith: { url: "http://a.b", query: { v: ${written} } }`), 'tasks.0.with.query.v'],
    ] as const) {
      expect(problemsOf(parseYaml(yaml))).toEqual([`${placeOf(yaml, written)} BAD_NUMBER ${place}`]);
      expect(suggestionsOf(yaml)).toEqual(remedy);
    }
  });

  it('is as good as any where a number is meant', () => {
    const yaml = task(
      'runner: http\nwith: { url: "http://a.b", timeoutSeconds: 1.0 }\nresources: { cpu: 1.0 }\n' +
        'placement: { require: [{ label: mem, gt: 80.0 }], maxPerNode: 0x2 }',
    );
    expect(problemsOf(parseYaml(yaml))).toEqual([]);
    expect(problemsOf(parseYaml(param('{ type: number, default: 3.10, options: [3.10, 1e3] }')))).toEqual([]);
  });

  it('is what it is in JSON, where numbers are numbers', () => {
    const definition: unknown = JSON.parse(
      '{"name":"p","tasks":[{"key":"a","runner":"shell","with":{"command":"x"},"forEach":[3.10]}]}',
    );
    expect(problemsOf(parseDefinition(definition))).toEqual([]);
  });

  it('reads as it was written, or is refused, whatever is written', () => {
    const part = fc.stringMatching(/^[0-9]{0,20}$/);
    const plain = fc
      .tuple(
        fc.constantFrom('', '-', '+', '0x', '0o'),
        part,
        fc.option(part, { nil: null }),
        fc.constantFrom('', 'e2', 'E-3', 'e+400'),
      )
      .map(([sign, whole, fraction, power]) => `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${power}`)
      .filter((text) => /\d/.test(text));
    fc.assert(
      fc.property(plain, (text) => {
        const result = parseYaml(fanOut(`[${text}]`));
        if (result.ok) {
          const [item] = result.definition.tasks[0]!.forEach as readonly unknown[];
          expect(typeof item === 'string' ? item : JSON.stringify(item)).toBe(text);
        } else expect(problemsOf(result)).toEqual(['6:15 BAD_NUMBER tasks.0.forEach.0']);
      }),
      { numRuns: 1_000 },
    );
  });
});
