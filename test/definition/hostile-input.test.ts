import { describe, expect, it } from '@jest/globals';
import { codesOf, parseDefinition, parseYaml, problemsOf } from './runners.ts';

const MEBIBYTE = 1 << 20;

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
