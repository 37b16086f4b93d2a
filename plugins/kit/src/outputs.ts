import { isUtf8 } from 'node:buffer';
import { beginningOf } from './beginning.ts';
import { faultText, readJson } from './exact-json.ts';
import { readPlainFile } from './plain-file.ts';
import type { Json } from './vocabulary.ts';

/** The most that the output file may hold. Bytes. */
const MAX_BYTES = 1_048_576;
const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export type Outputs =
  | { readonly ok: true; readonly outputs: Readonly<Record<string, Json>> }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly remedy?: string };

const NONE: Outputs = { ok: true, outputs: {} };

/** Reads what a command wrote to $GANTRY_OUTPUT; nothing when it wrote none, or put something else than a file there. */
export function readOutputs(path: string): Outputs {
  const file = readPlainFile(path, MAX_BYTES);
  if (file === null || file.size === 0) return NONE;
  if (file.size > MAX_BYTES) {
    return {
      ok: false,
      code: 'OUTPUTS_TOO_LARGE',
      message: `$GANTRY_OUTPUT holds ${file.size} bytes; ${MAX_BYTES} are allowed. Write large results to a file of their own, and hand on its path.`,
    };
  }
  if (!isUtf8(file.bytes)) return { ok: false, code: 'OUTPUT_MALFORMED', message: '$GANTRY_OUTPUT is not UTF-8.' };
  return parseOutputs(file.bytes.toString());
}

/**
 * `name=text`, `name:=json`, `name<<END` up to a line `END`, or one JSON object for all. A number that no double holds,
 * and a key that is written twice in one object, are refused with their place (INEXACT_NUMBER, DUPLICATE_KEY).
 */
export function parseOutputs(written: string): Outputs {
  const text = written.replace(/^\uFEFF/, '');
  if (text.trim() === '') return NONE;
  if (text.trimStart().startsWith('{')) return parseObject(text);
  // Without a prototype: an output may be named like anything.
  const outputs = Object.create(null) as Record<string, Json>;
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!.replace(/\r$/, '');
    if (line.trim() === '') continue;
    const match = /^([^=:<]+)(:=|<<|=)(.*)$/s.exec(line);
    const name = match?.[1]?.trim() ?? '';
    if (!match || !NAME.test(name))
      return malformed(index, `"${beginningOf(line, 80)}" is none of name=text, name:=json and name<<END`);
    const value = match[3]!;
    if (match[2] === '=') {
      outputs[name] = value;
    } else if (match[2] === ':=') {
      const column = line.length - value.length + 1;
      const shown = `$GANTRY_OUTPUT, line ${index + 1}: the value of ${name}`;
      const read = readOutputJson(value, shown, { line: index + 1, column });
      if (!read.ok) return read;
      outputs[name] = read.value;
    } else {
      const end = lines.findIndex((other, at) => at > index && other.replace(/\r$/, '') === value.trim());
      if (end < 0) return malformed(index, `${name}<<${value.trim()} has no line "${value.trim()}" after it`);
      outputs[name] = lines.slice(index + 1, end).join('\n');
      index = end;
    }
  }
  return { ok: true, outputs: { ...outputs } };
}

function parseObject(text: string): Outputs {
  const read = readOutputJson(text, '$GANTRY_OUTPUT begins like a JSON object and');
  return read.ok ? { ok: true, outputs: read.value as Record<string, Json> } : read;
}

/**
 * Reads JSON that becomes outputs.
 *
 * @param shown What it is, as the beginning of a sentence: `The file a.json`.
 * @param start Where in the file it begins.
 */
export function readOutputJson(
  text: string,
  shown: string,
  start: { readonly line: number; readonly column: number } = { line: 1, column: 1 },
): { readonly ok: true; readonly value: Json } | Extract<Outputs, { readonly ok: false }> {
  const read = readJson(text);
  if (read.ok) return read;
  const { code, message, remedy, place } = read.fault;
  if (code === 'NOT_JSON') return { ok: false, code: 'OUTPUT_MALFORMED', message: `${shown} is no JSON: ${message}` };
  const moved = place && {
    line: place.line + start.line - 1,
    column: place.line === 1 ? place.column + start.column - 1 : place.column,
  };
  const why = faultText({ ...read.fault, place: moved });
  const told = { ok: false, code, message: `${shown} cannot be taken: ${why}` } as const;
  return remedy === null ? told : { ...told, remedy };
}

const malformed = (index: number, what: string): Outputs => ({
  ok: false,
  code: 'OUTPUT_MALFORMED',
  message: `$GANTRY_OUTPUT, line ${index + 1}: ${what}.`,
});
