import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RunState } from '../../server/domain/run.ts';
import { InvalidCursor, type Page, type PageArgs, type Store } from '../../server/store/store.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { aNode, applyWork, aRun, aTaskRun, committer, idOf, open, ownerOf } from './rows.ts';

const COUNT = 23;
const STATES: readonly RunState[] = ['QUEUED', 'RUNNING', 'SUCCEEDED'];
const numbers = Array.from({ length: COUNT }, (_, index) => index + 1);

describe.each(databases)('a list on $name', ({ start }) => {
  let places: TestDatabases;
  let store: Store;

  beforeAll(async () => {
    places = await start();
    store = await open(await places.fresh());
    const commit = committer(store, await ownerOf(store));
    await applyWork(store);
    for (const number of numbers) {
      const definition = aDefinition([aTask('a')], { name: `pipeline-${String(number).padStart(2, '0')}` });
      await store.pipelines.apply(definition, { source: null, hash: 'same', actor: 'a', at: number });
      await store.pipelines.apply(aDefinition([aTask(`task-${number}`)]), {
        source: null,
        hash: `${number}`,
        actor: 'a',
        at: number,
      });
    }
    await commit({
      createdRuns: numbers.map((key) =>
        aRun(key, {
          state: STATES[key % 3]!,
          pool: key % 2 ? 'default' : 'other',
          trigger: key % 5 ? 'MANUAL' : 'RETRY',
          taskRunCount: COUNT,
        }),
      ),
      createdTaskRuns: [1, 2, 3].flatMap((run) =>
        numbers.map((ordinal) => aTaskRun(run, ordinal, { state: ordinal % 2 ? 'READY' : 'WAITING' })),
      ),
      nodes: numbers.map((number) =>
        aNode(`node-${String(number).padStart(2, '0')}`, { pool: number % 2 ? 'default' : 'other' }),
      ),
    });
  });
  afterAll(async () => {
    await store.close();
    await places.stop();
  });

  /** Follows the cursors to the end. */
  async function walk<Row>(first: number, page: (args: PageArgs) => Promise<Page<Row>>): Promise<Row[]> {
    const rows: Row[] = [];
    let after: string | undefined;
    for (let pages = 0; pages <= COUNT + 1; pages++) {
      const { rows: found, hasNextPage } = await page(after === undefined ? { first } : { first, after });
      expect(found.length).toBeLessThanOrEqual(first);
      rows.push(...found.map(({ row }) => row));
      if (!hasNextPage) return rows;
      expect(found).toHaveLength(first);
      after = found.at(-1)!.cursor;
    }
    throw new Error('The pages never end.');
  }

  const pageSize = fc.integer({ min: 1, max: COUNT + 2 });
  const descending = [...numbers].reverse();

  it('of runs shows each matching run once, newest first', async () => {
    const filters = fc.record(
      {
        pool: fc.constantFrom('default', 'other'),
        states: fc.subarray([...STATES]),
        trigger: fc.constantFrom('MANUAL' as const, 'RETRY' as const),
        pipeline: fc.constantFrom('work', 'none'),
        createdAfter: fc.integer({ min: 1_000, max: 1_010 }),
        createdBefore: fc.integer({ min: 1_005, max: 1_030 }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(pageSize, filters, async (first, filter) => {
        const expected = descending.filter(
          (key) =>
            (filter.pool === undefined || filter.pool === (key % 2 ? 'default' : 'other')) &&
            (filter.states === undefined || filter.states.includes(STATES[key % 3]!)) &&
            (filter.trigger === undefined || filter.trigger === (key % 5 ? 'MANUAL' : 'RETRY')) &&
            filter.pipeline !== 'none' &&
            (filter.createdAfter === undefined || 1_000 + key > filter.createdAfter) &&
            (filter.createdBefore === undefined || 1_000 + key < filter.createdBefore),
        );
        expect((await walk(first, (args) => store.runs.page(args, filter))).map(({ key }) => key)).toEqual(expected);
        expect(await store.runs.count(filter)).toBe(expected.length);
      }),
      { numRuns: 60 },
    );
  });

  it('of task runs shows each once by ordinal, for several runs at a time', async () => {
    const anyRuns = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 });
    const anyStates = fc.option(fc.subarray(['READY', 'WAITING']), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(pageSize, anyRuns, anyStates, async (first, runs, states) => {
        const all = numbers.filter(
          (ordinal) => states === undefined || states.includes(ordinal % 2 ? 'READY' : 'WAITING'),
        );
        const filter = states === undefined ? {} : { states };
        const pages = await store.taskRuns.pagesOfRuns(runs.map(idOf), { first }, filter);
        expect(pages).toHaveLength(runs.length);
        for (const [index, page] of pages.entries()) {
          const expected = runs[index]! <= 3 ? all : [];
          expect(page.rows.map(({ row }) => [row.run, row.ordinal])).toEqual(
            expected.slice(0, first).map((ordinal) => [idOf(runs[index]!), ordinal]),
          );
          expect(page.hasNextPage).toBe(expected.length > first);
        }
        const walked = await walk(
          first,
          async (args) => (await store.taskRuns.pagesOfRuns([idOf(2)], args, filter))[0]!,
        );
        expect(walked.map(({ ordinal }) => ordinal)).toEqual(all);
      }),
      { numRuns: 40 },
    );
  });

  it('of pipelines, their versions, nodes and audit records shows each once', async () => {
    await fc.assert(
      fc.asyncProperty(pageSize, async (first) => {
        const names = numbers.map((number) => `pipeline-${String(number).padStart(2, '0')}`);
        expect((await walk(first, (args) => store.pipelines.page(args, {}))).map(({ name }) => name)).toEqual([
          ...names,
          'work',
        ]);
        const found = await walk(first, (args) => store.pipelines.page(args, { search: 'E-1' }));
        expect(found.map(({ name }) => name)).toEqual(names.filter((name) => name.includes('-1')));
        const versions = await walk(first, (args) => store.pipelines.versionPage('work', args));
        expect(versions.map(({ number }) => number)).toEqual([COUNT + 1, ...descending]);
        const nodes = await walk(first, (args) => store.nodes.page(args, { pool: 'other' }));
        expect(nodes.map(({ name }) => name)).toEqual(
          numbers.filter((number) => number % 2 === 0).map((number) => `node-${String(number).padStart(2, '0')}`),
        );
        const records = await walk(Math.max(first, 3), (args) => store.audit.page(args));
        expect(records).toHaveLength(2 * COUNT + 1);
        expect(records.map(({ id }) => id)).toEqual(records.map(({ id }) => id).sort((a, b) => b - a));
      }),
      { numRuns: 10 },
    );
    expect(await store.nodes.count({ pool: 'other' })).toBe(11);
    expect(await store.pipelines.count({ search: 'PIPELINE' })).toBe(COUNT);
    // A wildcard of LIKE is a character like any other.
    expect(await store.pipelines.count({ search: '%' })).toBe(0);
  });

  it('may be asked for no rows', async () => {
    expect(await store.runs.page({ first: 0 }, {})).toEqual({ rows: [], hasNextPage: true });
  });

  it('refuses a cursor that it has not made', async () => {
    const [node] = (await store.nodes.page({ first: 1 }, {})).rows;
    const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const cursors = [
      '',
      'x',
      '💥',
      "' OR 1=1 --",
      node!.cursor,
      made(['run', -1]),
      made(['run', 1.5]),
      made(['run', '1']),
      made(['run', 1, 2]),
      made({ run: 1 }),
      'A'.repeat(5_000),
    ];
    for (const after of cursors) {
      await expect(store.runs.page({ first: 1, after }, {})).rejects.toBeInstanceOf(InvalidCursor);
      await expect(store.taskRuns.pagesOfRuns([idOf(1)], { first: 1, after }, {})).rejects.toBeInstanceOf(
        InvalidCursor,
      );
      await expect(store.audit.page({ first: 1, after })).rejects.toBeInstanceOf(InvalidCursor);
    }
    await fc.assert(
      fc.asyncProperty(fc.string(), async (after) => {
        await expect(store.pipelines.page({ first: 1, after }, {})).rejects.toBeInstanceOf(InvalidCursor);
      }),
    );
  });
});
