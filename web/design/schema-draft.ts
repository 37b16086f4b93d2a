import { faultText, inexactMessage, isExactNumber, readJson } from '@gantry/plugin-kit/exact-json';
import type { Json } from '../client/operation.ts';
import type { Bounds, SchemaField } from './schema-fields.ts';

/** What stands in a field, as it was typed. */
export interface FieldDraft {
  readonly text: string;
  readonly isNull: boolean;
  /** Of a RECORD. */
  readonly rows: readonly (readonly [name: string, amount: string])[];
}

/** What stands in a form, by the name of the field. */
export type FormDraft = Readonly<Record<string, FieldDraft>>;

/** A config as it can be handed in. */
export type Config = { readonly [key: string]: Json };

/** What a draft says, and by field what is wrong with it. */
export interface ReadDraft {
  /** Only what is not as it would be without saying so. */
  readonly config: Config;
  readonly problems: Readonly<Record<string, string>>;
}

/** A draft that says what a config says. */
export function draftOf(fields: readonly SchemaField[], config: Config): FormDraft {
  return Object.fromEntries(
    fields.map((field) => [field.name, fieldDraft(field, field.name === '' ? config : config[field.name])]),
  );
}

function fieldDraft({ kind, standard }: SchemaField, given: Json | undefined): FieldDraft {
  const value = given === undefined ? standard : given;
  const empty: FieldDraft = { text: kind === 'BOOLEAN' ? 'false' : '', isNull: false, rows: [] };
  if (value === undefined) return empty;
  if (value === null) return { ...empty, isNull: true };
  if (kind === 'RECORD') return { ...empty, rows: Object.entries(value).map(([name, amount]) => [name, `${amount}`]) };
  return { ...empty, text: kind === 'JSON' ? JSON.stringify(value, null, 2) : String(value as string) };
}

/** What the draft comes to. */
export function readDraft(fields: readonly SchemaField[], draft: FormDraft): ReadDraft {
  const problems: Record<string, string> = {};
  let config: Config = {};
  for (const field of fields) {
    const { value, problem } = readField(field, draft[field.name] ?? { text: '', isNull: false, rows: [] });
    if (problem !== undefined) problems[field.name] = problem;
    else if (field.name === '') config = value as Config;
    else if (value !== undefined && !isSame(value, field.standard)) config = { ...config, [field.name]: value };
  }
  return { config, problems };
}

type Reading = { readonly value?: Json | undefined; readonly problem?: string };

function readField(field: SchemaField, { text, isNull, rows }: FieldDraft): Reading {
  if (isNull && field.isNullable) return { value: null };
  const { kind, bounds } = field;
  if (kind === 'RECORD') return readRows(rows, bounds);
  if (kind === 'BOOLEAN') return { value: text === 'true' };
  if (text.trim() === '') {
    if (!field.isRequired) return { value: undefined };
    return { problem: 'This must be filled in.' };
  }
  if (kind === 'NUMBER' || kind === 'INTEGER') return readNumber(text, bounds);
  if (kind === 'JSON') return readJsonField(text, field.name === '');
  if (text.length < field.minLength) return { problem: `At least ${field.minLength} characters.` };
  return { value: text };
}

function readNumber(text: string, { minimum, maximum, above, isInteger }: Bounds): Reading {
  const value = Number(text.trim());
  if (text.trim() === '' || Number.isNaN(value)) return { problem: 'A number is needed here: 12 or 0.5.' };
  if (!isExactNumber(text.trim())) return { problem: inexactMessage(text.trim()) };
  if (isInteger && !Number.isSafeInteger(value)) return { problem: 'A whole number is needed here.' };
  if (minimum !== null && value < minimum) return { problem: `At least ${minimum}.` };
  if (above !== null && value <= above) return { problem: `More than ${above}.` };
  if (maximum !== null && value > maximum) return { problem: `At most ${maximum}.` };
  return { value };
}

function readRows(rows: FieldDraft['rows'], bounds: Bounds): Reading {
  const record: Record<string, number> = {};
  for (const [name, amount] of rows) {
    if (name.trim() === '' && amount.trim() === '') continue;
    if (name.trim() === '') return { problem: `${amount} needs a name before it.` };
    if (Object.hasOwn(record, name.trim())) return { problem: `${name.trim()} is there twice.` };
    const { value, problem } = readNumber(amount, bounds);
    if (problem !== undefined) return { problem: `${name.trim()}: ${problem}` };
    record[name.trim()] = value as number;
  }
  return { value: record };
}

function readJsonField(text: string, isWhole: boolean): Reading {
  const read = readJson(text);
  if (!read.ok) {
    const { fault } = read;
    return { problem: fault.code === 'NOT_JSON' ? `This is not JSON: ${fault.message}` : faultText(fault) };
  }
  const { value } = read;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isWhole && !isObject ? { problem: 'An object is needed here: {}.' } : { value };
}

/** Whether two values are the same, in whatever order their properties were written. */
export function isSame(one: Json | undefined, other: Json | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Config).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}
