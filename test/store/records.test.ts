import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { attemptId } from '../../server/domain/ids.ts';
import type { LogChunk, Store, Token } from '../../server/store/store.ts';
import { aDefinition, aTask } from '../support/builders.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { aNode, anAttempt, applyWork, aRun, aTaskRun, committer, idOf, open, ownerOf } from './rows.ts';

describe.each(databases)('the store on $name', ({ start }) => {
  let places: TestDatabases;
  let store: Store;
  let warnings: string[];
  beforeAll(async () => {
    places = await start();
  });
  afterAll(() => places.stop());
  beforeEach(async () => {
    warnings = [];
    store = await open(await places.fresh(), { log: (_, message) => warnings.push(message) });
  });
  afterEach(() => store.close());

  const cancel = (number: number, idempotencyKey?: string, actor = 'someone') => ({
    pool: 'default',
    command: { type: 'CANCEL_RUN', run: idOf(number) } as const,
    actor,
    at: number,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });

  it('knows how long the successes of a pool’s last successful runs took', async () => {
    await applyWork(store);
    const commit = committer(store, await ownerOf(store));
    const ended = (startedAt: number, finishedAt: number) => anAttempt({ state: 'SUCCEEDED', startedAt, finishedAt });
    await commit({
      createdRuns: [aRun(1, { state: 'SUCCEEDED' }), aRun(2, { state: 'SUCCEEDED' }), aRun(3, { state: 'RUNNING' })],
      createdTaskRuns: [
        aTaskRun(1, 0, { state: 'SUCCEEDED', attempt: ended(10, 40) }),
        aTaskRun(1, 1, {
          taskKey: 'b',
          state: 'FAILED',
          attempt: anAttempt({ state: 'FAILED', startedAt: 1, finishedAt: 9 }),
        }),
        aTaskRun(2, 0, { state: 'SUCCEEDED', attempt: ended(50, 70) }),
        aTaskRun(3, 0, { state: 'SUCCEEDED', attempt: ended(50, 99) }),
      ],
    });
    expect(await store.taskRuns.durations('default')).toEqual([
      { pipeline: 'work', taskKey: 'a', durationMs: 30 },
      { pipeline: 'work', taskKey: 'a', durationMs: 20 },
    ]);
    expect(await store.taskRuns.durations('other')).toEqual([]);
  });

  it('gives a pool another scheduler, which remembers nothing, and a shadow', async () => {
    await store.pools.ensure({
      name: 'default',
      scheduler: 'priority',
      schedulerConfig: {},
      schedulerMemory: null,
      shadow: null,
      idempotent: null,
    });
    const commit = committer(store, await ownerOf(store));
    await commit({ schedulerMemory: { turn: 3 } });
    expect(await store.pools.byName('default')).toMatchObject({
      schedulerMemory: { turn: 3 },
      shadow: null,
      idempotent: null,
    });
    const shadow = { scheduler: 'spread', config: { by: 'zone' } };
    await commit({ schedulerMemory: 1, poolUpdate: { scheduler: 'bin-packing', config: { a: 1 }, shadow } });
    const changed = { scheduler: 'bin-packing', schedulerConfig: { a: 1 }, schedulerMemory: null };
    expect(await store.pools.byName('default')).toMatchObject({ ...changed, shadow });
    await commit({ poolUpdate: { scheduler: 'bin-packing', config: { a: 1 }, shadow: null } });
    expect(await store.pools.all()).toMatchObject([{ ...changed, shadow: null, idempotent: null }]);
  });

  it('keeps how placements were decided, and forgets the oldest', async () => {
    const commit = committer(store, await ownerOf(store));
    const decision = (at: number, call: string | null) => ({
      at,
      scheduler: 'priority',
      version: '1.0.0',
      configHash: 'abc',
      seed: 4_294_967_295,
      offered: 2,
      placed: 1,
      call,
    });
    await commit({ decision: decision(5, 'x'.repeat(100)) });
    await commit({});
    await commit({ decision: decision(5, null) });
    await commit({ decision: decision(6, 'y'.repeat(100)) });
    expect(await store.decisions.bySeq('default', 1)).toEqual({
      pool: 'default',
      seq: 1,
      ...decision(5, 'x'.repeat(100)),
    });
    expect(await store.decisions.bySeq('default', 2)).toBeNull();
    expect((await store.decisions.madeAt('default', 5)).map(({ seq }) => seq)).toEqual([1, 3]);
    expect((await store.decisions.latest('default', 9)).map(({ seq }) => seq)).toEqual([4, 1]);
    await store.decisions.trim('default', { decisions: 3, characters: 200 });
    expect(await store.decisions.bySeq('default', 1)).not.toBeNull();
    await commit({ decision: decision(7, 'z'.repeat(101)) });
    await store.decisions.trim('default', { decisions: 4, characters: 200 });
    expect((await store.decisions.latest('default', 9)).map(({ seq }) => seq)).toEqual([5]);
  });

  it('keeps commands in order until they have a receipt', async () => {
    const trigger = {
      type: 'TRIGGER_RUN',
      run: idOf(1),
      pipeline: 'work',
      version: 1,
      params: { secret: 'hush', n: 1 },
      priority: 2,
    } as const;
    const retry = { type: 'RETRY_RUN', of: idOf(1), run: idOf(2), from: 'TASKS', tasks: ['a'] } as const;
    const [first, second] = await store.commands.append([
      { ...cancel(1), command: trigger },
      { ...cancel(2), command: retry },
    ]);
    await store.commands.append([{ ...cancel(3), pool: 'other' }]);
    expect(second!.id).toBeGreaterThan(first!.id);
    expect(await store.commands.pending('default', 0, 10)).toEqual([
      { id: first!.id, pool: 'default', command: trigger, actor: 'someone', at: 1 },
      { id: second!.id, pool: 'default', command: retry, actor: 'someone', at: 2 },
    ]);
    expect(await store.commands.pending('default', first!.id, 10)).toHaveLength(1);
    expect(await store.commands.pending('default', 0, 1)).toHaveLength(1);

    const refused = { ok: false, code: 'RUN_NOT_FOUND', message: 'No such run.' } as const;
    await committer(store, await ownerOf(store))({ receipts: [{ command: first!.id, receipt: refused }] });
    expect(await store.commands.receipt(first!.id)).toEqual(refused);
    expect(await store.commands.receipt(second!.id)).toBeNull();
    expect(await store.commands.receipt(999)).toBeNull();
    expect((await store.commands.pending('default', 0, 10)).map(({ id }) => id)).toEqual([second!.id]);
  });

  it('stores a command once per actor and idempotency key, however often and however different it comes', async () => {
    const long = 'k'.repeat(5_000);
    const [first, again, others] = await store.commands.append([
      cancel(1, 'k'),
      cancel(2, 'k'),
      cancel(3, 'k', 'another'),
    ]);
    expect([first!.repeated, again!.repeated, others!.repeated]).toEqual([false, true, false]);
    expect(again).toMatchObject({ id: first!.id, command: { run: idOf(1) }, receipt: null });
    await committer(store, await ownerOf(store))({ receipts: [{ command: first!.id, receipt: { ok: true } }] });
    expect(await store.commands.append([cancel(4, 'k')])).toEqual([
      { id: first!.id, command: cancel(1).command, receipt: { ok: true }, repeated: true },
    ]);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => store.commands.append([cancel(index, long)])),
    );
    expect(new Set(answers.map(([answer]) => answer!.id)).size).toBe(1);
    expect(answers.filter(([answer]) => !answer!.repeated)).toHaveLength(1);
    // One record per command that was stored: k twice, the long one once.
    expect((await store.audit.page({ first: 10 })).rows).toHaveLength(3);
  });

  it('finds audit records by who did what to what, page by page', async () => {
    const record = { at: 1, actor: 'ann', action: 'run.cancel', subject: 'one', details: {} };
    const subjects = ['one', 'two', 'three', 'two', 'two'];
    for (const [at, subject] of subjects.entries()) await store.audit.append({ ...record, at, subject });
    await store.audit.append({ ...record, actor: 'Ann', subject: 'two' });
    const filter = { actor: 'ann', action: 'run.cancel', subject: 'two' };
    const first = await store.audit.page({ first: 2 }, filter);
    expect(first.rows.map(({ row: { at } }) => at)).toEqual([4, 3]);
    const rest = await store.audit.page({ first: 2, after: first.rows[1]!.cursor }, filter);
    expect(rest).toMatchObject({ rows: [{ row: { at: 1, subject: 'two' } }], hasNextPage: false });
    expect((await store.audit.page({ first: 9 }, { action: 'run.retry' })).rows).toEqual([]);
    expect((await store.audit.page({ first: 9 }, {})).rows).toHaveLength(6);
  });

  it('audits commands without their params', async () => {
    const params = { password: 'canary' };
    const command = { type: 'TRIGGER_RUN', run: idOf(1), pipeline: 'work', version: 3, params, priority: 0 } as const;
    const [stored] = await store.commands.append([{ ...cancel(9), command }]);
    const { rows } = await store.audit.page({ first: 10 });
    expect(rows.map(({ row }) => row)).toEqual([
      {
        id: expect.any(Number),
        at: 9,
        actor: 'someone',
        action: 'run.trigger',
        subject: idOf(1),
        details: { pipeline: 'work', version: 3, priority: 0, pool: 'default', command: stored!.id },
      },
    ]);
  });

  it('makes a pipeline version only of what is new, and counts on after a deletion', async () => {
    const facts = (hash: string, at: number) => ({ source: `# ${hash}`, hash, actor: 'author', at });
    const one = aDefinition([aTask('a', { forEach: [1, 'x'], tolerations: [{ key: 'k' }], timeoutMs: 5 })], {
      params: { n: { type: 'integer', description: '', default: 1, options: [1, 2] } },
    });
    const first = await store.pipelines.apply(one, facts('1', 10));
    expect(first).toEqual({
      created: true,
      version: {
        pipeline: 'work',
        number: 1,
        definition: one,
        source: '# 1',
        hash: '1',
        createdAt: 10,
        createdBy: 'author',
      },
    });
    expect(await store.pipelines.apply(one, facts('1', 11))).toEqual({ created: false, version: first.version });
    expect((await store.pipelines.apply(aDefinition([]), facts('2', 12))).version.number).toBe(2);
    expect((await store.pipelines.apply(one, facts('1', 13))).version.number).toBe(3);
    expect(await store.pipelines.setPaused('work', true, 'author', 14)).toBe(true);
    expect(await store.pipelines.byNames(['none', 'work'])).toEqual([
      null,
      { name: 'work', latestVersion: 3, paused: true, createdAt: 10, updatedAt: 14 },
    ]);

    expect(await store.pipelines.delete('work', 'author', 15)).toBe(true);
    expect(await store.pipelines.delete('work', 'author', 16)).toBe(false);
    expect(await store.pipelines.setPaused('work', false, 'author', 16)).toBe(false);
    expect(await store.pipelines.byNames(['work'])).toEqual([null]);
    expect(await store.pipelines.count({})).toBe(0);
    const keys = [
      { pipeline: 'work', number: 9 },
      { pipeline: 'work', number: 1 },
    ];
    expect(await store.pipelines.versions(keys)).toEqual([null, first.version]);

    expect((await store.pipelines.apply(one, facts('1', 17))).version.number).toBe(4);
    expect(await store.pipelines.byNames(['work'])).toEqual([
      { name: 'work', latestVersion: 4, paused: false, createdAt: 17, updatedAt: 17 },
    ]);
    const actions = (await store.audit.page({ first: 20 })).rows.map(({ row }) => row.action).reverse();
    const apply = 'pipeline.apply';
    expect(actions).toEqual([apply, apply, apply, 'pipeline.pause', 'pipeline.delete', apply]);
  });

  it('gives versions of their own to those who apply at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        store.pipelines.apply(aDefinition([aTask(`t${index}`)]), {
          source: null,
          hash: `${index}`,
          actor: 'a',
          at: index,
        }),
      ),
    );
    expect(answers.map(({ version }) => version.number).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await store.pipelines.byNames(['work']))[0]?.latestVersion).toBe(6);
  });

  it('stores each log chunk once, in the order of attempts and sequences', async () => {
    await committer(store, await ownerOf(store))({ createdRuns: [aRun(1)] });
    const chunk = (number: number, seq: number, text = `${number}.${seq}`): LogChunk => ({
      attempt: attemptId(idOf(1), 4, number),
      seq,
      stream: seq % 2 ? 'STDOUT' : 'STDERR',
      at: 10 * seq,
      text,
    });
    const taskRun = { run: idOf(1), ordinal: 4 };
    await store.logs.append([chunk(2, 1), chunk(1, 2), chunk(1, 1)]);
    await store.logs.append([chunk(1, 2, 'a lie'), chunk(2, 2, 'ä🦆\u0000\uFFFD'), chunk(2, 1, 'a lie')]);
    const read = await store.logs.read(taskRun, { number: 0, seq: 0 }, 10);
    expect(read).toEqual([chunk(1, 1), chunk(1, 2), chunk(2, 1), chunk(2, 2, 'ä🦆\u0000\uFFFD')]);
    expect(await store.logs.read(taskRun, { number: 1, seq: 1 }, 2)).toEqual([chunk(1, 2), chunk(2, 1)]);
    expect(await store.logs.read({ ...taskRun, ordinal: 5 }, { number: 0, seq: 0 }, 9)).toEqual([]);
    expect(await store.logs.read({ ...taskRun, run: idOf(2) }, { number: 0, seq: 0 }, 9)).toEqual([]);

    const large = 'x'.repeat(700_000);
    await store.logs.append([chunk(3, 1, large), chunk(3, 2, large), chunk(3, 3, large)]);
    expect((await store.logs.read(taskRun, { number: 3, seq: 1 }, 9)).map(({ text }) => text.length)).toEqual([
      700_000, 700_000,
    ]);

    await store.logs.append([{ ...chunk(1, 9), attempt: attemptId(idOf(77), 0, 1) }, chunk(4, 1)]);
    expect(await store.logs.read(taskRun, { number: 4, seq: 0 }, 9)).toHaveLength(1);
    expect(warnings).toEqual([expect.stringMatching(/Dropped 1 log chunks/)]);
  });

  it('counts the incarnations of a node, also of one that it has never seen', async () => {
    expect(await store.nodes.nextIncarnation('node-1')).toBe(1);
    const more = await Promise.all([1, 2, 3].map(() => store.nodes.nextIncarnation('node-1')));
    expect([...more].sort((a, b) => a - b)).toEqual([2, 3, 4]);
    expect(await store.nodes.nextIncarnation('node-2')).toBe(1);
  });

  it('shows nodes as the engine left them', async () => {
    const node = aNode('node-1', {
      capacity: { cpu: 4_000, memory: 17_179_869_184, slots: 3 },
      reserved: { cpu: 500, memory: 8_589_934_592, slots: 0 },
      labels: { zone: 'a' },
      taints: [
        { key: 'gpu', effect: 'NO_SCHEDULE' },
        { key: 'x', value: 'y', effect: 'NO_SCHEDULE' },
      ],
      runners: [{ name: 'shell', version: '1.0.0', health: 'UNHEALTHY', message: 'no sh', enforces: ['cpu'] }],
      connection: 'SUSPECT',
      eligibility: 'CORDONED',
      incarnation: 3,
      runningCount: 2,
    });
    await committer(store, await ownerOf(store))({ nodes: [node, aNode('node-2', { pool: 'other' })] });
    expect(await store.nodes.byNames(['node-9', 'node-1'])).toEqual([null, node]);
    expect(await store.nodes.ofPool('default')).toEqual([node]);
  });

  it('makes a pool once', async () => {
    const pool = {
      name: 'default',
      scheduler: 'priority',
      schedulerConfig: { a: [1] },
      schedulerMemory: null,
      shadow: null,
      idempotent: null,
    };
    await store.pools.ensure(pool);
    await store.pools.ensure({ ...pool, scheduler: 'round-robin' });
    expect(await store.pools.all()).toEqual([pool]);
    expect(await store.pools.byName('none')).toBeNull();
  });

  it('keeps tokens by hash, one per name, until they are revoked', async () => {
    const token = (id: string, name: string): Token => ({
      id,
      name,
      role: 'OPERATOR',
      prefix: 'gnt_ab',
      createdAt: 1,
      expiresAt: 99,
      revokedAt: null,
      lastUsedAt: null,
    });
    await store.tokens.put(token('1', 'ci'), 'hash-1');
    await store.tokens.put(token('2', 'other'), 'hash-2');
    await store.tokens.put(token('3', 'ci'), 'hash-3');
    expect(await store.tokens.byHash('hash-1')).toBeNull();
    expect(await store.tokens.byHash('HASH-3')).toBeNull();
    expect(await store.tokens.byHash('hash-3')).toEqual(token('3', 'ci'));
    await store.tokens.touched(['2', '3'], 50);
    await store.tokens.touched([], 51);
    expect(await store.tokens.revoke('3', 60, 'admin')).toBe(true);
    expect(await store.tokens.revoke('3', 61, 'admin')).toBe(false);
    expect(await store.tokens.revoke('9', 61, 'admin')).toBe(false);
    expect(await store.tokens.all()).toEqual([
      { ...token('3', 'ci'), lastUsedAt: 50, revokedAt: 60 },
      { ...token('2', 'other'), lastUsedAt: 50 },
    ]);
    const { rows } = await store.audit.page({ first: 5 });
    expect(rows.map(({ row }) => [row.action, row.subject, row.actor])).toEqual([['token.revoke', 'ci', 'admin']]);
  });

  it('takes text that looks like SQL as text', async () => {
    const payloads = [
      "'; DROP TABLE run; --",
      '" OR 1=1 #',
      "\\'; DELETE FROM node; --",
      '`; TRUNCATE audit; /*',
      '?? ? :a $1 @x',
      '%_\\',
      '\u0000\u001a\n\r\u2028',
      '💥 é ＇',
      '${1+1}{"a":1}',
    ];
    await applyWork(store);
    const commit = committer(store, await ownerOf(store, "po'ol"));
    const [run] = [aRun(1, { pool: "po'ol", reason: { code: 'X', message: payloads.join('') } })];
    await commit({
      createdRuns: [run!],
      nodes: payloads.map((payload) => aNode(payload, { labels: { [payload]: payload } })),
    });
    await commit({ changedRuns: [{ ...run!, reason: { code: payloads[0]!, message: payloads[2]! } }] });
    const reads = await store.runs.byIds([run!.id]);
    expect(reads[0]?.reason).toEqual({ code: payloads[0], message: payloads[2] });
    const nodes = await store.nodes.byNames(payloads);
    expect(nodes.map((node) => node?.labels)).toEqual(payloads.map((payload) => ({ [payload]: payload })));
    for (const payload of payloads) {
      expect(await store.runs.count({ pipeline: payload, pool: payload, states: [payload as never] })).toBe(0);
      expect(await store.pipelines.count({ search: payload })).toBe(0);
      expect(await store.taskRuns.onNode(payload, 5)).toEqual([]);
      expect(await store.runs.byIds([payload as never])).toEqual([null]);
      const [command] = await store.commands.append([cancel(1, payload, payload)]);
      expect(await store.commands.append([cancel(2, payload, payload)])).toEqual([{ ...command!, repeated: true }]);
      await store.audit.append({
        at: 1,
        actor: payload,
        action: payload,
        subject: payload,
        details: { [payload]: payload },
      });
      const [last] = (await store.audit.page({ first: 1 })).rows;
      expect(last?.row).toMatchObject({ actor: payload, details: { [payload]: payload } });
    }
    expect(await store.runs.count({})).toBe(1);
    expect(await store.nodes.count({})).toBe(payloads.length);
  });

  it('answers a ping', async () => {
    expect(await store.ping(5_000)).toBe(true);
    await store.close();
    expect(await store.ping(5_000)).toBe(false);
  });
});
