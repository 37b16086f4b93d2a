import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { faultIn, faultText, isExactNumber, readJson, writtenNumber } from '@gantry/plugin-kit/exact-json';
import type { Json } from '@gantry/plugin-kit/vocabulary';

/** The fault of a text, as a sentence; null when it is read. */
const faultOf = (text: string): string | null => {
  const read = readJson(text);
  return read.ok ? null : faultText(read.fault);
};

/** A decimal text as a fraction of whole numbers, by another way than the code takes. */
function valueOf(text: string): { readonly digits: bigint; readonly scale: bigint } {
  const [, sign, whole, fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([-+]?\d+))?$/i.exec(text)!;
  return { digits: BigInt(`${sign}${whole}${fraction}`), scale: BigInt(power) - BigInt(fraction.length) };
}
function isEqual(one: string, other: string): boolean {
  const [left, right] = [valueOf(one), valueOf(other)];
  const shift = left.scale < right.scale ? left.scale : right.scale;
  return left.digits * 10n ** (left.scale - shift) === right.digits * 10n ** (right.scale - shift);
}

const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`));
const decimal = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(25).map((text) => text.replace(/^0+(?=\d)/, '')),
    fc.option(digits(25), { nil: null }),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.integer({ min: 0, max: 420 })), { nil: null }),
  )
  .map(
    ([sign, whole, fraction, power]) =>
      `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${power === null ? '' : power.join('')}`,
  );

describe('a number in JSON text', () => {
  it.each([
    '0',
    '-0',
    '0.1',
    '3.10',
    '1e3',
    '1E+23',
    '9007199254740992',
    '100000000000000000000000',
    '5e-324',
    '0e999',
  ])('is taken when it survives: %s', (text) =>
    expect(readJson(text)).toEqual({ ok: true, value: JSON.parse(text) as Json }),
  );

  it.each([
    '9007199254740993',
    '-9007199254740993',
    '18446744073709551616',
    '0.1234567890123456789',
    '1e400',
    '-1e400',
    '1e-400',
    '9007199254740993.0',
    '900719925474099.30e1',
    `${'9'.repeat(100_000)}1`,
  ])('is refused when it does not: %.40s', (text) => {
    const read = readJson(text);
    expect(read.ok ? null : read.fault.code).toBe('INEXACT_NUMBER');
  });

  it('is read exactly or refused, whatever is written', () => {
    fc.assert(
      fc.property(decimal, (text) => {
        const value: unknown = JSON.parse(text);
        const survives = Number.isFinite(value) && isEqual(text, JSON.stringify(value));
        expect(isExactNumber(text)).toBe(survives);
        expect(readJson(`{"a":[${text}]}`).ok).toBe(survives);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is refused with its place, what it would become, and what to write', () => {
    const read = readJson('{"items": [1,\n  {"the id": 9007199254740993}]}');
    expect(read).toEqual({
      ok: false,
      fault: {
        code: 'INEXACT_NUMBER',
        message: '9007199254740993 is a number that cannot be kept exactly: it would become 9007199254740992.',
        remedy: 'Write it as a string: "9007199254740993".',
        path: ['items', 1, 'the id'],
        place: { line: 2, column: 14 },
      },
    });
    expect(faultOf('[1e400]')).toBe(
      '[0] (line 1, column 2): 1e400 is a number that cannot be kept exactly: it is beyond the largest one.',
    );
  });

  it('is no number within a string or a key', () => {
    expect(readJson('{"9007199254740993": "1e400 \\" , 9007199254740993"}').ok).toBe(true);
  });

  it('is read as it is written where text is wanted', () => {
    const text = '{"a":[{"v":3.10},{"v": 9007199254740993}],"v":1.0}';
    expect(writtenNumber(text, ['a', 0, 'v'])).toBe('3.10');
    expect(writtenNumber(text, ['a', '1', 'v'])).toBe('9007199254740993');
    expect(writtenNumber(text, ['v'])).toBe('1.0');
    expect(writtenNumber(text, ['a'])).toBeNull();
  });
});

describe('a key that is written twice', () => {
  it('is refused with its place, however it is spelled', () => {
    expect(faultOf('{"a":{"b":1,\n"\\u0062" : 2}}')).toBe(
      'a.b (line 2, column 1): The key “b” is written twice in one object.',
    );
  });

  it('is none in two objects, or in a string', () => {
    expect(faultOf('[{"a":1},{"a":{"a":1}},"\\"a\\":1,\\"a\\":2"]')).toBeNull();
  });
});

describe('JSON text', () => {
  it('is read as JSON.parse reads it, where nothing is lost', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(0, 2), (text, indent) => {
        const value = JSON.parse(text) as Json;
        const read = readJson(JSON.stringify(value, null, indent));
        expect(read).toEqual({ ok: true, value: JSON.parse(JSON.stringify(value)) as Json });
        // What the quick look lets pass holds no fault either.
        expect(faultIn(JSON.stringify(value, null, indent))).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('may begin with a byte order mark', () => {
    expect(readJson('\uFEFF{"a":1}')).toEqual({ ok: true, value: { a: 1 } });
  });

  it('may be nested as deep as JSON.parse takes it', () => {
    const deep = `${'['.repeat(50_000)}9007199254740993${']'.repeat(50_000)}`;
    expect(readJson(deep).ok).toBe(false);
  });

  it('that is none is refused', () => {
    expect(readJson('{"a":}').ok).toBe(false);
    expect(readJson('').ok).toBe(false);
  });

  it('is looked at only where a value depends on it', () => {
    const text = '{"a":{"id":9007199254740993,"n":1},"a2":2,"b":1,"b":2}';
    expect(faultIn(text, ['a'])?.path).toEqual(['a', 'id']);
    expect(faultIn(text, ['a', 'id'])?.code).toBe('INEXACT_NUMBER');
    expect(faultIn(text, ['a', 'n'])).toBeNull();
    expect(faultIn(text, ['a2'])).toBeNull();
    expect(faultIn(text, ['b'])?.code).toBe('DUPLICATE_KEY');
    expect(faultIn('{"b":{"c":1},"b":{"c":2}}', ['b', 'c'])?.code).toBe('DUPLICATE_KEY');
  });
});
