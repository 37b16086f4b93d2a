import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { attemptId } from '../../server/domain/ids.ts';
import { packChunks, unpackChunks } from '../../server/store/log-codec.ts';
import { CorruptRow } from '../../server/store/columns.ts';
import type { LogChunk, Store } from '../../server/store/store.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { anAttempt, applyWork, aRun, aTaskRun, committer, idOf, open, ownerOf } from './rows.ts';

const chunk = (seq: number, text: string, number = 1, ordinal = 0): LogChunk => ({
  attempt: attemptId(idOf(1), ordinal, number),
  seq,
  stream: seq % 3 === 0 ? 'STDERR' : 'STDOUT',
  at: 1_790_000_000_000 + seq * 7 - (seq % 2) * 20,
  text,
});

describe.each(databases)('the logs of ended attempts on $name', ({ start }) => {
  let places: TestDatabases;
  let store: Store;
  beforeAll(async () => {
    places = await start();
  });
  afterAll(() => places.stop());
  beforeEach(async () => {
    store = await open(await places.fresh());
    await applyWork(store);
    const ended = anAttempt({ number: 2, state: 'SUCCEEDED', finishedAt: 4_000 });
    await committer(
      store,
      await ownerOf(store),
    )({
      createdRuns: [aRun(1, { state: 'RUNNING', taskRunCount: 2 })],
      createdTaskRuns: [
        aTaskRun(1, 0, { state: 'SUCCEEDED', attempt: ended }),
        aTaskRun(1, 1, { state: 'RUNNING', attempt: anAttempt({ state: 'RUNNING' }) }),
      ],
    });
  });
  afterEach(() => store.close());

  const all = (ordinal = 0, limit = 100_000) =>
    store.logs.read({ run: idOf(1), ordinal }, { number: 0, seq: 0 }, limit);
  /** Packs everything that may be packed, as a sweep does. */
  async function pack(): Promise<void> {
    const due = (await store.logPacking.unpacked(null, 100)).filter(({ endedAt }) => endedAt !== null);
    for (let hasMore = true; hasMore;) ({ hasMore } = await store.logPacking.pack(due));
  }

  it('are the same after they were compressed, from every place and in every page', async () => {
    const chunks = [
      ...Array.from({ length: 50 }, (_, index) => chunk(index + 1, `line ${index} ä 😀\n`.repeat(index % 4))),
      ...Array.from({ length: 7 }, (_, index) => chunk(index + 1, `second try ${index}\n`, 2)),
    ];
    await store.logs.append(chunks);
    await store.logs.append([chunk(1, 'still at work\n', 1, 1)]);
    const before = await all();
    expect(before).toEqual(chunks);
    await pack();
    // What is still at work is left alone.
    expect(await store.logPacking.unpacked(null, 100)).toEqual([{ runKey: 1, ordinal: 1, number: 1, endedAt: null }]);
    expect(await all()).toEqual(before);
    expect(await all(1)).toEqual([chunk(1, 'still at work\n', 1, 1)]);
    const paged: LogChunk[] = [];
    for (let page: readonly LogChunk[] = await all(0, 4); page.length > 0;) {
      paged.push(...page);
      const last = page.at(-1)!;
      const number = Number(last.attempt.split('.').at(-1));
      page = await store.logs.read({ run: idOf(1), ordinal: 0 }, { number, seq: last.seq }, 4);
    }
    expect(paged).toEqual(before);
  });

  it('keep what arrives again once, and what arrives late in its place', async () => {
    await store.logs.append([chunk(1, 'a'), chunk(2, 'b'), chunk(5, 'e')]);
    await pack();
    await store.logs.append([chunk(2, 'b'), chunk(4, 'd'), chunk(6, 'f')]);
    const whole = [chunk(1, 'a'), chunk(2, 'b'), chunk(4, 'd'), chunk(5, 'e'), chunk(6, 'f')];
    expect(await all()).toEqual(whole);
    await pack();
    expect(await all()).toEqual(whole);
    await pack();
    expect((await store.logPacking.unpacked(null, 9)).filter(({ endedAt }) => endedAt !== null)).toEqual([]);
    expect(await all()).toEqual(whole);
  });

  it('are cut into segments where they are long, and take a fraction of the room', async () => {
    const line = (seq: number) => `${seq}: the same as every other line, but for its number\n`.repeat(1_000);
    const chunks = Array.from({ length: 64 }, (_, index) => chunk(index + 1, line(index)));
    for (let from = 0; from < chunks.length; from += 8) await store.logs.append(chunks.slice(from, from + 8));
    const characters = chunks.reduce((sum, { text }) => sum + text.length, 0);
    expect(characters).toBeGreaterThan(3 << 20);
    await pack();
    expect(await all()).toEqual(chunks);
    const { kinds, isEstimate } = await store.retention.usage();
    const logs = kinds.find(({ kind }) => kind === 'LOGS')!;
    // Three segments at least, of a MiB of text each.
    if (!isEstimate) expect(logs.rows).toBeGreaterThanOrEqual(3);
    if (!isEstimate) expect(logs.bytes).toBeLessThan(characters / 20);
  });
});

describe('a segment of a log', () => {
  it('holds every stream, time and text exactly, and says so when it is damaged', async () => {
    const chunks = [
      { seq: 3, stream: 'SYSTEM', at: 9_007_199_254_740_000, text: '' },
      { seq: 4_000_000, stream: 'STDOUT', at: 5, text: '\u0000\uFFFD 😀' },
      { seq: 4_000_001, stream: 'STDERR', at: 0, text: 'x'.repeat(100_000) },
    ] as const;
    for (const some of [chunks.slice(0, 1), chunks]) {
      const packed = await packChunks(some);
      expect(unpackChunks(packed, 'here')).toEqual(some);
      for (const damaged of [packed.subarray(0, 3), Buffer.concat([Buffer.of(7), packed]), Buffer.alloc(0)]) {
        expect(() => unpackChunks(damaged, 'here')).toThrow(CorruptRow);
      }
    }
  });
});
