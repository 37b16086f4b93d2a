import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startApi, type TestApi } from '../support/api-server.ts';
import { signedIn } from './socket-client.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  await api.apply();
});
afterAll(() => api.stop());

it('An admin who follows the audit log is told of each record that is written from then on, in order', async () => {
  const client = await signedIn(api.url, api.secrets.ADMIN);
  client.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { auditRecords { action subject } }' } });
  client.send({ type: 'ping' });
  expect(await client.next()).toEqual({ type: 'pong' });
  // The source asks the store where the log ends.
  await api.store.audit.page({ first: 1 });
  const admin = { token: api.secrets.ADMIN };
  for (const name of ['one', 'two']) {
    const query = `mutation { createToken(input: { name: "${name}", role: VIEWER }) { __typename } }`;
    expect((await api.post({ query }, admin)).status).toBe(200);
  }
  const told = async () =>
    ((await client.next()) as { payload: { data: { auditRecords: unknown } } }).payload.data.auditRecords;
  expect(await told()).toEqual({ action: 'token.create', subject: 'one' });
  expect(await told()).toEqual({ action: 'token.create', subject: 'two' });
  client.socket.terminate();
});
