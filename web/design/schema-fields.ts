import type { Json } from '../client/operation.ts';

/** How a field of a form is filled in. RECORD: names with a number each. JSON: whatever has no better form. */
export type FieldKind = 'TEXT' | 'NUMBER' | 'INTEGER' | 'BOOLEAN' | 'CHOICE' | 'RECORD' | 'JSON';

/** What a number may be. */
export interface Bounds {
  readonly minimum: number | null;
  readonly maximum: number | null;
  /** Greater than this. */
  readonly above: number | null;
  readonly isInteger: boolean;
}

/** A property of a config, as a form asks for it. */
export interface SchemaField {
  /** The property; empty for a config that can only be written as a whole. */
  readonly name: string;
  readonly kind: FieldKind;
  readonly description: string;
  /** What it is when it is left out; undefined when there is no saying. */
  readonly standard: Json | undefined;
  readonly isRequired: boolean;
  readonly isNullable: boolean;
  readonly choices: readonly string[];
  /** Of the number, or of each number of a RECORD. */
  readonly bounds: Bounds;
  readonly minLength: number;
}

type Schema = { readonly [key: string]: Json };

const isSchema = (value: Json | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keys with which a schema says more than a form of single fields can. */
const WHOLE = ['anyOf', 'oneOf', 'allOf', 'not', 'if', '$ref', 'patternProperties'];

/** The fields of a config by its JSON Schema. One for all of it where it is not a flat object. */
export function fieldsOf(schema: Json): readonly SchemaField[] {
  if (!isSchema(schema) || schema['type'] !== 'object' || WHOLE.some((key) => key in schema)) return [wholeField()];
  const properties = isSchema(schema['properties']) ? Object.entries(schema['properties']) : [];
  if (properties.length === 0 && schema['additionalProperties'] !== false) return [wholeField()];
  const required = Array.isArray(schema['required']) ? (schema['required'] as readonly Json[]) : [];
  return properties.map(([name, property]) => fieldOf(name, property, required.includes(name)));
}

const NO_BOUNDS: Bounds = { minimum: null, maximum: null, above: null, isInteger: false };

function wholeField(): SchemaField {
  return {
    name: '',
    kind: 'JSON',
    description: 'All of it, as JSON.',
    standard: {},
    isRequired: true,
    isNullable: false,
    choices: [],
    bounds: NO_BOUNDS,
    minLength: 0,
  };
}

function fieldOf(name: string, property: Json, isRequired: boolean): SchemaField {
  const outer = isSchema(property) ? property : {};
  const { schema, isNullable } = withoutNull(outer);
  const kind = kindOf(schema);
  const numbers = kind === 'RECORD' ? (schema['additionalProperties'] as Schema) : schema;
  return {
    name,
    kind,
    description: textOf(outer['description']) || textOf(schema['description']),
    standard: outer['default'],
    isRequired: isRequired && outer['default'] === undefined,
    isNullable,
    choices: kind === 'CHOICE' ? (schema['enum'] as readonly string[]) : [],
    bounds: boundsOf(numbers),
    minLength: numberOf(schema['minLength']) ?? 0,
  };
}

/** `anyOf: [X, null]`, `type: [X, 'null']` and an `enum` with null all mean: X, or null. */
function withoutNull(schema: Schema): { readonly schema: Schema; readonly isNullable: boolean } {
  const { anyOf, type, enum: values } = schema;
  if (Array.isArray(anyOf)) {
    const others = (anyOf as readonly Json[]).filter((each) => !isSchema(each) || each['type'] !== 'null');
    const [only] = others;
    if (others.length < anyOf.length && others.length === 1 && isSchema(only))
      return { schema: only, isNullable: true };
  }
  if (Array.isArray(type) && type.includes('null') && type.length === 2) {
    return { schema: { ...schema, type: type.find((each) => each !== 'null') as string }, isNullable: true };
  }
  if (Array.isArray(values) && values.includes(null)) {
    return { schema: { ...schema, enum: values.filter((each) => each !== null) as readonly Json[] }, isNullable: true };
  }
  return { schema, isNullable: false };
}

function kindOf(schema: Schema): FieldKind {
  if (WHOLE.some((key) => key in schema)) return 'JSON';
  const { type, enum: values, additionalProperties: each } = schema;
  if (Array.isArray(values)) return values.every((value) => typeof value === 'string') ? 'CHOICE' : 'JSON';
  if (type === 'string') return 'TEXT';
  if (type === 'number') return 'NUMBER';
  if (type === 'integer') return 'INTEGER';
  if (type === 'boolean') return 'BOOLEAN';
  const isRecord = type === 'object' && !('properties' in schema) && isSchema(each);
  return isRecord && (each['type'] === 'number' || each['type'] === 'integer') ? 'RECORD' : 'JSON';
}

function boundsOf(schema: Schema): Bounds {
  const maximum = numberOf(schema['maximum']);
  return {
    minimum: numberOf(schema['minimum']),
    // What every whole number is under is no bound to speak of.
    maximum: maximum !== null && maximum >= Number.MAX_SAFE_INTEGER ? null : maximum,
    above: numberOf(schema['exclusiveMinimum']),
    isInteger: schema['type'] === 'integer',
  };
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const numberOf = (value: Json | undefined): number | null => (typeof value === 'number' ? value : null);
