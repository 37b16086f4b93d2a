import type { Json, JsonObject, Reason } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from './excerpt.ts';
import { didYouMean } from './suggestion.ts';

/*
 * `${{ path }}` in the strings of a pipeline.
 *
 *   path  = name { "." name | "[" whole number "]" | "[" quoted "]" }
 *   name  = letter, digit or "_", then also "-"          quoted = "…" or '…', with \" \' \\
 *
 * A path names own properties of plain data, one step at a time, and nothing else: there are no calls, no operators, no
 * inherited properties, and what was put in is not read again. A string that is one expression becomes the value that
 * it names, with its type; inside a longer string strings are put in as they are and everything else as JSON.
 * Keys of objects are never expressions.
 *
 * `secrets.NAME` has no value here: its place in the rendered string is told, and who executes the attempt puts it in
 * there. By its place, not by a mark in the text: whatever data spells, it names no secret.
 */

/** The longest string that may hold an expression, in characters. */
export const MAX_EXPRESSION_TEXT = 65_536;
/** The most steps of one path. */
export const MAX_PATH_STEPS = 32;
/** The most expressions in one string. */
export const MAX_EXPRESSIONS = 64;
/** What a value may grow to when it is rendered, in characters: a small pipeline must not become a large message. */
export const MAX_RENDERED_CHARACTERS = 8 << 20;
/** The deepest value that is looked at. */
const MAX_DEPTH = 64;

/** The value without expressions, or why one of them has none. */
export type Rendered = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly reason: Reason };

/** Where in a rendered value a secret belongs. */
export interface SecretPlace {
  /** Where the string is in the value. */
  readonly at: readonly (string | number)[];
  /** Where in the string, in UTF-16 units. Places of one string come in their order. */
  readonly offset: number;
  readonly name: string;
}

/** An expression as it stands in a string of a value. */
export interface Reference {
  /** What it names: `['tasks', 'split', 'outputs', 'parts', 0]`. Never empty; the first is a name. */
  readonly path: readonly (string | number)[];
  /** As it is written between the braces, without blanks around it. */
  readonly text: string;
  /** Where the string is in the value. */
  readonly at: readonly (string | number)[];
  /** Where `${{` begins in the string. */
  readonly offset: number;
}

/** A mistake in an expression, and where it is. */
export interface ExpressionProblem extends Reason {
  /** Where the string is in the value. */
  readonly at: readonly (string | number)[];
  /** Where in the string. */
  readonly offset: number;
}

type Expression = Pick<Reference, 'path' | 'text' | 'offset'>;
type SyntaxProblem = Reason & { readonly offset: number };
type Template = { readonly parts: readonly (string | Expression)[] } | { readonly problem: SyntaxProblem };

const OPEN = '${{';
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether any string in the value holds `${{`. */
export function hasExpression(value: Json): boolean {
  return holdsOpen(value, MAX_DEPTH);
}

function holdsOpen(value: Json, depth: number): boolean {
  if (typeof value === 'string') return value.includes(OPEN);
  if (typeof value !== 'object' || value === null) return false;
  // Too deep to tell: `render` and `parseReferences` say so.
  if (depth === 0) return true;
  if (Array.isArray(value)) return value.some((each: Json) => holdsOpen(each, depth - 1));
  const object = value as JsonObject;
  for (const key in object) if (Object.hasOwn(object, key) && holdsOpen(object[key] ?? null, depth - 1)) return true;
  return false;
}

/**
 * Puts values in the place of expressions. A part without expressions is the same object afterwards. Codes:
 * `BAD_EXPRESSION` (cannot happen to a checked pipeline), `EXPRESSION_UNRESOLVED`, `RENDERED_TOO_LARGE`.
 *
 * @param secrets Takes in where secrets belong. Without it, to name one is to name what does not exist.
 */
