import { isUtf8 } from 'node:buffer';
import { readPlainFile } from './plain-file.ts';
import type { Json } from './vocabulary.ts';

/** The most that the output file may hold. Bytes. */
const MAX_BYTES = 1_048_576;
const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export type Outputs =
  | { readonly ok: true; readonly outputs: Readonly<Record<string, Json>> }
  | { readonly ok: false; readonly code: string; readonly message: string };

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

/** `name=text`, `name:=json`, `name<<END` up to a line `END`, or one JSON object for all. */
export function parseOutputs(text: string): Outputs {
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
      return malformed(index, `"${line.slice(0, 80)}" is none of name=text, name:=json and name<<END`);
    const value = match[3]!;
    if (match[2] === '=') {
      outputs[name] = value;
    } else if (match[2] === ':=') {
      try {
        outputs[name] = JSON.parse(value) as Json;
      } catch (error) {
        return malformed(index, `the value of ${name} is no JSON: ${(error as Error).message}`);
      }
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
  try {
    return { ok: true, outputs: JSON.parse(text) as Record<string, Json> };
  } catch (error) {
    return {
      ok: false,
      code: 'OUTPUT_MALFORMED',
      message: `$GANTRY_OUTPUT begins like a JSON object and is none: ${(error as Error).message}`,
    };
  }
}

const malformed = (index: number, what: string): Outputs => ({
  ok: false,
  code: 'OUTPUT_MALFORMED',
  message: `$GANTRY_OUTPUT, line ${index + 1}: ${what}.`,
});
