import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreUnavailable, type HeldLease, type Store } from '../../server/store/store.ts';
import { type MariadbServer, startMariadb } from '../support/databases.ts';
import { aChange, applyWork, aRun, aTaskRun, committer, idOf, open, ownerOf } from './rows.ts';

/** Short, so that a silent server is noticed soon; long enough for a busy machine. */
const TIMEOUTS = { statementMs: 1_000, acquireMs: 1_000, connectMs: 1_000 };

let server: MariadbServer;
let url: string;
let store: Store;
let lease: HeldLease;

beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server.stop());
beforeEach(async () => {
  url = await server.fresh();
  store = await open(url, { timeouts: TIMEOUTS });
  lease = await ownerOf(store);
});
afterEach(() => store.close());

const wish = (pool: string, number: number) => ({
  pool,
  command: { type: 'CORDON_NODE', node: `node-${number}` } as const,
  actor: 'someone',
  at: number,
});
const databaseOf = (of: string): string => new URL(of).pathname.slice(1);

describe('a MariaDB server that is killed', () => {
  it('has kept every acknowledged commit, and the store works again when it is back', async () => {
    let acknowledged = 0;
    const commit = committer(store, lease);
    const committing = (async () => {
      for (;;) {
        await commit({ createdRuns: [aRun(acknowledged + 1)] });
        acknowledged += 1;
        if (acknowledged === 25) void server.kill();
      }
    })();
    await expect(committing).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(store.runs.count({})).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(store.logs.append([])).resolves.toBeUndefined();
    await expect(applyWork(store)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await store.ping(500)).toBe(false);

    await server.restart();
    expect(await store.ping(5_000)).toBe(true);
    const next = await ownerOf(store);
    // The last one may have been stored without an answer.
    expect([acknowledged, acknowledged + 1]).toContain(next.seq);
    expect(await store.runs.count({})).toBe(next.seq);
    await store.commit(next, next.seq + 1, aChange());
    expect(await store.events.last('default')).toBe(next.seq + 1);
  });
});

describe('a MariaDB server that does not answer', () => {
  it('is StoreUnavailable within the time-outs for all who wait, and nobody waits afterwards', async () => {
    await applyWork(store);
    server.freeze();
    try {
      const waiting = [
        ...Array.from({ length: 40 }, (_, index) => store.runs.byIds([idOf(index)])),
        ...Array.from({ length: 5 }, () => applyWork(store, 'other')),
        ...Array.from({ length: 5 }, (_, index) => store.commands.append([wish('default', index)])),
        store.leases.renew(lease, 1_000),
        store.ping(100).then((isAlive) => (isAlive ? undefined : Promise.reject(new StoreUnavailable('no ping')))),
      ];
      const outcomes = await Promise.allSettled(waiting);
      expect(outcomes.map((each) => each.status === 'rejected' && each.reason instanceof StoreUnavailable)).toEqual(
        outcomes.map(() => true),
      );
      await expect(store.commit(lease, 1, aChange())).rejects.toBeInstanceOf(StoreUnavailable);
    } finally {
      server.thaw();
    }
    const next = await ownerOf(store);
    await store.commit(next, next.seq + 1, aChange({ createdRuns: [aRun(1)] }));
    expect(await store.runs.byIds([idOf(1)])).toEqual([aRun(1)]);
    expect(await store.pipelines.byNames(['work'])).toEqual([expect.objectContaining({ name: 'work' })]);
  });
});

