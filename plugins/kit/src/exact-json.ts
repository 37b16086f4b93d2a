import { beginningOf } from './beginning.ts';
import type { Json } from './vocabulary.ts';

/*
 * JSON text whose values survive. A number is held as a double, so a text may name one that no double is: it would be
 * changed without a word. Such a text is refused with the place. So is a key that is written twice in one object, of
 * which `JSON.parse` would drop the first. Everything else is what `JSON.parse` makes of it.
 *
 * `JSON.parse` goes first, and a text without long or scaled numbers and without a key too many costs two quick looks
 * more. Only a text that may hold a fault is read a second time, for its places.
 */

/** What a text holds that would not survive, and where. */
export interface JsonTextFault {
  /** No JSON at all; a number that no double is; a key that is written twice. */
  readonly code: 'NOT_JSON' | 'INEXACT_NUMBER' | 'DUPLICATE_KEY';
  /** A sentence without the place. */
  readonly message: string;
  /** What to write instead; null where the message says it. */
  readonly remedy: string | null;
  /** Of the value, from the root. Empty for NOT_JSON. */
  readonly path: readonly (string | number)[];
  /** Of the value or key in the text, from 1; UTF-16 units. Null for NOT_JSON. */
  readonly place: { readonly line: number; readonly column: number } | null;
}

export type ReadJson =
  { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly fault: JsonTextFault };

/** Reads JSON text, behind a byte order mark if there is one. Nothing is thrown. */
export function readJson(text: string): ReadJson {
  const json = text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
  let value: Json;
  try {
    value = JSON.parse(json) as Json;
  } catch (error) {
    return {
      ok: false,
      fault: { code: 'NOT_JSON', message: (error as Error).message, remedy: null, path: [], place: null },
    };
  }
  const fault = mayHoldFault(json, value) ? faultIn(json) : null;
  return fault === null ? { ok: true, value } : { ok: false, fault };
}

/**
 * Whether a decimal number survives being held as a double: printed, it is equal in value. `3.10`, `0.1`, `1e3` and
 * `-0` are, `9007199254740993`, `0.1234567890123456789` and `1e400` are not. False for what is no decimal number.
 */
export function isExactNumber(written: string): boolean {
  const value = Number(written);
  const size = Math.abs(value);
  // So few digits always survive, far from the ends of what a double holds.
  if (written.length <= SAFE_DIGITS && size > 1e-290 && size < 1e290) return DECIMAL.test(written);
  const decimal = decimalOf(written);
  return decimal !== null && Number.isFinite(value) && decimal === decimalOf(String(value));
}

/** Why a number is refused, as a sentence. @param written As it stands in the text. */
export function inexactMessage(written: string): string {
  const value = Number(written);
  const becomes = Number.isFinite(value) ? `it would become ${value}` : 'it is beyond the largest one';
  return `${shortened(written)} is a number that cannot be kept exactly: ${becomes}.`;
}

/** What to write instead of a number that is refused. */
export const inexactRemedy = (written: string): string => `Write it as a string: "${shortened(written)}".`;

/** A path in words: `items[0].id`, `["a b"].c`. Empty for the root. */
export function placeText(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[A-Za-z0-9_$-]+$/.test(step)) text += `[${JSON.stringify(shortened(step))}]`;
    else text += text === '' ? shortened(step) : `.${shortened(step)}`;
  }
  return text;
}

/** A fault as one sentence with its place: `items[0].id (line 1, column 17): …`. */
export function faultText({ message, path, place }: JsonTextFault): string {
  const at = place === null ? '' : `line ${place.line}, column ${place.column}`;
  const where = path.length === 0 ? at : `${placeText(path)} (${at})`;
  return where === '' ? message : `${where}: ${message}`;
}

/** Whether a text may hold a fault. Never false for one that does. @param value What JSON.parse makes of it. */
export const mayHoldFault = (text: string, value: Json): boolean =>
  SUSPICIOUS.test(text) || keysWritten(text) !== keysOf(value);

/**
 * The first fault of a text that JSON.parse accepts.
 *
 * @param within Only faults on which the value at this path depends: below it, or a key on the way that is written twice.
 */
export function faultIn(text: string, within: readonly (string | number)[] = []): JsonTextFault | null {
  const steps = within.map(String);
  let fault: JsonTextFault | null = null;
  scan(text, {
    number(written, offset, frames) {
      if (frames.length < steps.length || !isOnTheWay(frames, steps) || isExactNumber(written)) return true;
      const told = { message: inexactMessage(written), remedy: inexactRemedy(written) };
      fault = { code: 'INEXACT_NUMBER', ...told, path: pathOf(frames), place: placeIn(text, offset) };
      return false;
    },
    repeatedKey(key, offset, frames) {
      if (!isOnTheWay(frames, steps)) return true;
      const message = `The key “${shortened(key)}” is written twice in one object.`;
      const remedy = 'Leave one of them out.';
      fault = { code: 'DUPLICATE_KEY', message, remedy, path: pathOf(frames), place: placeIn(text, offset) };
      return false;
    },
  });
  return fault;
}

