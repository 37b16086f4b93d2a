import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkParams } from '../../server/domain/params.ts';
import type { Param, ParamType } from '../../server/domain/pipeline.ts';

const param = (type: ParamType, more: Partial<Param> = {}): Param => ({ type, description: '', ...more });

const problemsOf = (
  params: Readonly<Record<string, Param>>,
  given: Readonly<Record<string, unknown>>,
): readonly string[] => {
  const checked = checkParams(params, given);
  return checked.ok ? [] : checked.problems.map(({ code, path }) => `${code} ${path.join('.')}`);
};
const remedyOf = (
  params: Readonly<Record<string, Param>>,
  given: Readonly<Record<string, unknown>>,
): string | undefined => {
  const checked = checkParams(params, given);
  return checked.ok ? undefined : checked.problems[0]?.remedy;
};

describe('params', () => {
  it('that are right are taken, and defaults are filled in', () => {
    const params = { a: param('string'), b: param('integer', { default: 3 }), c: param('json', { default: null }) };
    expect(checkParams(params, { a: 'x', b: undefined })).toEqual({ ok: true, params: { a: 'x', b: 3, c: null } });
  });

  it('that are unknown, missing or wrong are all reported', () => {
    const params = {
      corpus: param('string'),
      count: param('integer'),
      level: param('string', { options: ['debug', 'info'] }),
    };
    expect(problemsOf(params, { corpse: 'x', count: '3', level: 'debg' })).toEqual([
      'UNKNOWN_PARAM corpse',
      'MISSING_PARAM corpus',
      'WRONG_TYPE count',
      'NOT_AN_OPTION level',
    ]);
    expect(remedyOf(params, { corpus: 'x', corpse: 'x', count: 3, level: 'info' })).toBe('Did you mean “corpus”?');
    expect(remedyOf(params, { corpus: 'x', count: '3', level: 'info' })).toBe('Write it without quotes: 3.');
    expect(remedyOf(params, { corpus: 'x', count: 3, level: 'debg' })).toBe('Did you mean “debug”?');
  });

  it('of names that objects inherit are unknown or missing like any other', () => {
    expect(problemsOf({}, { constructor: 1, toString: 2 })).toEqual([
      'UNKNOWN_PARAM constructor',
      'UNKNOWN_PARAM toString',
    ]);
    expect(problemsOf({ valueOf: param('json') }, {})).toEqual(['MISSING_PARAM valueOf']);
  });

  it.each<[ParamType, unknown, boolean]>([
    ['string', '', true],
    ['string', 1, false],
    ['string', null, false],
    ['integer', -3, true],
    ['integer', 1.5, false],
    ['integer', 2 ** 53, false],
    ['integer', true, false],
    ['number', 1.5, true],
    ['number', Number.NaN, false],
    ['number', Infinity, false],
    ['boolean', false, true],
    ['boolean', 'false', false],
    ['boolean', 0, false],
    ['json', { a: [1, null] }, true],
    ['json', new Date(0), false],
    ['json', () => 1, false],
    ['json', 10n, false],
    ['json', { a: Symbol.iterator }, false],
    ['json', JSON.parse('{"__proto__": 1}'), false],
  ])('of type %s given %p', (type, value, isRight) => {
    expect(checkParams({ x: param(type) }, { x: value }).ok).toBe(isRight);
  });

  it('of up to 64 KiB and 32 levels are taken, and none with NUL', () => {
    const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
    const params = { text: param('json') };
    expect(problemsOf(params, { text: 'x'.repeat(65_536) })).toEqual([]);
    expect(problemsOf(params, { text: 'x'.repeat(65_537) })).toEqual(['TOO_LARGE text']);
    expect(problemsOf(params, { text: Array.from({ length: 40_000 }, () => 1) })).toEqual(['PARAM_TOO_LARGE text']);
    expect(problemsOf(params, { text: nested(32) })).toEqual([]);
    expect(problemsOf(params, { text: nested(33) })[0]).toMatch(/^TOO_DEEP text/);
    expect(problemsOf(params, { text: ['a', 'a\0b'] })).toEqual(['BAD_CHARACTER text.1']);
    expect(problemsOf(params, { text: { 'a\0b': 1 } })[0]).toMatch(/^BAD_CHARACTER/);
    expect(problemsOf(params, { text: '\uD800' })).toEqual(['BAD_CHARACTER text']);
  });

  it('with options take a value that is equal as JSON', () => {
    const params = { x: param('json', { options: [{ a: 1, b: [2] }] }) };
    expect(problemsOf(params, { x: { b: [2], a: 1 } })).toEqual([]);
    expect(problemsOf(params, { x: { a: 1, b: [3] } })).toEqual(['NOT_AN_OPTION x']);
  });

  it('are copies: what was handed in may change afterwards', () => {
    const given = { x: { list: [1] } };
    const checked = checkParams({ x: param('json') }, given);
    given.x.list.push(2);
    expect(checked).toEqual({ ok: true, params: { x: { list: [1] } } });
  });

  it('of any kind are taken or refused, never thrown at', () => {
    const types = fc.constantFrom<ParamType>('string', 'integer', 'number', 'boolean', 'json');
    const values = fc.oneof(fc.jsonValue(), fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }));
    fc.assert(
      fc.property(types, values, (type, value) => {
        const checked = checkParams({ x: param(type) }, { x: value });
        if (checked.ok) expect(JSON.parse(JSON.stringify(checked.params))).toEqual(checked.params);
      }),
      { numRuns: 2000 },
    );
  });

  it('are reported up to fifty', () => {
    const given = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`x${at}`, at]));
    expect(problemsOf({}, given)).toHaveLength(50);
  });
});
