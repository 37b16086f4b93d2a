import { buildSchema, type GraphQLSchema } from 'graphql';
import { readFileSync } from 'node:fs';

let schema: GraphQLSchema | null = null;

/** The public schema as it is checked in. */
export function readSchema(): GraphQLSchema {
  schema ??= buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  return schema;
}