export function render(value: Json, scope: JsonObject, secrets: SecretPlace[] | null = null): Rendered {
  return renderValue(value, { scope, secrets, at: [], charactersLeft: MAX_RENDERED_CHARACTERS }, MAX_DEPTH);
}

interface Rendering {
  readonly scope: JsonObject;
  /** Takes in the places of secrets; null where there may be none. */
  readonly secrets: SecretPlace[] | null;
  /** Where it is. */
  readonly at: (string | number)[];
  charactersLeft: number;
}

function renderValue(value: Json, work: Rendering, depth: number): Rendered {
  if (typeof value === 'string') {
    return value.includes(OPEN) ? renderText(value, work) : { ok: true, value };
  }
  if (typeof value !== 'object' || value === null) return { ok: true, value };
  if (depth === 0) return refused('BAD_EXPRESSION', `The value lies more than ${MAX_DEPTH} levels deep.`);
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    let copy: Json[] | null = null;
    for (let at = 0; at < list.length; at++) {
      work.at.push(at);
      const rendered = renderValue(list[at] ?? null, work, depth - 1);
      work.at.pop();
      if (!rendered.ok) return rendered;
      if (rendered.value !== list[at]) copy ??= list.slice();
      if (copy !== null) copy[at] = rendered.value;
    }
    return { ok: true, value: copy ?? value };
  }
  const object = value as JsonObject;
  let copy: Record<string, Json> | null = null;
  for (const key of Object.keys(object)) {
    work.at.push(key);
    const rendered = renderValue(object[key] ?? null, work, depth - 1);
    work.at.pop();
    if (!rendered.ok) return rendered;
    if (rendered.value === object[key]) continue;
    copy ??= { ...object };
    copy[key] = rendered.value;
  }
  return { ok: true, value: copy ?? value };
}

function renderText(text: string, work: Rendering): Rendered {
  const template = templateOf(text);
  if ('problem' in template) return { ok: false, reason: template.problem };
  const { parts } = template;
  const only = parts[0];
  if (parts.length === 1 && typeof only === 'object' && !isSecret(only)) {
    const found = lookUp(only, work.scope);
    if (found.ok) work.charactersLeft -= sizeOf(found.value, work.charactersLeft);
    return work.charactersLeft < 0 ? tooLarge() : found;
  }
  let whole = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      whole += part;
      continue;
    }
    if (isSecret(part) && work.secrets !== null) {
      work.secrets.push({ at: [...work.at], offset: whole.length, name: String(part.path[1]) });
      continue;
    }
    const found = lookUp(part, work.scope);
    if (!found.ok) return found;
    const put = typeof found.value === 'string' ? found.value : JSON.stringify(found.value);
    work.charactersLeft -= put.length;
    if (work.charactersLeft < 0) return tooLarge();
    whole += put;
  }
  return { ok: true, value: whole };
}

/** Whether it names a secret; `checkExpressions` has seen to it that it names exactly one. */
const isSecret = ({ path }: Expression): boolean => path[0] === 'secrets' && path.length === 2;

/** Follows a path through own properties of plain data. */
function lookUp({ path, text }: Expression, scope: JsonObject): Rendered {
  let value: Json = scope;
  for (const [at, step] of path.entries()) {
    const next = stepInto(value, step);
    if (next === undefined) return unresolved(path, at, value, text);
    value = next;
  }
  return { ok: true, value };
}

function stepInto(value: Json, step: string | number): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return typeof step === 'number' ? (value as readonly Json[])[step] : undefined;
  const key = String(step);
  return !FORBIDDEN.has(key) && Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
}

