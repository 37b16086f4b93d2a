import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startApi, type TestApi } from '../support/api-server.ts';
import { signedIn } from './socket-client.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  await api.apply();
});
afterAll(() => api.stop());

it('Whoever follows pipelines is told of each that is applied, paused or deleted, and of nothing from before', async () => {
  const client = await signedIn(api.url, api.secrets.VIEWER);
  const query = 'subscription { pipelines { name pipeline { latestVersion paused } } }';
  client.send({ id: '1', type: 'subscribe', payload: { query } });
  client.send({ type: 'ping' });
  expect(await client.next()).toEqual({ type: 'pong' });
  const told = async () =>
    ((await client.next()) as { payload: { data: { pipelines: unknown } } }).payload.data.pipelines;
  const author = { token: api.secrets.AUTHOR };
  const yaml = 'name: nightly\ntasks: [{ key: a, runner: mock }]';
  await api.post(
    {
      query: `mutation ($yaml: String!) { applyPipeline(input: { yaml: $yaml }) { __typename } }`,
      variables: { yaml },
    },
    author,
  );
  expect(await told()).toEqual({ name: 'nightly', pipeline: { latestVersion: 1, paused: false } });
  await api.post({ query: 'mutation { pausePipeline(input: { name: "nightly" }) { __typename } }' }, author);
  expect(await told()).toEqual({ name: 'nightly', pipeline: { latestVersion: 1, paused: true } });
  await api.post({ query: 'mutation { deletePipeline(input: { name: "nightly" }) { __typename } }' }, author);
  expect(await told()).toEqual({ name: 'nightly', pipeline: null });
  client.socket.terminate();
});
