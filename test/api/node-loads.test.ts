import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock, type Clock } from '../../server/clock.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { signedIn, type SocketClient } from './socket-client.ts';

/** A second is a hundredth of one here. */
const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 100, signal) };

let api: TestApi;
const open: SocketClient[] = [];
beforeAll(async () => {
  api = await startApi({ clock: hasty });
});
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.terminate();
});
afterAll(() => api.stop());

const watch = async (pool: string | null = null) => {
  const client = await signedIn(api.url, api.secrets.VIEWER);
  open.push(client);
  const query = 'subscription ($pool: String) { nodeLoads(pool: $pool) { nodes { name reserved { name amount } } } }';
  client.send({ id: '1', type: 'subscribe', payload: { query, variables: { pool } } });
  client.send({ type: 'ping' });
  expect(await client.next()).toEqual({ type: 'pong' });
  await new Promise((resolve) => setImmediate(resolve));
  return client;
};
const nodesOf = async (client: SocketClient) => (await client.next()).payload.data.nodeLoads.nodes;

describe('the subscription to what nodes hold', () => {
  it('tells of nodes that hold more or less, those of the same moment together', async () => {
    const client = await watch();
    await api.addNode('one');
    expect(await nodesOf(client)).toEqual([{ name: 'one', reserved: [{ name: 'slots', amount: 0 }] }]);
    await Promise.all([api.addNode('two'), api.addNode('three'), api.addNode('two')]);
    const names: string[] = [];
    while (new Set(names).size < 2) names.push(...(await nodesOf(client)).map(({ name }: { name: string }) => name));
    expect(new Set(names)).toEqual(new Set(['two', 'three']));
  });

  it('tells nothing of other pools', async () => {
    const other = await watch('other');
    const own = await watch('default');
    await api.addNode('four');
    expect(await nodesOf(own)).toMatchObject([{ name: 'four' }]);
    expect(other.waiting).toEqual([]);
  });
});