function unresolved(path: readonly (string | number)[], at: number, value: Json, text: string): Rendered {
  const step = path[at] ?? '';
  const reached = at === 0 ? 'the scope' : `“${excerpt(pathText(path.slice(0, at)), 100)}”`;
  const wanted = pathText(path.slice(0, at + 1));
  const missing = `“${excerpt(wanted, 100)}” does not exist${wanted === text ? '' : ` (in “${excerpt(text, 100)}”)`}`;
  if (Array.isArray(value)) {
    const remedy = typeof step === 'number' ? 'Items are counted from 0.' : 'Name an item by its number, as in [0].';
    return refused('EXPRESSION_UNRESOLVED', `${missing}: ${reached} is a list of ${value.length}.`, remedy);
  }
  if (typeof value !== 'object' || value === null) {
    const kind = value === null ? 'null' : `a ${typeof value}`;
    return refused('EXPRESSION_UNRESOLVED', `${missing}: ${reached} is ${kind}.`);
  }
  const names = Object.keys(value);
  const some = names.slice(0, 20).map((name) => excerpt(name));
  const has = names.length === 0 ? 'is nothing' : `is only ${some.join(', ')}${names.length > 20 ? ', …' : ''}`;
  const meant = didYouMean(String(step), names);
  const remedy = meant === null ? undefined : `Did you mean “${meant}”?`;
  return refused('EXPRESSION_UNRESOLVED', `${missing}: in ${reached} there ${has}.`, remedy);
}

/** Roughly the characters of the value's JSON; stops counting above `limit`. */
function sizeOf(value: Json, limit: number): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 1;
  let size = 0;
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined && size <= limit; next = open.pop()) {
    if (typeof next === 'string') size += next.length;
    else if (typeof next !== 'object' || next === null) size += 1;
    else {
      size += 2;
      const keyed = !Array.isArray(next);
      for (const [key, inner] of Object.entries(next as JsonObject)) {
        if (keyed) size += key.length;
        open.push(inner);
      }
    }
  }
  return size;
}

function tooLarge(): Rendered {
  const message = `The value grows beyond ${MAX_RENDERED_CHARACTERS >> 20} MiB when its expressions are put in.`;
  return refused('RENDERED_TOO_LARGE', message, 'Hand in a path or an address instead of the data.');
}

function refused(code: string, message: string, remedy?: string): Rendered {
  return { ok: false, reason: remedy === undefined ? { code, message } : { code, message, remedy } };
}

/** Every expression in the value, in the order written; or the first mistake. */
export function parseReferences(
  value: Json,
):
  | { readonly ok: true; readonly references: readonly Reference[] }
  | { readonly ok: false; readonly problem: ExpressionProblem } {
  const references: Reference[] = [];
  const problem = collect(value, [], references);
  return problem === null ? { ok: true, references } : { ok: false, problem };
}

