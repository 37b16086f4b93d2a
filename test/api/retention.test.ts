import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeCursor } from '../../server/events/cursor.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { signedIn } from './socket-client.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  await api.apply();
});
afterAll(() => api.stop());

const ended = () => ({ state: 'SUCCEEDED', finishedAt: Date.now() }) as const;
const DELETE = `mutation ($id: ID!) { deleteRun(input: { id: $id }) {
  __typename ... on DeleteRunPayload { id } ... on Error { message } } }`;
const deleteRun = async (id: string) => (await api.post({ query: DELETE, variables: { id } })).json.data.deleteRun;

describe('deleteRun', () => {
  it('takes an ended run from every list, and notes who did it', async () => {
    const run = await api.addRun(2, ended());
    expect(await deleteRun(run.id)).toEqual({ __typename: 'DeleteRunPayload', id: run.id });
    const query = `query ($id: ID!, $task: ID!) { run(id: $id) { id } taskRun(id: $task) { id } runs(first: 100) { nodes { id } } }`;
    const { data } = (await api.post({ query, variables: { id: run.id, task: `${run.id}.0` } })).json;
    expect(data).toMatchObject({ run: null, taskRun: null });
    expect(data.runs.nodes).not.toContainEqual({ id: run.id });
    const audit = `{ auditRecords(first: 1, filter: { action: "run.delete" }) { nodes { actor subject details } } }`;
    const details = { pipeline: 'work', state: 'SUCCEEDED' };
    expect((await api.post({ query: audit })).json.data.auditRecords.nodes).toMatchObject([
      { actor: 'admin', subject: run.id, details },
    ]);
  });

  it('refuses a run that has not ended, one that is not there and one that has been deleted', async () => {
    const working = await api.addRun(1, { state: 'RUNNING' });
    expect(await deleteRun(working.id)).toEqual({
      __typename: 'RunNotFinished',
      message: expect.stringContaining('Cancel it first'),
    });
    const gone = await api.addRun(1, ended());
    await deleteRun(gone.id);
    for (const id of [gone.id, 'nonsense', ''])
      expect(await deleteRun(id)).toMatchObject({ __typename: 'RunNotFound' });
  });

  it('leaves a retry of it as it is: it says which run it repeats, and that this is gone', async () => {
    const first = await api.addRun(1, ended());
    const retry = await api.addRun(1, { trigger: 'RETRY', retryOf: first.id, state: 'RUNNING' });
    await deleteRun(first.id);
    const query = `query ($id: ID!) { run(id: $id) { retryOf { id } retryOfId } }`;
    expect((await api.post({ query, variables: { id: retry.id } })).json.data.run).toEqual({
      retryOf: null,
      retryOfId: first.id,
    });
    const again = `mutation ($id: ID!) { retryRun(input: { id: $id }) { __typename } }`;
    const answer = await api.post({ query: again, variables: { id: first.id } });
    expect(answer.json.data.retryRun).toEqual({ __typename: 'RunNotFound' });
  });

  it('tells those who follow runs, whatever they filter by', async () => {
    const run = await api.addRun(1, ended());
    const client = await signedIn(api.url, api.secrets.VIEWER);
    const query = (filter: string) => `subscription { runs(filter: ${filter}) { type runId run { id } } }`;
    for (const [id, filter] of [
      '{}',
      '{ states: [RUNNING] }',
      '{ pipeline: "work" }',
      '{ pipeline: "other" }',
    ].entries()) {
      client.send({ id: String(id), type: 'subscribe', payload: { query: query(filter) } });
    }
    client.send({ type: 'ping' });
    expect(await client.next()).toEqual({ type: 'pong' });
    await deleteRun(run.id);
    const told = [await client.next(), await client.next(), await client.next()];
    expect(new Set(told.map(({ id }) => id))).toEqual(new Set(['0', '1', '2']));
    for (const { payload } of told) {
      expect(payload.data.runs).toEqual({ type: 'run.deleted', runId: run.id, run: null });
    }
    client.socket.terminate();
  });

  it('lets no idempotency key start a second run while it counts', async () => {
    const query = `mutation { triggerRun(input: { pipeline: "work", idempotencyKey: "once" }) {
      __typename ... on TriggerRunPayload { run { id } } ... on Error { message } } }`;
    const { run } = (await api.post({ query })).json.data.triggerRun;
    const [stored] = await api.store.runs.byIds([run.id]);
    await api.changeRun(stored!, ended());
    await deleteRun(run.id);
    expect((await api.post({ query })).json.data.triggerRun).toEqual({
      __typename: 'IdempotencyConflict',
      message: expect.stringContaining(`the run ${run.id}, which has been deleted`),
    });
  });
});

