import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '../../server/clock.ts';
import { systemClock } from '../../server/clock.ts';
import type { Run } from '../../server/domain/run.ts';
import { Hub, type DeletedRun } from '../../server/events/hub.ts';
import { createLog } from '../../server/log.ts';
import { limitsOf, type ConfiguredRetention } from '../../server/retention/limits.ts';
import { Pace } from '../../server/retention/pace.ts';
import { Retention } from '../../server/retention/retention.ts';
import { Sweeper } from '../../server/retention/sweep.ts';
import type { Store } from '../../server/store/store.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { applyWork, aRun, aTaskRun, committer, idOf, open, ownerOf } from '../store/rows.ts';

const DAY = 86_400_000;
const NOW = 1_000 * DAY;
const never: ConfiguredRetention = {
  age: 'NEVER',
  runs: 'NEVER',
  audit: 'NEVER',
  keys: 7 * DAY,
  events: 7 * DAY,
  interval: 60_000,
};
/** Does not wait: nobody else is at work. */
const clock: Clock = { ...systemClock, now: () => NOW, sleep: () => Promise.resolve() };
const { signal } = new AbortController();
const pace = (): Pace => new Pace({ clock, isBusy: () => false, heldMs: () => 0, signal });

describe.each(databases)('a sweep on $name', ({ start }) => {
  let places: TestDatabases;
  let store: Store;
  let deleted: DeletedRun[];
  beforeAll(async () => {
    places = await start();
  });
  afterAll(() => places.stop());
  beforeEach(async () => {
    store = await open(await places.fresh());
    deleted = [];
    for (const name of ['default', 'gpu']) {
      await store.pools.ensure({
        name,
        scheduler: 'priority',
        schedulerConfig: {},
        schedulerMemory: null,
        shadow: null,
        idempotent: null,
      });
    }
    await applyWork(store);
    await applyWork(store, 'nightly');
  });
  afterEach(() => store.close());

  /** Ended runs, one of them each day, the last one today. */
  async function addRuns(first: number, count: number, overrides: Partial<Run> = {}): Promise<void> {
    const keys = Array.from({ length: count }, (_, index) => first + index);
    const commit = committer(store, await ownerOf(store));
    const at = (key: number) => NOW - (first + count - 1 - key) * DAY - 1_000;
    await commit({
      createdRuns: keys.map((key) =>
        aRun(key, { state: 'SUCCEEDED', createdAt: at(key) - 1, finishedAt: at(key), taskRunCount: 1, ...overrides }),
      ),
      createdTaskRuns: keys.map((key) => aTaskRun(key, 0, { state: 'SUCCEEDED' })),
    });
  }
  const sweep = (configured: Partial<ConfiguredRetention>) =>
    new Sweeper(store, { ...never, ...configured }, (runs) => deleted.push(...runs)).sweep(pace(), NOW);
  const kept = async (pipeline = 'work') =>
    (await store.runs.page({ first: 1_000 }, { pipeline })).rows.map(({ row }) => row.key).toReversed();

  it('deletes what is too old, the oldest first, and tells of it', async () => {
    await addRuns(1, 10);
    expect(await sweep({ age: 3 * DAY })).toMatchObject({ runs: 7 });
    expect(await kept()).toEqual([8, 9, 10]);
    expect(deleted.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7].map(idOf));
    expect((await store.retention.usage()).removalCount).toBe(0);
    expect(await sweep({ age: 3 * DAY })).toMatchObject({ runs: 0 });
  });

  it('keeps the newest of each pipeline, and of more runs than are read at once', async () => {
    await addRuns(1, 450);
    await addRuns(1_001, 5, { pipeline: 'nightly' });
    expect(await sweep({ runs: 3 })).toMatchObject({ runs: 449 });
    expect(await kept()).toEqual([448, 449, 450]);
    expect(await kept('nightly')).toEqual([1_003, 1_004, 1_005]);
  });

  it('goes by the rules of pools and pipelines, also those of a pipeline that has been deleted', async () => {
    await addRuns(1, 6);
    await addRuns(11, 6, { pipeline: 'nightly' });
    await addRuns(21, 6, { pool: 'gpu' });
    await store.retention.set('PIPELINE', 'nightly', { age: null, runs: 2 }, 'ann', 1);
    await store.retention.set('POOL', 'gpu', { age: 'NEVER', runs: null }, 'ann', 1);
    await store.pipelines.delete('nightly', 'ann', 1);
    await sweep({ age: 4 * DAY });
    expect(await kept()).toEqual([3, 4, 5, 6, 21, 22, 23, 24, 25, 26]);
    expect(await kept('nightly')).toEqual([15, 16]);
  });

  it('never deletes what has not ended, however old', async () => {
    await addRuns(1, 2, { state: 'PAUSED', finishedAt: null });
    await addRuns(3, 2);
    await sweep({ age: 0, runs: 1 });
    expect(await kept()).toEqual([1, 2]);
  });

  it('deletes commands that have had their answer, and keeps idempotency keys for as long as they count', async () => {
    const wish = (age: number, idempotencyKey?: string) => ({
      pool: 'default',
      command: { type: 'CANCEL_RUN', run: idOf(1) } as const,
      actor: 'ann',
      at: NOW - age,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
    const appended = await store.commands.append([
      wish(8 * DAY, 'too old'),
      wish(6 * DAY, 'still good'),
      wish(6 * DAY),
      wish(DAY),
      wish(60_000),
      wish(9 * DAY),
    ]);
    const commit = committer(store, await ownerOf(store));
    const settled = appended.slice(0, -1);
    await commit({ at: NOW, receipts: settled.map(({ id }) => ({ command: id, receipt: { ok: true } as const })) });
    expect(await sweep({})).toMatchObject({ commands: 3 });
    expect(await store.commands.isKnown('ann', 'too old')).toBe(false);
    expect(await store.commands.isKnown('ann', 'still good')).toBe(true);
    // What has no receipt waits for its engine.
    expect((await store.commands.pending('default', 0, 9)).map(({ id }) => id)).toEqual([appended.at(-1)!.id]);
  });

  it('deletes audit records, events and decisions by their age', async () => {
    const commit = committer(store, await ownerOf(store));
    for (let seq = 1; seq <= 150; seq++) await commit({ at: NOW - (150 - seq) * DAY, writtenSeq: seq });
    await store.audit.append({ at: NOW - 40 * DAY, actor: 'ann', action: 'a', subject: 's', details: {} });
    // Two are of the pipelines, long ago.
    expect(await sweep({ audit: 30 * DAY, events: 7 * DAY })).toMatchObject({ auditRecords: 3, events: 50 });
    expect(await store.events.first('default')).toBe(51);
  });

  it('deletes decisions from before the oldest run that is left, and keeps the newest to judge schedulers by', async () => {
    await addRuns(1, 10);
    const commit = committer(store, await ownerOf(store));
    const decision = {
      scheduler: 'priority',
      version: '1',
      configHash: 'a',
      seed: 1,
      offered: 1,
      placed: 1,
      call: 'x',
    };
    // One an hour for 300 hours, which is twelve and a half days.
    for (let hours = 300; hours > 0; hours--) {
      await commit({ decision: { ...decision, at: NOW - hours * 3_600_000 }, writtenSeq: 300 });
    }
    // Runs of the last three days are left, and no decision of the last 200 hours goes.
    expect(await sweep({ age: 3 * DAY })).toMatchObject({ runs: 7, decisions: 100 });
    expect(await store.decisions.latest('default', 500)).toHaveLength(200);
    expect(await sweep({ age: 3 * DAY })).toMatchObject({ decisions: 0 });
  });

  it('deletes versions that no run pins, when they were not pinned at the sweep before either', async () => {
    for (const [index, hash] of ['two', 'three'].entries()) {
      const facts = { source: null, hash, actor: 'ann', at: NOW - (20 - index) * DAY };
      await store.pipelines.apply(aDefinition([aTask('a')]), facts);
    }
    const numbers = async () =>
      (await store.pipelines.versionPage('work', { first: 9 })).rows.map(({ row }) => row.number);
    await addRuns(1, 1, { version: 2 });
    const sweeper = new Sweeper(store, { ...never, age: 5 * DAY }, () => {});
    await sweeper.sweep(pace(), NOW);
    expect(await numbers()).toEqual([3, 2, 1]);
    expect(await sweeper.sweep(pace(), NOW)).toMatchObject({ versions: 1 });
    expect(await numbers()).toEqual([3, 2]);
  });

  it('deletes just what the preview has told', async () => {
    await addRuns(1, 9);
    await addRuns(11, 2, { pipeline: 'nightly' });
    const hub = new Hub();
    hub.listenToDeletions((runs) => deleted.push(...runs));
    const configured = { ...never, age: 5 * DAY };
    const log = createLog('silent', 'json');
    const retention = new Retention({ store, hub, clock, log, configured, dataDir: '/', isOwner: () => true });
    const [one, ...others] = await retention.preview();
    expect(one).toMatchObject({ pipeline: 'work', runs: 4, newestFinishedAt: NOW - 5 * DAY - 1_000 });
    expect(others).toEqual([]);
    expect(await kept()).toHaveLength(9);
    expect(await sweep({ age: 5 * DAY })).toMatchObject({ runs: 4 });
  });
});

describe('the limits of a server', () => {
  const unset = { ...never, age: null, runs: null, audit: null };
  const upgraded = [{ scope: 'SERVER', age: 'NEVER', runs: 'NEVER' } as const];

  it('are 30 days, 10,000 runs and a year of audit records where nobody says otherwise', () => {
    const runs = { age: 30 * DAY, runs: 10_000 };
    expect(limitsOf(unset, [])).toMatchObject({ runs, audit: 365 * DAY, keepsAllByUpgrade: false });
  });

  it('are none in a database from before, until somebody configures one', () => {
    const all = { age: 'NEVER', runs: 'NEVER' };
    expect(limitsOf(unset, upgraded)).toMatchObject({ runs: all, audit: 'NEVER', keepsAllByUpgrade: true });
    const chosen = limitsOf({ ...unset, age: 5 * DAY }, upgraded);
    expect(chosen).toMatchObject({ runs: { age: 5 * DAY, runs: 'NEVER' }, keepsAllByUpgrade: false });
  });
});

describe('work in the background', () => {
  it('is cut into pieces by how long they take, and pauses several times as long', async () => {
    let now = 0;
    let slept = 0;
    const fake: Clock = {
      ...systemClock,
      monotonic: () => now,
      sleep: (ms) => {
        slept += ms;
        return Promise.resolve();
      },
    };
    let isBusy = false;
    let held = 0;
    const paced = new Pace({ clock: fake, isBusy: () => isBusy, heldMs: () => held, signal });
    const sizes: number[] = [];
    const piece = (ms: number) =>
      paced.piece((rows) => {
        sizes.push(rows);
        // It has waited for its turn, which counts for nothing.
        now += ms + 500;
        held += ms;
        return Promise.resolve(rows);
      });
    for (const ms of [1, 1, 1, 40, 40, 40, 40]) await piece(ms);
    expect(sizes[2]).toBeGreaterThan(sizes[0]!);
    expect(sizes.at(-1)).toBeLessThan(sizes[3]!);
    expect(paced.longestMs).toBe(40);
    slept = 0;
    await piece(10);
    expect(slept).toBeGreaterThanOrEqual(30);
    isBusy = true;
    slept = 0;
    await piece(10);
    expect(slept).toBeGreaterThanOrEqual(90);
  });

  it('ends when it is told to stop', async () => {
    const ending = new AbortController();
    const paced = new Pace({ clock: systemClock, isBusy: () => false, heldMs: () => 0, signal: ending.signal });
    ending.abort();
    await expect(paced.piece(() => Promise.resolve(1))).rejects.toThrow();
  });
});
