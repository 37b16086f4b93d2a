import type { Json, Problem } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from './excerpt.ts';
import { copyJson } from './json.ts';
import type { Param, ParamType } from './pipeline.ts';
import { didYouMean } from './suggestion.ts';

/** The largest value of a param, in characters of its JSON. */
export const MAX_PARAM_CHARACTERS = 65_536;

/** The deepest value of a param. */
export const MAX_PARAM_DEPTH = 32;

/** A caller who got everything wrong need not be told more than this at once. */
const MAX_PROBLEMS = 50;

const LIMITS = { depth: MAX_PARAM_DEPTH, values: MAX_PARAM_CHARACTERS, characters: MAX_PARAM_CHARACTERS };

/** A value that was handed in, checked and copied, or what is wrong with it. */
export type CheckedValue =
  { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly problem: Problem };

/**
 * Checks what was handed in against what a pipeline declares and fills in defaults. Codes: `UNKNOWN_PARAM`,
 * `MISSING_PARAM`, `WRONG_TYPE`, `NOT_AN_OPTION`, `PARAM_TOO_LARGE`, and those of `copyJson`. Nothing is converted:
 * `"3"` is no integer. Problems have the param's name as path; there are at most 50.
 */
export function checkParams(
  params: Readonly<Record<string, Param>>,
  given: Readonly<Record<string, unknown>>,
):
  | { readonly ok: true; readonly params: Readonly<Record<string, Json>> }
  | { readonly ok: false; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const complete: Record<string, Json> = {};
  for (const name of Object.keys(given)) {
    if (problems.length >= MAX_PROBLEMS) break;
    if (given[name] !== undefined && !Object.hasOwn(params, name)) problems.push(unknownParam(name, params));
  }
  for (const [name, param] of Object.entries(params)) {
    if (problems.length >= MAX_PROBLEMS) break;
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined) {
      if (param.default === undefined) problems.push(missingParam(name, param));
      else complete[name] = param.default;
      continue;
    }
    const checked = checkParamValue(name, param, value);
    if (checked.ok) complete[name] = checked.value;
    else problems.push(checked.problem);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, params: complete };
}

/**
 * Checks one value against its param: size, type, options.
 *
 * @param source How the value is written, where that is known: a suggestion repeats it instead of what was read.
 */
export function checkParamValue(
  name: string,
  param: { readonly type: ParamType; readonly options?: readonly Json[] },
  value: unknown,
  source: string | null = null,
): CheckedValue {
  const copied = copyJson(value, LIMITS);
  if (!copied.ok) {
    const { code, message, path } = copied.fault;
    return refused([name, ...path], code, `The param “${name}” cannot be taken. ${message}`);
  }
  const json = copied.value;
  if (!isOfType(json, param.type)) {
    const message = `The param “${name}” must be ${typeNames[param.type]}, not ${describe(json, source)}.`;
    return refused([name], 'WRONG_TYPE', message, converted(json, param.type, source));
  }
  // Strings were counted while they were copied; what else counts is only known as text.
  if (typeof json === 'object' && JSON.stringify(json).length > MAX_PARAM_CHARACTERS) {
    return refused(
      [name],
      'PARAM_TOO_LARGE',
      `The param “${name}” is larger than 64 KiB.`,
      'Hand in a path or an address.',
    );
  }
  if (param.options !== undefined && !param.options.some((option) => isSameJson(option, json))) {
    const options = param.options
      .slice(0, 10)
      .map((option) => JSON.stringify(option))
      .join(', ');
    const more = param.options.length > 10 ? ', …' : '';
    const message = `The param “${name}” may not be ${describe(json, source)}; it is one of ${options}${more}.`;
    const texts = param.options.filter((option) => typeof option === 'string');
    const meant = typeof json === 'string' ? didYouMean(json, texts) : null;
    return refused([name], 'NOT_AN_OPTION', message, meant === null ? undefined : `Did you mean “${meant}”?`);
  }
  return { ok: true, value: json };
}

const typeNames = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  json: 'a JSON value',
} as const satisfies Record<ParamType, string>;

function isOfType(value: Json, type: ParamType): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return typeof value === 'number' && Number.isSafeInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'json':
      return true;
  }
}

/** How the value would be written if it was only quoted wrongly. What was read is not repeated: 3.10 was read as 3.1. */
function converted(value: Json, type: ParamType, source: string | null): string | undefined {
  if (type === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    const isShort = source !== null && source.length <= 100;
    return isShort ? `Write it in quotes: ${JSON.stringify(source)}.` : 'Write it as text, in quotes.';
  }
  if (typeof value !== 'string') return undefined;
  const isNumber = /^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/.test(value) && (type === 'number' || !value.includes('.'));
  if ((type === 'integer' || type === 'number') && isNumber) return `Write it without quotes: ${value}.`;
  if (type === 'boolean' && (value === 'true' || value === 'false')) return `Write it without quotes: ${value}.`;
  return undefined;
}

function unknownParam(name: string, params: Readonly<Record<string, Param>>): Problem {
  const names = Object.keys(params);
  const meant = didYouMean(name, names);
  const has = names.length === 0 ? 'The pipeline has none.' : `It has: ${names.slice(0, 20).join(', ')}.`;
  return {
    code: 'UNKNOWN_PARAM',
    message: `There is no param “${excerpt(name)}”.`,
    path: [name],
    remedy: meant === null ? has : `Did you mean “${meant}”?`,
  };
}

function missingParam(name: string, param: Param): Problem {
  const about = param.description === '' ? '' : ` (${param.description})`;
  return {
    code: 'MISSING_PARAM',
    message: `The param “${name}”${about} is missing and has no default.`,
    path: [name],
    remedy: `Hand in ${typeNames[param.type]} for it.`,
  };
}

function refused(path: readonly (string | number)[], code: string, message: string, remedy?: string): CheckedValue {
  return { ok: false, problem: remedy === undefined ? { code, message, path } : { code, message, path, remedy } };
}

function describe(value: Json, source: string | null): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `the string “${excerpt(value)}”`;
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'number' ? `the number ${source ?? value}` : (source ?? String(value));
}

/** Equal as JSON: the order of an object's keys does not matter. Both are at most MAX_PARAM_DEPTH deep. */
function isSameJson(one: Json, other: Json): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  const [left, right] = [one as Readonly<Record<string, Json>>, other as Readonly<Record<string, Json>>];
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && isSameJson(left[key] ?? null, right[key] ?? null));
}
