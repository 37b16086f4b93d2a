import type { Json } from '../../client/operation.ts';

/** A property of a config, in words. */
export interface SchemaProperty {
  readonly name: string;
  readonly type: string;
  /** What it is when it is left out; empty when there is no saying. */
  readonly standard: string;
  readonly description: string;
  readonly isRequired: boolean;
}

type Schema = { readonly [key: string]: Json };
const isSchema = (value: Json | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The properties that a JSON Schema of an object names; none for any other. */
export function propertiesOf(schema: Json): readonly SchemaProperty[] {
  if (!isSchema(schema) || !isSchema(schema['properties'])) return [];
  const required = Array.isArray(schema['required']) ? (schema['required'] as readonly Json[]) : [];
  return Object.entries(schema['properties']).map(([name, property]) => ({
    name,
    type: typeOf(property),
    standard: isSchema(property) && 'default' in property ? JSON.stringify(property['default']) : '',
    description: isSchema(property) && typeof property['description'] === 'string' ? property['description'] : '',
    isRequired: required.includes(name) && !(isSchema(property) && 'default' in property),
  }));
}

function typeOf(schema: Json | undefined): string {
  if (!isSchema(schema)) return 'anything';
  if (Array.isArray(schema['enum']))
    return (schema['enum'] as readonly Json[]).map((each) => JSON.stringify(each)).join(' | ');
  const parts = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(parts)) return (parts as readonly Json[]).map(typeOf).join(' | ');
  const { type } = schema;
  if (type === 'array') return `${typeOf(schema['items'])}[]`;
  if (Array.isArray(type)) return type.join(' | ');
  return typeof type === 'string' ? type : 'anything';
}
