import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Node } from '../../server/domain/node.ts';
import type { NodeRecord } from '../../server/domain/node-record.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { signedIn, type SocketClient } from './socket-client.ts';

let api: TestApi;
let node: Node;
let times = 0;
const open: SocketClient[] = [];
beforeAll(async () => {
  api = await startApi();
  node = await api.addNode('one');
});
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.terminate();
});
afterAll(() => api.stop());

/** The next thing that happens, numbered by its incarnation. */
const record = (overrides: Partial<NodeRecord> = {}): NodeRecord => {
  const incarnation = ++times;
  return {
    node: 'one',
    at: 1_000 * incarnation,
    type: 'RETURNED',
    incarnation,
    actor: null,
    message: null,
    ...overrides,
  };
};

interface HistoryPage {
  readonly nodes: readonly { readonly incarnation: number; readonly cursor: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}
const page = async (first: number, after: string | null = null): Promise<HistoryPage> => {
  const query = `query ($first: Int!, $after: String) { node(name: "one") { history(first: $first, after: $after) {
    nodes { incarnation cursor } pageInfo { hasNextPage endCursor } } } }`;
  const { json } = await api.post({ query, variables: { first, after } }, { token: api.secrets.VIEWER });
  return json.data.node.history;
};

const follow = async (after: string | null): Promise<SocketClient> => {
  const client = await signedIn(api.url, api.secrets.VIEWER);
  open.push(client);
  const query = `subscription ($after: String) { nodeHistory(name: "one", after: $after) {
    cursor at type incarnation actor message } }`;
  client.send({ id: '1', type: 'subscribe', payload: { query, variables: { after } } });
  client.send({ type: 'ping' });
  expect(await client.next()).toEqual({ type: 'pong' });
  return client;
};
const told = async (client: SocketClient) => (await client.next()).payload.data.nodeHistory;

describe('the history of a node', () => {
  it('is read back to its beginning, newest first', async () => {
    for (let count = 0; count < 5; count++) await api.happen(node, record());
    const first = await page(2);
    expect(first.nodes.map(({ incarnation }) => incarnation)).toEqual([5, 4]);
    expect(first.pageInfo).toEqual({ hasNextPage: true, endCursor: first.nodes[1]!.cursor });
    const rest = await page(10, first.pageInfo.endCursor);
    expect(rest.nodes.map(({ incarnation }) => incarnation)).toEqual([3, 2, 1]);
    expect(rest.pageInfo.hasNextPage).toBe(false);
  });

  it('goes on live behind any record that was read, with no gap and nothing twice', async () => {
    const { nodes } = await page(2);
    const before = times;
    await api.happen(node, record(), record());
    const client = await follow(nodes[1]!.cursor);
    const cordoned = record({ type: 'CORDONED', actor: 'ann', message: 'a new disk' });
    await api.happen(node, cordoned);
    const incarnations: number[] = [];
    let last;
    while ((last = await told(client)).incarnation < times) incarnations.push(last.incarnation);
    expect(incarnations).toEqual([before, before + 1, before + 2]);
    expect(last).toEqual({
      cursor: expect.any(String),
      at: new Date(cordoned.at).toISOString(),
      type: 'CORDONED',
      incarnation: times,
      actor: 'ann',
      message: 'a new disk',
    });
    expect(client.waiting).toEqual([]);
    expect((await page(1)).nodes[0]!.cursor).toBe(last.cursor);
  });

  it('tells, without a cursor, only of what comes', async () => {
    const client = await follow(null);
    // The source asks the store where the history ends.
    await page(1);
    await api.happen(await api.addNode('two'), record({ node: 'two' }));
    await api.happen(node, record({ type: 'LOST' }));
    expect(await told(client)).toMatchObject({ type: 'LOST', incarnation: times });
  });

  it('refuses a cursor that is none of it', async () => {
    const client = await follow('x');
    expect(await client.next()).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'BAD_CURSOR' } }] });
  });
});

describe('cordoning a node', () => {
  const cordon = (message: string) => {
    const query = `mutation ($input: NodeNameInput!) { cordonNode(input: $input) { __typename } }`;
    return api.post({ query, variables: { input: { name: 'one', message } } });
  };

  it('hands the reason to the engine and to the audit log', async () => {
    expect((await cordon('a new disk')).json.data.cordonNode).toEqual({ __typename: 'CordonNodePayload' });
    const { rows } = await api.store.audit.page({ first: 1 }, { action: 'node.cordon' });
    expect(rows[0]!.row).toMatchObject({ subject: 'one', actor: 'admin', details: { message: 'a new disk' } });
  });

  it('refuses a reason that is longer than anybody reads', async () => {
    expect((await cordon('x'.repeat(1_001))).json.errors[0]).toMatchObject({
      message: '`message` has at most 1,000 characters.',
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });
});
