import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NodeRecord } from '../../server/domain/node-record.ts';
import { InvalidCursor, LeaseLost, type Store } from '../../server/store/store.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { aChange, aNode, committer, open, ownerOf } from './rows.ts';

const record = (at: number, overrides: Partial<NodeRecord> = {}): NodeRecord => ({
  node: 'node-1',
  at,
  type: 'RETURNED',
  incarnation: at,
  actor: null,
  message: null,
  ...overrides,
});

describe.each(databases)('the history of nodes in the store on $name', ({ start }) => {
  let places: TestDatabases;
  let url: string;
  let store: Store;
  beforeAll(async () => {
    places = await start();
  });
  afterAll(() => places.stop());
  beforeEach(async () => {
    url = await places.fresh();
    store = await open(url);
  });
  afterEach(() => store.close());

  const timesOf = async (node = 'node-1'): Promise<number[]> =>
    (await store.nodeRecords.page(node, { first: 100 })).rows.map(({ row }) => row.at);

  it('comes with the commit that made it, and is there when the store is opened again', async () => {
    const cordoned = record(2, { type: 'CORDONED', actor: 'ann', message: 'a new disk; ’tis “ä🦆”' });
    const lease = await ownerOf(store);
    await committer(store, lease)({ nodes: [aNode('node-1')], nodeRecords: [record(1), cordoned] });
    // What is not committed has not happened.
    const late = store.commit(lease, 1, aChange({ nodeRecords: [record(3)] }));
    await expect(late).rejects.toBeInstanceOf(LeaseLost);
    await store.close();
    store = await open(url);
    const { rows, hasNextPage } = await store.nodeRecords.page('node-1', { first: 10 });
    expect(rows.map(({ row }) => row)).toEqual([cordoned, record(1)]);
    expect(hasNextPage).toBe(false);
  });

  it('is read backwards page by page and forwards from any record, each node for itself', async () => {
    const commit = committer(store, await ownerOf(store));
    for (let at = 1; at <= 5; at++) await commit({ nodeRecords: [record(at), record(at, { node: 'node-2' })] });
    const first = await store.nodeRecords.page('node-1', { first: 2 });
    expect([first.rows.map(({ row }) => row.at), first.hasNextPage]).toEqual([[5, 4], true]);
    const last = await store.nodeRecords.page('node-1', { first: 3, after: first.rows[1]!.cursor });
    expect([last.rows.map(({ row }) => row.at), last.hasNextPage]).toEqual([[3, 2, 1], false]);

    const after = await store.nodeRecords.after('node-1', last.rows[0]!.cursor, 10);
    expect(after.map(({ row }) => [row.node, row.at])).toEqual([
      ['node-1', 4],
      ['node-1', 5],
    ]);
    expect((await store.nodeRecords.after('node-1', undefined, 3)).map(({ row }) => row.at)).toEqual([1, 2, 3]);
    expect(await store.nodeRecords.after('node-1', after[1]!.cursor, 10)).toEqual([]);
    expect(await timesOf('node-3')).toEqual([]);
    await expect(store.nodeRecords.after('node-1', 'x', 1)).rejects.toBeInstanceOf(InvalidCursor);
  });

  it('forgets all but the newest of each node that is named', async () => {
    const commit = committer(store, await ownerOf(store));
    const nodes = ['node-1', 'node-2', 'node-3'];
    for (let at = 1; at <= 4; at++) await commit({ nodeRecords: nodes.map((node) => record(at, { node })) });
    await store.nodeRecords.trim(['node-1', 'node-3', 'unknown'], 3);
    await store.nodeRecords.trim(['node-3'], 1);
    await store.nodeRecords.trim(['node-3'], 1);
    expect([await timesOf(), await timesOf('node-2'), await timesOf('node-3')]).toEqual([[4, 3, 2], [4, 3, 2, 1], [4]]);
  });
});
