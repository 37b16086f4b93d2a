import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Json } from '@gantry/plugin-kit/vocabulary';
import { attemptId, runId } from '../../server/domain/ids.ts';
import type { Store } from '../../server/store/store.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { applyWork, aRun, aTaskRun, committer, open, ownerOf } from './rows.ts';

describe.each(databases)('the store of attempts on $name', ({ start }) => {
  let places: TestDatabases;
  let store: Store;
  beforeAll(async () => {
    places = await start();
  });
  afterAll(() => places.stop());
  beforeEach(async () => {
    store = await open(await places.fresh());
  });
  afterEach(() => store.close());

  it('keeps which GPUs attempts of unfinished runs have', async () => {
    await applyWork(store);
    const commit = committer(store, await ownerOf(store));
    const held = (runKey: number) => ({ runKey, ordinal: 0, number: 1, gpus: [0, 3] });
    await commit({
      createdRuns: [aRun(1, { state: 'RUNNING' }), aRun(2, { state: 'SUCCEEDED' })],
      createdTaskRuns: [aTaskRun(1, 0), aTaskRun(2, 0)],
      gpus: [held(1), held(2)],
    });
    expect(await store.taskRuns.heldGpus('default')).toEqual([held(1)]);
    expect(await store.taskRuns.heldGpus('other')).toEqual([]);
  });

  it('keeps what attempts used up, the replaced ones too, and knows what nobody told', async () => {
    await applyWork(store);
    const commit = committer(store, await ownerOf(store));
    await commit({
      createdRuns: [aRun(1, { state: 'RUNNING' })],
      createdTaskRuns: [aTaskRun(1, 0), aTaskRun(1, 1)],
      usages: [
        { runKey: 1, ordinal: 0, number: 1, usage: { peakMemoryBytes: 5_000_000_000, cpuMs: 12 } },
        { runKey: 1, ordinal: 0, number: 2, usage: { cpuMs: 0 } },
      ],
    });
    const { id: run } = aRun(1);
    const attempts = [2, 1, 3].map((number) => ({ run, ordinal: 0, number }));
    expect(await store.taskRuns.usages([...attempts, { run, ordinal: 1, number: 1 }])).toEqual([
      { cpuMs: 0 },
      { peakMemoryBytes: 5_000_000_000, cpuMs: 12 },
      null,
      null,
    ]);
  });

  it('keeps the state that the latest attempt saved last, for those after it', async () => {
    await applyWork(store);
    await committer(store, await ownerOf(store))({ createdRuns: [aRun(1)], createdTaskRuns: [aTaskRun(1, 0)] });
    const { id: run } = aRun(1);
    const attempt = (number: number, ordinal = 0) => attemptId(run, ordinal, number);
    const save = (number: number, seq: number, state: Json) =>
      store.states.save({ attempt: attempt(number), seq, state });
    await save(1, 5, { page: 5 });
    await save(1, 4, { page: 4 });
    expect(await store.states.before(attempt(1))).toBeNull();
    expect(await store.states.before(attempt(2))).toEqual({ page: 5 });
    await save(2, 1, ['é\u2028', null, 1e300]);
    await save(1, 9, { page: 9 });
    expect(await store.states.before(attempt(3))).toEqual(['é\u2028', null, 1e300]);
    expect(await store.states.before(attempt(2, 1))).toBeNull();
    await store.states.save({ attempt: attemptId(runId('unknown'), 0, 1), seq: 1, state: 1 });
  });
});
