import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  type GraphQLInputType,
} from 'graphql';
import { hasRole, ROLES, type Role } from '../../server/auth/roles.ts';
import { schema } from '../../server/api/schema.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { openSocket, signedIn } from './socket-client.ts';

/** Who may do what: the one table, written out so that a change of it is seen. */
const MATRIX: Readonly<Record<string, Role>> = {
  'query viewer': 'VIEWER',
  'query pipelines': 'VIEWER',
  'query pipeline': 'VIEWER',
  'query runs': 'VIEWER',
  'query run': 'VIEWER',
  'query taskRun': 'VIEWER',
  'query nodes': 'VIEWER',
  'query node': 'VIEWER',
  'query pools': 'VIEWER',
  'query pool': 'VIEWER',
  'query plugins': 'VIEWER',
  'query storage': 'VIEWER',
  'query retentionPreview': 'VIEWER',
  'query decision': 'VIEWER',
  'query simulatePlacement': 'VIEWER',
  'query taskRunConfig': 'VIEWER',
  'query taskRuns': 'VIEWER',
  'query replay': 'OPERATOR',
  'query tokens': 'ADMIN',
  'query backups': 'ADMIN',
  'query diagnosis': 'ADMIN',
  'query auditRecords': 'ADMIN',
  'mutation applyPipeline': 'AUTHOR',
  'mutation deletePipeline': 'AUTHOR',
  'mutation pausePipeline': 'OPERATOR',
  'mutation resumePipeline': 'OPERATOR',
  'mutation triggerRun': 'OPERATOR',
  'mutation cancelRun': 'OPERATOR',
  'mutation retryRun': 'OPERATOR',
  'mutation deleteRun': 'ADMIN',
  'mutation setRetention': 'ADMIN',
  'mutation pauseRun': 'OPERATOR',
  'mutation resumeRun': 'OPERATOR',
  'mutation cordonNode': 'ADMIN',
  'mutation uncordonNode': 'ADMIN',
  'mutation updatePool': 'ADMIN',
  'mutation createToken': 'ADMIN',
  'mutation createBackup': 'ADMIN',
  'mutation revokeToken': 'ADMIN',
  'subscription run': 'VIEWER',
  'subscription runs': 'VIEWER',
  'subscription nodes': 'VIEWER',
  'subscription nodeLoads': 'VIEWER',
  'subscription nodeHistory': 'VIEWER',
  'subscription logs': 'VIEWER',
  'subscription queue': 'VIEWER',
  'subscription placement': 'VIEWER',
  'subscription pool': 'VIEWER',
  'subscription poolSamples': 'VIEWER',
  'subscription pipelines': 'VIEWER',
  'subscription replay': 'OPERATOR',
  'subscription auditRecords': 'ADMIN',
};

/** Every root field, with an operation that asks for it and nothing else. */
const OPERATIONS = (['query', 'mutation', 'subscription'] as const).flatMap((kind) =>
  Object.values(schema.getRootType(kind as never)!.getFields()).map((field) => {
    const given = field.args
      .filter(({ type }) => isNonNullType(type))
      .map(({ name, type }) => `${name}: ${literal(type)}`);
    const selection = isCompositeType(getNamedType(field.type)) ? ' { __typename }' : '';
    const text = `${kind} { ${field.name}${given.length > 0 ? `(${given.join(', ')})` : ''}${selection} }`;
    return { key: `${kind} ${field.name}`, kind, text };
  }),
);

function literal(type: GraphQLInputType): string {
  const named = getNamedType(type);
  if (isInputObjectType(named)) {
    const fields = Object.values(named.getFields()).filter((field) => isNonNullType(field.type));
    return `{ ${fields.map(({ name, type: inner }) => `${name}: ${literal(inner)}`).join(', ')} }`;
  }
  if (named.name === 'DateTime') return '"2026-01-01T00:00:00Z"';
  const text = isEnumType(named) ? named.getValues()[0]!.name : '"nothing"';
  return isListType(isNonNullType(type) ? type.ofType : type) ? '[]' : text;
}

let api: TestApi;
const bad: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi({ socketLimits: { socketsPerToken: 500 } });
  const expired = (await api.tokens.create({ name: 'expired', role: 'ADMIN', expiresInMs: 0 }, 'test'))!;
  const revoked = (await api.tokens.create({ name: 'revoked', role: 'ADMIN', expiresInMs: null }, 'test'))!;
  await api.tokens.revoke(revoked.token.id, 'test');
  Object.assign(bad, { garbage: 'gantry_nothing', expired: expired.secret, revoked: revoked.secret });
});
afterAll(() => api.stop());

describe('the matrix of roles', () => {
  it('names every root field, and the schema says the same', () => {
    expect(OPERATIONS.map(({ key }) => key).sort()).toEqual(Object.keys(MATRIX).sort());
    for (const { key, kind } of OPERATIONS) {
      const field = schema.getRootType(kind as never)!.getFields()[key.split(' ')[1]!];
      expect([key, field!.extensions['role']]).toEqual([key, MATRIX[key]]);
    }
  });

  it.each(ROLES)('holds for %s by POST', async (role) => {
    for (const { key, kind, text } of OPERATIONS) {
      if (kind === 'subscription') continue;
      const { json } = await api.post({ query: text }, { token: api.secrets[role] });
      const isForbidden = json.errors?.[0].extensions.code === 'FORBIDDEN';
      expect([key, isForbidden]).toEqual([key, !hasRole(role, MATRIX[key]!)]);
      if (!isForbidden) continue;
      expect(json.data ?? null).toBeNull();
      expect(json.errors[0].extensions.requiredRole).toBe(MATRIX[key]);
    }
  });

  it.each(ROLES)('holds for %s over WebSocket', async (role) => {
    const client = await signedIn(api.url, api.secrets[role]);
    for (const { key, text } of OPERATIONS) {
      client.send({ id: key, type: 'subscribe', payload: { query: text } });
      client.send({ id: key, type: 'complete' });
      client.send({ type: 'ping' });
      let isForbidden = false;
      for (let message = await client.next(); message.type !== 'pong'; message = await client.next()) {
        if (message.type === 'error') isForbidden = message.payload[0].extensions.code === 'FORBIDDEN';
      }
      expect([key, isForbidden]).toEqual([key, !hasRole(role, MATRIX[key]!)]);
    }
    client.socket.terminate();
  });

  it('lets nobody in without a good token, on either', async () => {
    for (const { text } of OPERATIONS) {
      for (const token of [null, ...Object.values(bad)]) {
        expect((await api.post({ query: text }, { token })).status).toBe(401);
      }
    }
    for (const token of [undefined, ...Object.values(bad)]) {
      const client = await openSocket(api.url);
      client.send({
        type: 'connection_init',
        payload: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
      expect((await client.closed).code).toBe(4403);
    }
  });

  it('counts what a document could reach, not only where it begins', async () => {
    const hidden = [
      '{ viewer { name } ... @include(if: false) { tokens { id } } }',
      'query A { viewer { name } } query B { tokens { id } }',
      '{ viewer { name } ...F } fragment F on Query { auditRecords { nodes { action } } }',
      'mutation { a: pausePipeline(input: { name: "x" }) { __typename } b: revokeToken(input: { id: "x" }) { __typename } }',
    ];
    for (const query of hidden) {
      const { json } = await api.post(
        { query, operationName: query.startsWith('query A') ? 'A' : undefined },
        { token: api.secrets.OPERATOR },
      );
      expect(json.errors[0].extensions.code).toBe('FORBIDDEN');
      expect(json.data ?? null).toBeNull();
    }
  });
});
