import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '../../server/store/store.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { applyWork, aRun, aTaskRun, committer, idOf, open, ownerOf } from './rows.ts';

describe.each(databases)('outcomes in the store on $name', ({ start }) => {
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

  it('keeps why task runs ended, where that was told, and forgets nothing of it', async () => {
    await applyWork(store);
    const commit = committer(store, await ownerOf(store));
    const reason = { code: 'UPSTREAM_FAILED', message: 'The task “a”, which it needs, failed: ✗', remedy: 'Mend it.' };
    await commit({
      createdRuns: [aRun(1)],
      createdTaskRuns: [aTaskRun(1, 0), aTaskRun(1, 1, { taskKey: 'b' }), aTaskRun(1, 2, { taskKey: 'c' })],
      reasons: [1, 2].map((ordinal) => ({ runKey: 1, ordinal, reason })),
    });
    const places = [0, 1, 2].map((ordinal) => ({ run: idOf(1), ordinal }));
    expect(await store.taskRuns.reasons([...places, { run: idOf(9), ordinal: 0 }])).toEqual([
      null,
      reason,
      reason,
      null,
    ]);
  });

  it('gives a pool a default of its tasks, and leaves its scheduler and what that remembers alone', async () => {
    const pool = { name: 'default', scheduler: 'priority', schedulerConfig: {}, schedulerMemory: null, shadow: null };
    await store.pools.ensure({ ...pool, idempotent: null });
    const commit = committer(store, await ownerOf(store));
    await commit({ schedulerMemory: { turn: 3 } });
    for (const idempotent of [false, true, null]) {
      await commit({ poolIdempotent: idempotent });
      const changed = { ...pool, schedulerMemory: { turn: 3 }, idempotent };
      expect(await store.pools.byName('default')).toEqual(changed);
      expect(await store.pools.all()).toEqual([changed]);
    }
  });

  it('reads a definition that was stored before tasks could say whether they are idempotent', async () => {
    const task: Record<string, unknown> = { ...aTask('a') };
    delete task['idempotent'];
    const definition = aDefinition([task as unknown as ReturnType<typeof aTask>]);
    const facts = { source: null, hash: 'before', actor: 'someone', at: 1 };
    await store.pipelines.apply(definition, facts);
    const [version] = await store.pipelines.versions([{ pipeline: 'work', number: 1 }]);
    expect(version?.definition.tasks[0]?.idempotent).toBeNull();
  });
});
