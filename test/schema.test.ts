import { describe, expect, it } from '@jest/globals';
import { getNamedType, isEnumType, isInputObjectType, isInterfaceType, isObjectType } from 'graphql';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRole } from '../server/auth/roles.ts';
import { printedSchema } from '../server/api/print-schema.ts';
import { schema } from '../server/api/schema.ts';

const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
const BUILT_IN = ['String', 'Int', 'Float', 'Boolean', 'ID'];

describe('the schema', () => {
  it('is the one that is checked in', () => {
    expect(readFileSync(join(import.meta.dirname, '..', 'schema.graphql'), 'utf8')).toBe(printedSchema());
  });

  it('describes every type, field, argument and enum value', () => {
    const silent: string[] = [];
    const look = (place: string, { description }: { readonly description?: string | null | undefined }) => {
      if ((description ?? '').trim() === '') silent.push(place);
    };
    for (const type of types) {
      if (BUILT_IN.includes(type.name)) continue;
      look(type.name, type);
      if (isEnumType(type)) for (const value of type.getValues()) look(`${type.name}.${value.name}`, value);
      if (isInputObjectType(type)) {
        for (const field of Object.values(type.getFields())) look(`${type.name}.${field.name}`, field);
      }
      if (!isObjectType(type) && !isInterfaceType(type)) continue;
      for (const field of Object.values(type.getFields())) {
        look(`${type.name}.${field.name}`, field);
        for (const argument of field.args) look(`${type.name}.${field.name}(${argument.name})`, argument);
      }
    }
    expect(silent).toEqual([]);
  });

  it('names a role for every type and every root field', () => {
    const open: string[] = [];
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    for (const type of types) {
      if (!isObjectType(type) && !isInterfaceType(type)) continue;
      if (!isRole(String(type.extensions['role']))) open.push(type.name);
      if (!roots.includes(type as never)) continue;
      for (const field of Object.values(type.getFields())) {
        if (!isRole(String(field.extensions['role']))) open.push(`${type.name}.${field.name}`);
      }
    }
    expect(open).toEqual([]);
  });

  it('keeps tokens and audit records to admins, by their types', () => {
    expect(schema.getType('Token')?.extensions['role']).toBe('ADMIN');
    expect(schema.getType('AuditRecord')?.extensions['role']).toBe('ADMIN');
  });

  it('pages every list of things that may be long', () => {
    const connections = types.filter(({ name }) => name.endsWith('Connection') && name !== 'NodeConnectionState');
    for (const type of connections) expect(type.extensions['isConnection']).toBe(true);
    expect(connections.map(({ name }) => name).sort()).toEqual([
      'AttemptConnection',
      'AuditRecordConnection',
      'NodeConnection',
      'NodeRecordConnection',
      'PipelineConnection',
      'PipelineVersionConnection',
      'QueueEntryConnection',
      'RunConnection',
      'TaskRunConnection',
    ]);
  });

  it('gives every mutation that needs anything one input, and each an answer that is a union of its payload and of errors', () => {
    for (const field of Object.values(schema.getMutationType()!.getFields())) {
      // A backup is of everything: there is nothing to say about it.
      if (field.name !== 'createBackup') expect(field.args.map(({ name }) => name)).toEqual(['input']);
      const result = getNamedType(field.type);
      expect(result.name).toBe(`${field.name[0]!.toUpperCase()}${field.name.slice(1)}Result`);
      const members = schema.getPossibleTypes(result as never);
      const errors = members.filter((member) => member.getInterfaces().some(({ name }) => name === 'Error'));
      expect(errors).toHaveLength(members.length - 1);
    }
  });
});
