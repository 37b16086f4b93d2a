import { faultText, inexactMessage, isExactNumber, readJson } from '@gantry/plugin-kit/exact-json';
import type * as z from 'zod';

/** How a setting is written as text, in an environment variable or a flag. */
export type TextForm = 'TEXT' | 'NUMBER' | 'BOOLEAN' | 'LIST' | 'MAP' | 'JSON';

/** One row of the table that drives the file, the environment, the flags, the docs and `gantry config print`. */
export interface Setting<Schema extends z.ZodType = z.ZodType> {
  /** Checks the value after it was read; a text becomes a value by `form` first. */
  readonly schema: Schema;
  readonly form: TextForm;
  /** When nobody sets it; undefined where `absent` says what then. */
  readonly default: z.input<Schema> | undefined;
  /** What holds without a value, in words, for the docs. */
  readonly absent?: string;
  readonly variable: `GANTRY_${string}`;
  /** Without the dashes; null where a command line must not hold it. */
  readonly flag: string | null;
  /** One sentence. */
  readonly summary: string;
  /** Shown as `••••` everywhere. */
  readonly isSecret?: boolean;
  /** A path: relative to the file that names it, or to the working folder. */
  readonly isPath?: boolean;
  /** Who reads it. */
  readonly side: 'SERVER' | 'CLIENT';
}

/** Keeps the schema's type. */
export function setting<Schema extends z.ZodType>(row: Setting<Schema>): Setting<Schema> {
  return row;
}

/** A text as its form reads it, or what is wrong with it. */
export type ReadText =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

/** Reads the text of an environment variable or a flag; what it means is checked by the setting's schema. */
export function readText(text: string, form: TextForm): ReadText {
  switch (form) {
    case 'TEXT':
      return { ok: true, value: text };
    case 'NUMBER':
      if (!/^-?\d+(\.\d+)?$/.test(text.trim())) return { ok: false, message: `“${text}” is not a number` };
      return isExactNumber(text.trim())
        ? { ok: true, value: Number(text) }
        : { ok: false, message: inexactMessage(text.trim()) };
    case 'BOOLEAN':
      return readBoolean(text.trim().toLowerCase(), text);
    case 'LIST':
      return { ok: true, value: entries(text) };
    case 'MAP':
      return readMap(text);
    case 'JSON': {
      const read = readJson(text);
      if (read.ok) return read;
      const isNone = read.fault.code === 'NOT_JSON';
      return { ok: false, message: isNone ? `it is not JSON (${read.fault.message})` : faultText(read.fault) };
    }
  }
}

function readBoolean(word: string, text: string): ReadText {
  if (word === 'true' || word === '1' || word === 'yes' || word === 'on') return { ok: true, value: true };
  if (word === 'false' || word === '0' || word === 'no' || word === 'off' || word === '') {
    return { ok: true, value: false };
  }
  return { ok: false, message: `“${text}” is neither true nor false` };
}

function readMap(text: string): ReadText {
  const map: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const entry of entries(text)) {
    const equals = entry.indexOf('=');
    if (equals <= 0) return { ok: false, message: `“${entry}” is not key=value` };
    map[entry.slice(0, equals).trim()] = entry.slice(equals + 1).trim();
  }
  return { ok: true, value: { ...map } };
}

function entries(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** How a value of the form is written as text, for the docs. */
export const formNames: Readonly<Record<TextForm, string>> = {
  TEXT: 'text',
  NUMBER: 'number',
  BOOLEAN: 'true or false',
  LIST: 'list, separated by commas',
  MAP: '`key=value`, separated by commas',
  JSON: 'JSON',
};
