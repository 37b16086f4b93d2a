import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { StoredTaskRun } from '../../server/domain/change.ts';
import { LeaseLost, type HeldLease, type Store } from '../../server/store/store.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import {
  aChange,
  aNode,
  anAttempt,
  applyWork,
  aRun,
  aTaskRun,
  committer,
  idOf,
  LONG_MS,
  open,
  ownerOf,
} from './rows.ts';

describe.each(databases)('a commit on $name', ({ start }) => {
  let places: TestDatabases;
  let store: Store;
  let lease: HeldLease;
  let commit: ReturnType<typeof committer>;

  beforeAll(async () => {
    places = await start();
  });
  afterAll(() => places.stop());
  beforeEach(async () => {
    store = await open(await places.fresh());
    lease = await ownerOf(store);
    commit = committer(store, lease);
    await applyWork(store);
  });
  afterEach(() => store.close());

  const shown = ({ runKey: _, ...taskRun }: StoredTaskRun) => taskRun;

  it('stores the images of created rows as they were handed in', async () => {
    const run = aRun(7, {
      params: { words: ['a', "b'c"], deep: { n: 1.5 } },
      priority: -3,
      trigger: 'RETRY',
      retryOf: idOf(3),
      state: 'RUNNING',
      startedAt: 1_700_000_000_123,
      taskRunCount: 2,
    });
    const taskRuns = [
      aTaskRun(7, 0, { state: 'READY', readyAt: 1_700_000_000_124 }),
      aTaskRun(7, 1, {
        mapIndex: 4,
        state: 'BACKOFF',
        dueAt: 9,
        failures: 2,
        losses: 1,
        attempt: anAttempt({ state: 'FAILED' }),
      }),
    ];
    await commit({ createdRuns: [run], createdTaskRuns: taskRuns });

    expect(await store.runs.byIds([run.id, idOf(8)])).toEqual([run, null]);
    const places7 = [
      { run: run.id, ordinal: 1 },
      { run: run.id, ordinal: 2 },
      { run: idOf(8), ordinal: 0 },
      { run: run.id, ordinal: 0 },
    ];
    expect(await store.taskRuns.byIds(places7)).toEqual([shown(taskRuns[1]!), null, null, shown(taskRuns[0]!)]);
    const whole = await store.runs.whole(run.id);
    expect(whole).toEqual({
      run,
      definition: expect.objectContaining({ name: 'work' }),
      taskRuns: taskRuns.map(shown),
    });
  });

  it('stores what became of rows, among many that became something else', async () => {
    const count = 2_345;
    const taskRuns = Array.from({ length: count }, (_, ordinal) =>
      aTaskRun(1, ordinal, { state: 'READY', readyAt: 5 }),
    );
    await commit({ createdRuns: [aRun(1, { taskRunCount: count })], createdTaskRuns: taskRuns });
    const failure = {
      kind: 'APPLICATION',
      reason: { code: 'EXIT', message: 'it\'s "over" \\ \n\u0000 🦆' },
      exitCode: 3,
    } as const;
    const changed = taskRuns.map((taskRun, index): StoredTaskRun => {
      const attempt = anAttempt({ node: `node-${index % 3}`, assignedAt: 6 + index });
      switch (index % 4) {
        case 0:
          return { ...taskRun, state: 'ASSIGNED', attempt, revision: 2 };
        case 1:
          return {
            ...taskRun,
            state: 'SUCCEEDED',
            attempt: { ...attempt, state: 'SUCCEEDED', startedAt: 7, finishedAt: 8 },
            finishedAt: 8,
            outputs: { index, text: '`${x}` \' " \\' },
            revision: 2,
          };
        case 2:
          return {
            ...taskRun,
            state: 'FAILED',
            attempt: { ...attempt, state: 'FAILED', finishedAt: 9, failure },
            failures: 1,
          };
        default:
          return { ...taskRun, mapIndex: index, state: 'CANCELLED', readyAt: null, finishedAt: 10 };
      }
    });
    await commit({
      changedTaskRuns: changed,
      changedRuns: [aRun(1, { state: 'RUNNING', taskRunCount: count, revision: 2 })],
    });

    const [recovered, ...others] = await store.runs.unfinished('default');
    expect(others).toEqual([]);
    expect(recovered?.run).toMatchObject({ state: 'RUNNING', revision: 2 });
    expect(recovered?.taskRuns).toEqual(changed.map(shown));
  });

  it('clears what a retry has left behind and keeps the earlier attempt', async () => {
    const lost = { kind: 'INFRASTRUCTURE', reason: { code: 'NODE_LOST', message: 'gone', remedy: 'none' } } as const;
    const first = anAttempt({ state: 'LOST', startedAt: 3, finishedAt: 4, failure: lost });
    await commit({
      createdRuns: [aRun(1, { taskRunCount: 1 })],
      createdTaskRuns: [aTaskRun(1, 0, { state: 'BACKOFF', dueAt: 6, losses: 1, attempt: first })],
    });
    const second = anAttempt({ number: 2, node: 'node-2' });
    const place = { run: idOf(1), ordinal: 0 };
    await commit({
      changedTaskRuns: [aTaskRun(1, 0, { state: 'ASSIGNED', losses: 1, attempt: second })],
      nodes: [aNode('node-1'), aNode('node-2')],
      supersededAttempts: [{ runKey: 1, ordinal: 0, attempt: first }],
      evidence: [{ runKey: 1, ordinal: 0, number: 1, at: 7, node: 'node-1', report: { state: 'SUCCEEDED' } }],
    });

    expect(await store.taskRuns.byIds([place])).toEqual([expect.objectContaining({ attempt: second, dueAt: null })]);
    expect(await store.taskRuns.attempts([place, { run: idOf(2), ordinal: 0 }])).toEqual([[first, second], []]);
    expect(await store.taskRuns.evidence(place)).toEqual([
      { runKey: 1, ordinal: 0, number: 1, at: 7, node: 'node-1', report: { state: 'SUCCEEDED' } },
    ]);
    expect(await store.taskRuns.onNode('node-1', 10)).toEqual([]);
    expect(await store.taskRuns.onNode('node-2', 10)).toEqual([expect.objectContaining({ run: idOf(1), ordinal: 0 })]);
  });

  it('ends with its events, gap-free, and settles its commands', async () => {
    await store.pools.ensure({
      name: 'default',
      scheduler: 'round-robin',
      schedulerConfig: { a: 1 },
      schedulerMemory: null,
      shadow: null,
      idempotent: null,
    });
    const [command] = await store.commands.append([
      { pool: 'default', command: { type: 'PAUSE_RUN', run: idOf(1) }, actor: 'someone', at: 1 },
    ]);
    const id = command!.id;
    const events = {
      runs: [[idOf(1), 'work', 'PAUSED', 1]],
      taskRuns: [[0, 0, 'READY', 0]],
      nodes: [['node-1', 'READY', 'CORDONED']],
      receipts: [[id, { ok: true }]],
    } as const;
    await commit({
      at: 77,
      receipts: [{ command: id, receipt: { ok: true }, run: idOf(1) }],
      events,
      schedulerMemory: { next: 4 },
    });
    await commit({});

    expect(await store.events.after('default', 0, 10)).toEqual([
      { pool: 'default', seq: 1, at: 77, ...events },
      expect.objectContaining({ seq: 2, runs: [], taskRuns: [] }),
    ]);
    expect(await store.events.after('default', 1, 10)).toHaveLength(1);
    expect([await store.events.first('default'), await store.events.last('default')]).toEqual([1, 2]);
    expect([await store.events.first('other'), await store.events.last('other')]).toEqual([1, 0]);
    expect(await store.commands.receipt(id)).toEqual({ ok: true });
    expect(await store.commands.pending('default', 0, 10)).toEqual([]);
    expect((await store.pools.byName('default'))?.schedulerMemory).toEqual({ next: 4 });
  });

  it('logs assignments whose rows are written later, and up to where they are', async () => {
    const assigned = (nodes: readonly string[], tasks: readonly number[]) => ({ assigned: { nodes, tasks } });
    await commit({ at: 11, ...assigned(['node-1', 'no"de'], [1, 0, 1, 1, 7, 0]) });
    await commit({ at: 12 });
    await commit({ at: 13, writtenSeq: 2, ...assigned(['node-2'], [2, 5, 0]) });
    expect(await store.events.assignedAfter('default', 0)).toEqual([
      { runKey: 1, ordinal: 0, node: 'no"de', at: 11 },
      { runKey: 1, ordinal: 7, node: 'node-1', at: 11 },
      { runKey: 2, ordinal: 5, node: 'node-2', at: 13 },
    ]);
    expect(await store.events.assignedAfter('default', 2)).toHaveLength(1);
    expect(await store.events.assignedAfter('other', 0)).toEqual([]);
    expect(await ownerOf(store)).toMatchObject({ seq: 3, writtenSeq: 2 });
  });

  it('takes its images when it is called, so that memory may go on at once', async () => {
    const taskRun = { ...aTaskRun(1, 0) };
    const written = store.commit(
      lease,
      1,
      aChange({ createdRuns: [aRun(1, { taskRunCount: 1 })], createdTaskRuns: [taskRun] }),
    );
    taskRun.state = 'CANCELLED';
    await written;
    expect(await store.taskRuns.byIds([{ run: idOf(1), ordinal: 0 }])).toEqual([
      expect.objectContaining({ state: 'WAITING' }),
    ]);
  });

  it('of an owner who was replaced writes nothing', async () => {
    await commit({ createdRuns: [aRun(1)] });
    const successor = await ownerOf(store);
    expect(successor).toMatchObject({ epoch: lease.epoch + 1, seq: 1 });

    const late = store.commit(lease, 2, aChange({ createdRuns: [aRun(2)], nodes: [aNode('node-1')] }));
    await expect(late).rejects.toBeInstanceOf(LeaseLost);
    expect(await store.runs.byIds([idOf(2)])).toEqual([null]);
    expect(await store.nodes.count({})).toBe(0);
    expect(await store.events.last('default')).toBe(1);

    await store.commit(successor, 2, aChange({ createdRuns: [aRun(3)] }));
    expect(await store.events.last('default')).toBe(2);
  });

  it('with a sequence that is not the next one writes nothing', async () => {
    for (const seq of [0, 2]) {
      await expect(store.commit(lease, seq, aChange({ createdRuns: [aRun(1)] }))).rejects.toBeInstanceOf(LeaseLost);
    }
    expect(await store.runs.count({})).toBe(0);
    await commit({});
    expect(await store.events.last('default')).toBe(1);
  });

  it('that would over-commit a node is refused whole', async () => {
    await commit({ nodes: [aNode('node-1', { reserved: { slots: 8 } })] });
    for (const reserved of [9, -1]) {
      const over = aChange({ createdRuns: [aRun(1)], nodes: [aNode('node-1', { reserved: { slots: reserved } })] });
      await expect(store.commit(lease, 2, over)).rejects.toThrow(/node_resource_is_not_over_committed/);
    }
    const over = aChange({ nodes: [aNode('node-2', { capacity: { gpu: 1 }, reserved: { gpu: 2 } })] });
    await expect(store.commit(lease, 2, over)).rejects.toThrow(/node_resource_is_not_over_committed/);
    expect(await store.runs.count({})).toBe(0);
    expect(await store.nodes.count({})).toBe(1);
    await store.commit(lease, 2, aChange({ nodes: [aNode('node-1', { reserved: { slots: 7 } })] }));
  });

  it('lets a node that shrank hold what it holds, and no more', async () => {
    const slots = (capacity: number, reserved: number) => ({
      nodes: [aNode('node-1', { capacity: { slots: capacity }, reserved: { slots: reserved } })],
    });
    await commit(slots(8, 6));
    // Shrinks in the same step in which two more were placed, which its old capacity allowed.
    await commit(slots(4, 8));
    await commit(slots(4, 7));
    await expect(store.commit(lease, 4, aChange(slots(4, 8)))).rejects.toThrow(/over_committed/);
    await store.commit(lease, 4, aChange(slots(4, 3)));
    await expect(store.commit(lease, 5, aChange(slots(4, 5)))).rejects.toThrow(/over_committed/);
    await store.commit(lease, 5, aChange(slots(16, 16)));
  });

  it('forgets a resource that a node has no longer', async () => {
    const both = { capacity: { slots: 8, gpu: 2 }, reserved: { slots: 1, gpu: 1 } };
    await commit({ nodes: [aNode('node-1', both)] });
    await commit({ nodes: [aNode('node-1', { reserved: { slots: 1, gpu: 1 }, revision: 2 })] });
    expect((await store.nodes.byNames(['node-1']))[0]).toMatchObject({
      capacity: { slots: 8, gpu: 0 },
      reserved: { gpu: 1 },
    });
    await commit({ nodes: [aNode('node-1', { reserved: { slots: 1 }, revision: 3 })] });
    expect((await store.nodes.byNames(['node-1']))[0]).toMatchObject({
      capacity: { slots: 8 },
      reserved: { slots: 1 },
    });
    expect((await store.nodes.byNames(['node-1']))[0]?.capacity).toEqual({ slots: 8 });
  });

  it('of a change to a row that is not stored fails and undoes the rest', async () => {
    const change = aChange({ createdRuns: [aRun(1)], changedTaskRuns: [aTaskRun(1, 0)] });
    await expect(store.commit(lease, 1, change)).rejects.toThrow(/not stored/);
    expect(await store.runs.count({})).toBe(0);
    await store.commit(lease, 1, aChange());
  });

  it('waits for its turn while other transactions write', async () => {
    const wishes = Array.from({ length: 20 }, (_, index) => ({
      pool: 'default',
      command: { type: 'CORDON_NODE', node: `node-${index}` } as const,
      actor: 'someone',
      at: index,
    }));
    const [, , ...appended] = await Promise.all([
      store.pipelines.setPaused('work', true, 'someone', 9),
      commit({ createdRuns: [aRun(1)] }),
      ...wishes.map((wish) => store.commands.append([wish])),
    ]);
    expect(new Set(appended.map(([each]) => each!.id)).size).toBe(20);
    expect(await store.events.last('default')).toBe(1);
  });

  it('is refused to an owner who never was', async () => {
    const never = { name: 'nowhere', holder: 'me', epoch: 1, seq: 0, writtenSeq: 0 };
    await expect(store.commit(never, 1, aChange())).rejects.toBeInstanceOf(LeaseLost);
    expect(await store.leases.renew(never, LONG_MS)).toBe(false);
  });
});