describe('a transaction that the database breaks off', () => {
  /** Waits until a transaction of the store's waits for a lock of ours. */
  async function untilSomebodyWaits(): Promise<void> {
    for (let tries = 0; tries < 500; tries++) {
      const [rows] = await server.administer(undefined, (connection) =>
        connection.query("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"),
      );
      if ((rows as { Value: string }[])[0]!.Value !== '0') return;
      await delay(5);
    }
    throw new Error('Nobody waits for a lock.');
  }

  it('by a deadlock is tried again whole, and takes effect once', async () => {
    await store.commands.append([wish('a', 1), wish('b', 2)]);
    await server.administer(databaseOf(url), async (other) => {
      await other.query('START TRANSACTION');
      // More rows than the store's transaction, so that the store's is the victim.
      await other.query('CREATE TEMPORARY TABLE many AS SELECT seq FROM seq_1_to_500');
      await other.query(
        "INSERT INTO audit (at, actor, action, subject, details) SELECT seq, 'x', 'x', 'x', '{}' FROM seq_1_to_500",
      );
      await other.query("UPDATE command_gate SET appended = appended + 1 WHERE pool = 'b'");
      const appending = store.commands.append([wish('a', 3), wish('b', 4)]);
      await untilSomebodyWaits();
      const deadlocks = async () => {
        const [rows] = await other.query("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'");
        return Number((rows as { Value: string }[])[0]!.Value);
      };
      const before = await deadlocks();
      await other.query("UPDATE command_gate SET appended = appended + 1 WHERE pool = 'a'");
      expect(await deadlocks()).toBe(before + 1);
      await other.query('ROLLBACK');
      expect(await appending).toHaveLength(2);
    });
    expect((await store.commands.pending('a', 0, 10)).map(({ at }) => at)).toEqual([1, 3]);
    expect((await store.commands.pending('b', 0, 10)).map(({ at }) => at)).toEqual([2, 4]);
  });

  it('because a lock is held for too long ends in StoreUnavailable, and leaves nothing behind', async () => {
    await server.administer(databaseOf(url), async (other) => {
      await other.query('START TRANSACTION');
      await other.query("UPDATE lease SET holder = holder WHERE name = 'default'");
      await expect(store.commit(lease, 1, aChange({ createdRuns: [aRun(1)] }))).rejects.toBeInstanceOf(
        StoreUnavailable,
      );
      await other.query('ROLLBACK');
    });
    expect(await store.runs.count({})).toBe(0);
    const next = await ownerOf(store);
    expect(next.seq).toBe(0);
    await store.commit(next, 1, aChange({ createdRuns: [aRun(1)] }));
  });
});

describe('a connection that is lost while COMMIT is under way', () => {
  let proxy: Server;
  let proxied: Store;
  /** What becomes of the next COMMIT on any connection. */
  let fate: 'NONE' | 'ANSWER_LOST' | 'REQUEST_LOST';

  beforeEach(async () => {
    fate = 'NONE';
    const socketPath = new URL(url).searchParams.get('socketPath')!;
    const proxyPath = `${socketPath}-proxy`;
    rmSync(proxyPath, { force: true });
    proxy = createServer((client) => relay(client, connect(socketPath)));
    await new Promise<void>((resolve) => proxy.listen(proxyPath, resolve));
    proxied = await open(url.replace(/socketPath=.*/, `socketPath=${encodeURIComponent(proxyPath)}`), {
      timeouts: TIMEOUTS,
    });
    lease = await ownerOf(proxied);
  });
  afterEach(async () => {
    await proxied.close();
    await new Promise((resolve) => proxy.close(resolve));
  });

  function relay(client: Socket, upstream: Socket): void {
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    let isAnswerLost = false;
    client.on('data', (data) => {
      const isCommit = data.subarray(4).toString('latin1') === '\u0003COMMIT';
      if (isCommit && fate === 'REQUEST_LOST') {
        fate = 'NONE';
        return end();
      }
      if (isCommit && fate === 'ANSWER_LOST') {
        fate = 'NONE';
        isAnswerLost = true;
      }
      return upstream.write(data);
    });
    upstream.on('data', (data) => (isAnswerLost ? end() : client.write(data)));
  }

  it('is acknowledged when the database has stored it', async () => {
    await proxied.commit(
      lease,
      1,
      aChange({ createdRuns: [aRun(1, { taskRunCount: 1 })], createdTaskRuns: [aTaskRun(1, 0)] }),
    );
    fate = 'ANSWER_LOST';
    await proxied.commit(lease, 2, aChange({ changedTaskRuns: [aTaskRun(1, 0, { state: 'CANCELLED' })] }));
    expect(fate).toBe('NONE');
    expect(await proxied.taskRuns.byIds([{ run: idOf(1), ordinal: 0 }])).toEqual([
      expect.objectContaining({ state: 'CANCELLED' }),
    ]);
    await proxied.commit(lease, 3, aChange());
    expect(await proxied.events.last('default')).toBe(3);
  });

  it('is StoreUnavailable when the database has not', async () => {
    fate = 'REQUEST_LOST';
    await expect(proxied.commit(lease, 1, aChange({ createdRuns: [aRun(1)] }))).rejects.toBeInstanceOf(
      StoreUnavailable,
    );
    expect(await proxied.runs.count({})).toBe(0);
    await proxied.commit(lease, 1, aChange({ createdRuns: [aRun(1)] }));
  });
});
