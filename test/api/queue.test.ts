import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock, type Clock } from '../../server/clock.ts';
import { taskRunId } from '../../server/domain/ids.ts';
import type { Run } from '../../server/domain/run.ts';
import { aNode, aShape } from '../placement/cluster.ts';
import { startApi, type TestApi } from '../support/api-server.ts';
import { signedIn, type SocketClient } from './socket-client.ts';

/** A second is a hundredth of one here. */
const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 100, signal) };

let api: TestApi;
let run: Run;
const open: SocketClient[] = [];
beforeAll(async () => {
  api = await startApi({ clock: hasty });
  await api.apply();
  run = await api.addRun(5);
  api.placement.nodeChanged(aNode('a', { capacity: { slots: 1 } }));
});
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.terminate();
  for (const key of api.placement.inspection.first(100)) api.placement.withdraw(key);
});
afterAll(() => api.stop());

/** Puts task runs of the run into the queue; the last has the highest priority. */
const queue = (...ordinals: readonly number[]): void =>
  ordinals.forEach((ordinal, at) =>
    api.placement.add({
      key: taskRunId(run.id, ordinal),
      shape: aShape({ slots: ordinal + 1 }),
      priority: at === ordinals.length - 1 ? 10 : 0,
      readySince: Date.UTC(2026, 0, 1) + ordinal,
      tenant: 'work',
    }),
  );

const QUERY = `query ($first: Int, $after: String) {
  pool(name: "default") {
    queueLength
    queue(first: $first, after: $after) {
      totalCount
      nodes { position since priority taskRun { ordinal } tier summary { code message } unblock { message nodeCount } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;
const ask = async (variables: object = {}) =>
  (await api.post({ query: QUERY, variables: { first: 50, ...variables } }, { token: api.secrets.VIEWER })).json;

describe('the queue of a pool', () => {
  it('is empty when nothing waits', async () => {
    expect((await ask()).data.pool).toEqual({
      queueLength: 0,
      queue: { totalCount: 0, nodes: [], pageInfo: { hasNextPage: false, endCursor: null } },
    });
  });

  it('says what waits, since when, why, and what would help', async () => {
    queue(1, 0);
    api.placement.reserve(aShape(), 'a');
    const { nodes, totalCount } = (await ask()).data.pool.queue;
    api.placement.release(aShape(), 'a');
    expect(totalCount).toBe(2);
    expect(nodes).toEqual([
      {
        position: 1,
        since: '2026-01-01T00:00:00.000Z',
        priority: 10,
        taskRun: { ordinal: 0 },
        tier: 'CAPACITY',
        summary: { code: 'NO_ROOM', message: 'One node of 1 would do, and none has 1 of slots free.' },
        unblock: [{ message: 'Free 1 more of slots: a would do then.', nodeCount: 1 }],
      },
      expect.objectContaining({ position: 2, priority: 0, taskRun: { ordinal: 1 }, summary: expect.anything() }),
    ]);
  });

  it('is read page by page, and refuses a cursor of another list', async () => {
    queue(0, 1, 2, 3, 4);
    const read: number[] = [];
    let after: string | null = null;
    do {
      const answer: Awaited<ReturnType<typeof ask>> = await ask({ first: 2, after });
      const { queue: page } = answer.data.pool;
      for (const { position, taskRun } of page.nodes) {
        read.push(taskRun.ordinal);
        expect(position).toBe(read.length);
      }
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(read).toEqual([4, 0, 1, 2, 3]);
    for (const wrong of ['nonsense', 'WyJydW4iLDFd']) {
      expect((await ask({ after: wrong })).errors[0].extensions.code).toBe('BAD_CURSOR');
    }
  });

  it('is read from anywhere, and only what is wanted of it, each with its place in the whole', async () => {
    queue(0, 1, 2, 3, 4);
    api.placement.reserve(aShape(), 'a');
    const PART = `query ($skip: Int, $filter: QueueFilter) {
      pool(name: "default") {
        queue(first: 2, skip: $skip, filter: $filter) { totalCount nodes { position } pageInfo { hasNextPage } }
        queueOverview {
          unexplainedCount
          reasons { tier count summary { code } }
          pipelines { name count }
        }
      }
    }`;
    const part = async (variables: object) =>
      (await api.post({ query: PART, variables }, { token: api.secrets.VIEWER })).json;
    const { queue: last, queueOverview } = (await part({ skip: 3 })).data.pool;
    const { queue: wanted } = (await part({ skip: 0, filter: { code: 'NO_ROOM', run: run.id } })).data.pool;
    const { queue: none } = (await part({ filter: { pipeline: 'others' } })).data.pool;
    const { errors } = await part({ skip: -1 });
    api.placement.release(aShape(), 'a');
    expect(last).toEqual({
      totalCount: 5,
      nodes: [{ position: 4 }, { position: 5 }],
      pageInfo: { hasNextPage: false },
    });
    expect(wanted).toEqual({ totalCount: 1, nodes: [{ position: 2 }], pageInfo: { hasNextPage: false } });
    expect(none).toEqual({ totalCount: 0, nodes: [], pageInfo: { hasNextPage: false } });
    expect(queueOverview).toEqual({
      unexplainedCount: 0,
      reasons: [
        { tier: 'CAPACITY', count: 4, summary: { code: 'NO_FEASIBLE_NODE' } },
        { tier: 'CAPACITY', count: 1, summary: { code: 'NO_ROOM' } },
      ],
      pipelines: [{ name: 'work', count: 5 }],
    });
    expect(errors[0]).toMatchObject({ message: '`skip` is a number from 0, not -1.' });
  });

  it('leaves out what is queued and not stored yet', async () => {
    queue(0, 9, 1);
    const { nodes } = (await ask()).data.pool.queue;
    expect(
      nodes.map(({ position, taskRun }: { position: number; taskRun: { ordinal: number } }) => [
        position,
        taskRun.ordinal,
      ]),
    ).toEqual([
      [1, 1],
      [2, 0],
    ]);
  });
});

describe('the subscription to a queue', () => {
  const watch = async (pool = 'default') => {
    const client = await signedIn(api.url, api.secrets.VIEWER);
    open.push(client);
    const query = 'subscription ($pool: String!) { queue(pool: $pool) { at pool { name queueLength } } }';
    client.send({ id: '1', type: 'subscribe', payload: { query, variables: { pool } } });
    return client;
  };
  const lengthOf = async (client: SocketClient) => (await client.next()).payload.data.queue.pool.queueLength;

  it('begins with the present, and tells when it has changed and not otherwise', async () => {
    const client = await watch();
    expect(await lengthOf(client)).toBe(0);
    queue(0, 1);
    expect(await lengthOf(client)).toBe(2);
    // Several of its rounds, in which nothing happens.
    await hasty.sleep(5_000);
    expect(client.waiting).toEqual([]);
    api.placement.withdraw(taskRunId(run.id, 0));
    expect(await lengthOf(client)).toBe(1);
  });

  it('tells those that come later of the present, too', async () => {
    queue(0);
    const first = await watch();
    expect(await lengthOf(first)).toBe(1);
    const second = await watch();
    expect(await lengthOf(second)).toBe(1);
    queue(1);
    expect([await lengthOf(first), await lengthOf(second)]).toEqual([2, 2]);
  });

  it('says that there is no such pool', async () => {
    const client = await watch('nowhere');
    expect(await client.next()).toMatchObject({ type: 'error', payload: [{ extensions: { code: 'NOT_FOUND' } }] });
  });
});