describe('a cursor from before the events that are kept', () => {
  it('is refused with a code, on which clients read anew', async () => {
    const run = await api.addRun(1);
    for (let times = 0; times < 150; times++) await api.changeRun(run, { priority: times % 10 });
    await api.store.retention.trimEvents('default', { before: Infinity, batches: 50_000 }, 1_000);
    expect(await api.store.events.first('default')).toBeGreaterThan(5);
    const after = encodeCursor(new Map([['default', { seq: 3, index: 0 }]]));
    const client = await signedIn(api.url, api.secrets.VIEWER);
    const query = `subscription ($after: String) { runs(after: $after) { type } }`;
    client.send({ id: '1', type: 'subscribe', payload: { query, variables: { after } } });
    const answer = await client.next();
    expect(answer).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'BAD_CURSOR' } }] });
    expect(answer.payload[0].message).toContain('not kept any more');
    client.socket.terminate();
  });
});

describe('setRetention', () => {
  const SET = `mutation ($input: SetRetentionInput!) { setRetention(input: $input) {
    __typename ... on SetRetentionPayload { setting { pool pipeline age runs updatedBy } } ... on Error { message } } }`;
  const set = async (input: Readonly<Record<string, unknown>>) =>
    (await api.post({ query: SET, variables: { input } })).json;

  it('sets, changes and takes off the rule of a pipeline or pool, and storage shows it', async () => {
    const rule = { pool: null, pipeline: 'work', age: '90d', runs: 'never', updatedBy: 'admin' };
    const answer = await set({ pipeline: 'work', age: '12w6d', runs: 'never' });
    expect(answer.data.setRetention.setting).toEqual(rule);
    await set({ pool: 'default', runs: '500' });
    const query = `{ storage { retention { age runs audit idempotencyKeys events keepsAllByUpgrade
      settings { pool pipeline age runs } } kinds { kind rows bytes } databaseBytes pendingDeletions } }`;
    const { storage } = (await api.post({ query })).json.data;
    expect(storage.retention).toEqual({
      age: '30d',
      runs: '10000',
      audit: '365d',
      idempotencyKeys: 'P7D',
      events: 'P7D',
      keepsAllByUpgrade: false,
      settings: [
        { pool: null, pipeline: 'work', age: '90d', runs: 'never' },
        { pool: 'default', pipeline: null, age: null, runs: '500' },
      ],
    });
    expect(storage.kinds.find(({ kind }: { kind: string }) => kind === 'PIPELINES')).toMatchObject({ rows: 2 });
    for (const place of [{ pipeline: 'work' }, { pool: 'default' }]) {
      expect((await set(place)).data.setRetention).toEqual({ __typename: 'SetRetentionPayload', setting: null });
    }
  });

  it('refuses what is not there and what is no rule, and changes nothing then', async () => {
    expect((await set({ pipeline: 'nope', age: '1d' })).data.setRetention.__typename).toBe('PipelineNotFound');
    expect((await set({ pool: 'nope', age: '1d' })).data.setRetention.__typename).toBe('PoolNotFound');
    const wrong = [
      { pipeline: 'work', pool: 'default', age: '1d' },
      { age: '1d' },
      { pipeline: 'work', age: '30' },
      { pipeline: 'work', age: 'Never' },
      { pipeline: 'work', runs: '0' },
      { pipeline: 'work', runs: '-5' },
      { pipeline: 'work', runs: '1.5' },
      { pipeline: 'work', runs: '99999999999' },
    ];
    for (const input of wrong) expect((await set(input)).errors[0].extensions.code).toBe('BAD_USER_INPUT');
    expect(await api.store.retention.settings()).toEqual([]);
  });
});

describe('retentionPreview', () => {
  it('says what the next sweep would delete, and deletes nothing', async () => {
    const finishedAt = Date.now() - 40 * 86_400_000;
    const run = await api.addRun(1, { state: 'FAILED', createdAt: finishedAt - 5, finishedAt });
    const query = '{ retentionPreview { pipeline runs oldestFinishedAt newestFinishedAt } }';
    const at = new Date(finishedAt).toISOString();
    expect((await api.post({ query })).json.data.retentionPreview).toEqual([
      { pipeline: 'work', runs: 1, oldestFinishedAt: at, newestFinishedAt: at },
    ]);
    expect(await api.store.runs.byIds([run.id])).not.toEqual([null]);
  });
});
