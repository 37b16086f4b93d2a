import { describe, expect, it } from '@jest/globals';
import { buildSchema, parse, validate } from 'graphql';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'server/cli/operations');
const schema = buildSchema(readFileSync(join(ROOT, 'schema.graphql'), 'utf8'));
const files = readdirSync(FOLDER);

describe('the operations of the command line', () => {
  it.each(files)('%s is valid against the public schema', (file) => {
    const document = parse(readFileSync(join(FOLDER, file), 'utf8'));
    expect(validate(schema, document).map((error) => error.message)).toEqual([]);
    expect(document.definitions.filter(({ kind }) => kind === 'OperationDefinition')).toHaveLength(1);
  });

  it('are exactly those that the code names', () => {
    const source = readFileSync(join(ROOT, 'server/cli/operations.ts'), 'utf8');
    const named = [...source.matchAll(/\| '([a-z-]+)'/g)].map(([, name]) => `${name}.graphql`);
    expect(named.toSorted()).toEqual(files.toSorted());
  });
});