/** A number as a text that JSON.parse accepts writes it, `3.10`; null when there is none at that path. */
export function writtenNumber(text: string, path: readonly (string | number)[]): string | null {
  const steps = path.map(String);
  let found: string | null = null;
  scan(text, {
    // Of a key that is written twice, the last counts.
    number(written, _offset, frames) {
      if (frames.length === steps.length && isOnTheWay(frames, steps)) found = written;
      return true;
    },
    repeatedKey: () => true,
  });
  return found;
}

const BYTE_ORDER_MARK = 0xfeff;
/** Up to fifteen digits always survive; a sixteenth or a power of ten may not. */
const SUSPICIOUS = /[0-9][0-9.]{15}|[0-9][eE][-+]?[0-9]/;
const MAX_SHOWN = 60;
const MAX_COUNTED_DEPTH = 500;
const SAFE_DIGITS = 15;

const shortened = (text: string): string => (text.length > MAX_SHOWN ? `${beginningOf(text, MAX_SHOWN)}…` : text);

const DECIMAL = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/;
const ZERO = 0x30;

/** One spelling for each value, `-31e-1`; null for what is no decimal number. Linear in the length of the text. */
function decimalOf(text: string): string | null {
  const [, sign, whole = '', fraction = '', power = '0'] = DECIMAL.exec(text) ?? [];
  const digits = whole + fraction;
  if (sign === undefined || digits === '') return null;
  let from = 0;
  let to = digits.length;
  while (from < to && digits.charCodeAt(from) === ZERO) from++;
  while (to > from && digits.charCodeAt(to - 1) === ZERO) to--;
  if (from === to) return '0';
  const exponent = Number(power) - fraction.length + (digits.length - to);
  return `${sign === '-' ? '-' : ''}${digits.slice(from, to)}e${exponent}`;
}

/** How many colons of a text follow a quote: never fewer than there are keys. */
function keysWritten(text: string): number {
  let count = 0;
  for (let colon = text.indexOf(':'); colon >= 0; colon = text.indexOf(':', colon + 1)) {
    let at = colon - 1;
    while (isBlank(text.charCodeAt(at))) at--;
    if (text.charCodeAt(at) === 0x22) count++;
  }
  return count;
}

/** How many keys the objects of a value have; NaN for one that lies deeper than recursion should go. */
function keysOf(value: Json, depth = 0): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > MAX_COUNTED_DEPTH) return Number.NaN;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) count += keysOf(item, depth + 1);
    return count;
  }
  for (const inner of Object.values(value)) count += 1 + keysOf(inner, depth + 1);
  return count;
}

const isBlank = (unit: number): boolean => unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;

/** A list or object that is open: where in it, and the keys so far. */
interface Frame {
  step: string | number;
  readonly keys: Set<string> | null;
}

/** Whether one of the two leads to where the other ends, or beyond. */
function isOnTheWay(frames: readonly Frame[], steps: readonly string[]): boolean {
  const length = Math.min(frames.length, steps.length);
  for (let at = 0; at < length; at++) if (String(frames[at]!.step) !== steps[at]) return false;
  return true;
}

const pathOf = (frames: readonly Frame[]): readonly (string | number)[] => frames.map(({ step }) => step);

/** What is told of a text, in its order, with the lists and objects that are open. Each answers whether to go on. */
interface Visitor {
  number(written: string, offset: number, frames: readonly Frame[]): boolean;
  repeatedKey(key: string, offset: number, frames: readonly Frame[]): boolean;
}

/** Walks through text that JSON.parse accepts. Without recursion, and linear. */
function scan(text: string, visitor: Visitor): void {
  const frames: Frame[] = [];
  let isKey = false;
  for (let at = 0; at < text.length;) {
    const start = at;
    const frame = frames.at(-1);
    switch (text[at++]) {
      case '{':
        frames.push({ step: '', keys: new Set() });
        isKey = true;
        break;
      case '[':
        frames.push({ step: 0, keys: null });
        isKey = false;
        break;
      case '}':
      case ']':
        frames.pop();
        isKey = false;
        break;
      case ',':
        isKey = frame!.keys !== null;
        if (!isKey) frame!.step = (frame!.step as number) + 1;
        break;
      case ':':
        isKey = false;
        break;
      case '"': {
        at = endOfString(text, start);
        if (!isKey) break;
        const key = keyIn(text, start, at);
        frame!.step = key;
        if (frame!.keys!.has(key) && !visitor.repeatedKey(key, start, frames)) return;
        frame!.keys!.add(key);
        break;
      }
      default:
        if (isBlank(text.charCodeAt(start))) break;
        while (at < text.length && isOfWord(text.charCodeAt(at))) at++;
        if (text[start]! <= '9' && !visitor.number(text.slice(start, at), start, frames)) return;
    }
  }
}

/** A digit, a letter, or one of `+-.`: what numbers, true, false and null are made of. */
const isOfWord = (unit: number): boolean =>
  (unit >= 0x30 && unit <= 0x39) ||
  (unit >= 0x61 && unit <= 0x7a) ||
  unit === 0x2b ||
  unit === 0x2d ||
  unit === 0x2e ||
  unit === 0x45;

/** Behind the quote that closes the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); ; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

function keyIn(text: string, start: number, end: number): string {
  const written = text.slice(start + 1, end - 1);
  return written.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : written;
}

function placeIn(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}
