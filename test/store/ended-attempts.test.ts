import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Attempt } from '../../server/domain/attempt.ts';
import type { StoredTaskRun } from '../../server/domain/change.ts';
import { InvalidCursor, type PageArgs, type Store } from '../../server/store/store.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { anAttempt, applyWork, aRun, aTaskRun, committer, idOf, open, ownerOf } from './rows.ts';

const ended = (overrides: Partial<Attempt> = {}): Attempt =>
  anAttempt({ state: 'SUCCEEDED', startedAt: 2_100, finishedAt: 2_200, ...overrides });
const done = (runKey: number, ordinal: number, attempt: Attempt): StoredTaskRun =>
  aTaskRun(runKey, ordinal, { state: 'SUCCEEDED', attempt });

/** `run.ordinal.number`, as they come. */
async function pageOf(store: Store, args: PageArgs, node = 'node-1') {
  const page = await store.taskRuns.endedOnNode(node, args);
  const names = page.rows.map(({ row: { run, ordinal, attempt } }) => {
    const key = [1, 2, 3].find((each) => idOf(each) === run);
    return `${key}.${ordinal}.${attempt.number}`;
  });
  return { ...page, names };
}

describe.each(databases)('the attempts that have ended on a node, in the store on $name,', ({ start }) => {
  let places: TestDatabases;
  let store: Store;
  beforeAll(async () => {
    places = await start();
  });
  afterAll(() => places.stop());
  beforeEach(async () => {
    store = await open(await places.fresh());
    await applyWork(store);
  });
  afterEach(() => store.close());

  it('are all of them, also those that were tried again, of the newest run first, page by page', async () => {
    const failure = { kind: 'APPLICATION', reason: { code: 'EXIT_CODE', message: 'exited with code 1' } } as const;
    const failed = (number: number, node: string) => ended({ number, node, state: 'FAILED', failure });
    await committer(
      store,
      await ownerOf(store),
    )({
      createdRuns: [aRun(1), aRun(2), aRun(3)],
      createdTaskRuns: [
        done(1, 0, ended()),
        done(1, 1, ended({ node: 'node-2' })),
        // Three tries, the second of them elsewhere.
        done(2, 0, ended({ number: 3 })),
        aTaskRun(2, 1, { state: 'RUNNING', attempt: anAttempt({ number: 2, state: 'RUNNING' }) }),
        aTaskRun(2, 2),
        done(3, 7, ended()),
      ],
      supersededAttempts: [
        { runKey: 2, ordinal: 0, attempt: failed(1, 'node-1') },
        { runKey: 2, ordinal: 0, attempt: failed(2, 'node-2') },
        { runKey: 2, ordinal: 1, attempt: failed(1, 'node-1') },
      ],
    });
    const all = ['3.7.1', '2.1.1', '2.0.3', '2.0.1', '1.0.1'];
    const whole = await pageOf(store, { first: 10 });
    expect([whole.names, whole.hasNextPage, whole.endCursor]).toEqual([all, false, undefined]);
    expect(whole.rows[1]!.row).toEqual({ run: idOf(2), ordinal: 1, attempt: failed(1, 'node-1') });
    for (const first of [1, 2, 3, 4]) {
      const names: string[] = [];
      for (let after: string | undefined; ;) {
        const page = await pageOf(store, { first, ...(after === undefined ? {} : { after }) });
        names.push(...page.names);
        expect(page.names.length).toBe(Math.min(first, all.length - names.length + page.names.length));
        if (!page.hasNextPage) break;
        after = page.rows.at(-1)!.cursor;
      }
      expect(names).toEqual(all);
    }
    expect((await pageOf(store, { first: 9 }, 'node-2')).names).toEqual(['2.0.2', '1.1.1']);
    expect((await pageOf(store, { first: 9 }, 'node-3')).names).toEqual([]);
    await expect(pageOf(store, { first: 9, after: 'x' })).rejects.toBeInstanceOf(InvalidCursor);
  });

  it('are found wherever they lie among many thousands of others', async () => {
    const count = 25_000;
    const own = new Set([0, 1, 4_999, 5_000, 15_000, 24_998, 24_999]);
    const attempts = Array.from({ length: count }, (_, ordinal) =>
      done(1, ordinal, ended({ node: own.has(ordinal) ? 'node-1' : 'node-2' })),
    );
    await committer(store, await ownerOf(store))({ createdRuns: [aRun(1)], createdTaskRuns: attempts });
    const names = [...own].reverse().map((ordinal) => `1.${ordinal}.1`);
    expect((await pageOf(store, { first: 50 })).names).toEqual(names);
    const first = await pageOf(store, { first: 3 });
    expect([first.names, first.hasNextPage]).toEqual([names.slice(0, 3), true]);
    const rest = await pageOf(store, { first: 4, after: first.rows[2]!.cursor });
    expect([rest.names, rest.hasNextPage]).toEqual([names.slice(3), false]);
  });
});

describe('a page of what has ended on a node', () => {
  it('is short after 200,000 task runs that went elsewhere, and says where the next one goes on', async () => {
    const store = await open('sqlite::memory:');
    await applyWork(store);
    const commit = committer(store, await ownerOf(store));
    const others = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => done(1, from + index, ended({ node: 'node-2' })));
    await commit({ createdRuns: [aRun(1)], createdTaskRuns: [done(1, 0, ended())] });
    for (let from = 1; from < 201_000; from += 50_000) {
      await commit({ createdTaskRuns: others(from, Math.min(from + 50_000, 201_000)) });
    }
    await commit({ createdTaskRuns: [done(1, 201_000, ended())] });
    const short = await pageOf(store, { first: 5 });
    expect([short.names, short.hasNextPage]).toEqual([['1.201000.1'], true]);
    const rest = await pageOf(store, { first: 5, after: short.endCursor! });
    expect([rest.names, rest.hasNextPage, rest.endCursor]).toEqual([['1.0.1'], false, undefined]);
    await store.close();
  });
});