function collect(value: Json, at: (string | number)[], references: Reference[]): ExpressionProblem | null {
  if (typeof value === 'string') {
    if (!value.includes(OPEN)) return null;
    const template = templateOf(value);
    if ('problem' in template) return { ...template.problem, at: [...at] };
    for (const part of template.parts) if (typeof part === 'object') references.push({ ...part, at: [...at] });
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (at.length >= MAX_DEPTH) {
    return { ...problemAt(0, `The value lies more than ${MAX_DEPTH} levels deep.`), at: [...at] };
  }
  const isList = Array.isArray(value);
  for (const key of Object.keys(value)) {
    at.push(isList ? Number(key) : key);
    if (!isList && key.includes(OPEN)) {
      return { ...problemAt(0, 'A key cannot hold an expression, only a value can.'), at: [...at] };
    }
    const problem = collect((value as JsonObject)[key] ?? null, at, references);
    if (problem !== null) return problem;
    at.pop();
  }
  return null;
}

/** Templates that were read before: the same few strings are rendered for every attempt. */
const templates = new Map<string, Template>();
const MAX_TEMPLATES = 4096;
const MAX_REMEMBERED_TEXT = 1024;

function templateOf(text: string): Template {
  const known = templates.get(text);
  if (known !== undefined) return known;
  const template = readTemplate(text);
  if (text.length <= MAX_REMEMBERED_TEXT) {
    if (templates.size >= MAX_TEMPLATES) templates.clear();
    templates.set(text, template);
  }
  return template;
}

function readTemplate(text: string): Template {
  if (text.length > MAX_EXPRESSION_TEXT) {
    return { problem: problemAt(0, 'A string with an expression may have at most 64 KiB.') };
  }
  const parts: (string | Expression)[] = [];
  let count = 0;
  let at = 0;
  for (let open = text.indexOf(OPEN); open >= 0; open = text.indexOf(OPEN, at)) {
    if (++count > MAX_EXPRESSIONS) {
      return { problem: problemAt(open, `A string may hold at most ${MAX_EXPRESSIONS} expressions.`) };
    }
    if (open > at) parts.push(text.slice(at, open));
    const read = readExpression(text, open);
    if ('problem' in read) return read;
    parts.push(read.expression);
    at = read.end;
  }
  if (at < text.length) parts.push(text.slice(at));
  return { parts };
}

const BLANK = /[ \t\r\n]*/y;
const NAME = /[A-Za-z0-9_][A-Za-z0-9_-]*/y;
const INDEX = /\[(0|[1-9]\d{0,8})\]/y;
const QUOTED = /\[(?:"((?:[^"\\]|\\["'\\])*)"|'((?:[^'\\]|\\["'\\])*)')\]/y;

/** What the pattern matches in the text exactly at a place. */
function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Reads one expression whose `${{` begins at `open`; `end` is behind its `}}`. */
function readExpression(
  text: string,
  open: number,
): { readonly expression: Expression; readonly end: number } | { readonly problem: SyntaxProblem } {
  const start = open + OPEN.length + (matchAt(BLANK, text, open + OPEN.length)?.[0].length ?? 0);
  const path: (string | number)[] = [];
  let at = start;
  for (;;) {
    const isFirst = path.length === 0;
    const dot = !isFirst && text[at] === '.';
    const name = isFirst || dot ? matchAt(NAME, text, dot ? at + 1 : at) : null;
    const index = name === null && !isFirst ? matchAt(INDEX, text, at) : null;
    const quoted = name === null && index === null && !isFirst ? matchAt(QUOTED, text, at) : null;
    const match = name ?? index ?? quoted;
    if (match === null) break;
    const step = index ? Number(index[1]) : name ? name[0] : (quoted?.[1] ?? quoted?.[2] ?? '').replace(/\\(.)/g, '$1');
    if (FORBIDDEN.has(String(step))) return { problem: problemAt(at, `“${step}” may not be used in an expression.`) };
    if (path.length === MAX_PATH_STEPS) {
      return { problem: problemAt(at, `An expression may have at most ${MAX_PATH_STEPS} steps.`) };
    }
    path.push(step);
    at += match[0].length + (dot ? 1 : 0);
  }
  const end = at + (matchAt(BLANK, text, at)?.[0].length ?? 0);
  if (path.length > 0 && text.startsWith('}}', end)) {
    return { expression: { path, text: text.slice(start, at), offset: open }, end: end + 2 };
  }
  return { problem: syntaxProblem(text, open, end, path.length === 0) };
}

function syntaxProblem(text: string, open: number, at: number, isEmpty: boolean): SyntaxProblem {
  if (at >= text.length || !text.includes('}}', at)) {
    return problemAt(open, 'An expression begins with “${{” here and never ends.', 'Close it with “}}”.');
  }
  if (isEmpty && text.startsWith('}}', at)) return problemAt(at, 'The expression is empty.');
  return problemAt(
    at,
    `Only a path may stand in an expression, and “${String.fromCodePoint(text.codePointAt(at) ?? 0)}” is not part of one.`,
  );
}

function problemAt(
  offset: number,
  message: string,
  remedy = 'Write a path such as ${{ params.name }} or ${{ tasks.key.outputs.name[0] }}.',
): SyntaxProblem {
  return { code: 'BAD_EXPRESSION', message, remedy, offset };
}

function pathText(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
