import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreUnavailable } from '../../server/store/store.ts';
import { databases, startMariadb } from '../support/databases.ts';
import { aChange, aNode, applyWork, aRun, aTaskRun, committer, idOf, open, ownerOf } from './rows.ts';

describe('a database URL', () => {
  it.each([
    ['postgres://user:canary@host/db', /scheme postgres:.*sqlite:PATH or mysql:/],
    ['', /scheme none/],
    ['gantry.db', /scheme none/],
    ['sqlite:', /names no file/],
    ['sqlite://gantry.db', /names no file/],
    ['mysql://user:canary@host', /names no database/],
    ['mysql://host/db', /names no user/],
    ['mysql://user:canary@/db', /cannot be read|names no host/],
    ['mysql://user:canary@host/db?ssl=1', /unknown parameter ssl/],
    ['mysql://user:%E0%A4%A@host/db', /cannot be read/],
  ])('%j is refused with a sentence that shows no password', async (url, message) => {
    const error: unknown = await open(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'InvalidDatabaseUrl', message: expect.stringMatching(message) });
    expect(String(error)).not.toContain('canary');
  });

  it('of a server that is not there is StoreUnavailable', async () => {
    await expect(open('mysql://user:canary@127.0.0.1:1/db')).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(open('mysql://user@localhost/db?socketPath=/nowhere.sock')).rejects.toBeInstanceOf(StoreUnavailable);
  });
});

describe('an SQLite store', () => {
  let folder: string;
  let path: string;
  let url: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gantry-open-'));
    path = join(folder, 'data', 'gantry.db');
    url = `sqlite:${path}`;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Changes the closed database behind the store's back. */
  function meddle(...statements: readonly string[]): void {
    const database = new DatabaseSync(path);
    for (const statement of statements) database.exec(statement);
    database.close();
  }

  it('makes its folder and a file that only its owner may read', async () => {
    await (await open(url)).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700);
  });

  it('is durable: WAL with synchronous FULL', async () => {
    const store = await open(url);
    expect(existsSync(`${path}-wal`)).toBe(true);
    await store.close();
  });

  it('is opened by one server at a time, also under another name of the file', async () => {
    const store = await open(url);
    await expect(open(url)).rejects.toThrow(/Another Gantry server has the database .* open/);
    symlinkSync(path, join(folder, 'link.db'));
    symlinkSync(join(folder, 'data'), join(folder, 'elsewhere'));
    await expect(open(`sqlite:${join(folder, 'link.db')}`)).rejects.toThrow(/Another Gantry server/);
    await expect(open(`sqlite:${join(folder, 'elsewhere', 'gantry.db')}`)).rejects.toThrow(/Another Gantry server/);
    await store.close();
    await (await open(url)).close();
  });

  it('lives in memory on request', async () => {
    const store = await open('sqlite::memory:');
    const commit = committer(store, await ownerOf(store));
    await Promise.all([
      applyWork(store),
      commit({ createdRuns: [aRun(1)] }),
      store.runs.count({}),
      applyWork(store, 'b'),
    ]);
    expect(await store.runs.unfinished('default')).toHaveLength(1);
    await store.close();
  });

  it('finds everything again after it was closed, and refuses to work once it is', async () => {
    const store = await open(url);
    await committer(store, await ownerOf(store))({ nodes: [aNode('node-1')] });
    await Promise.all([store.close(), store.close()]);
    for (const use of [
      () => store.nodes.count({}),
      () => applyWork(store),
      () => store.commit({ name: 'default', holder: 'me', epoch: 1, seq: 1, writtenSeq: 0 }, 2, aChange()),
    ]) {
      await expect(use()).rejects.toThrow(StoreUnavailable);
    }
    const again = await open(url);
    expect(await again.nodes.byNames(['node-1'])).toEqual([aNode('node-1')]);
    await again.close();
  });

  it('refuses a file that is no database, and leaves it alone', async () => {
    await (await open(url)).close();
    rmSync(`${path}-wal`, { force: true });
    writeFileSync(path, 'not a database, but long enough to be taken for one '.repeat(100));
    await expect(open(url)).rejects.toThrow(/not an SQLite database/);
    expect(statSync(path).size).toBe(5_200);
  });

  it('refuses a folder that it cannot make', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(open(`sqlite:${join(folder, 'file', 'gantry.db')}`)).rejects.toThrow(StoreUnavailable);
  });

  it('names table and key of a corrupt row once, and reads what can be read', async () => {
    const store = await open(url);
    await applyWork(store);
    await committer(
      store,
      await ownerOf(store),
    )({
      createdRuns: [aRun(1, { taskRunCount: 1 })],
      createdTaskRuns: [aTaskRun(1, 0)],
      nodes: [aNode('node-1')],
    });
    await store.close();
    meddle(
      'UPDATE node SET labels = \'{"a":1}\'',
      'UPDATE event SET body = \'{"runs":[1]}\'',
      "UPDATE task_run SET state = 'LIMBO', outputs = '['",
      "UPDATE run SET params = '[]'",
      "UPDATE pipeline_version SET definition = '{}'",
    );
    const told: string[] = [];
    const again = await open(url, { log: (_, message) => told.push(message) });
    const place = { run: idOf(1), ordinal: 0 };
    for (let round = 0; round < 2; round++) {
      expect(await again.nodes.byNames(['node-1'])).toMatchObject([{ name: 'node-1', labels: {} }]);
      expect(await again.events.after('default', 0, 9)).toMatchObject([{ seq: 1, runs: [], taskRuns: [] }]);
      expect(await again.taskRuns.byIds([place])).toMatchObject([{ taskKey: 'a', state: 'FAILED', outputs: null }]);
      const reason = { code: 'STORED_ROW_UNREADABLE' };
      expect(await again.runs.byIds([idOf(1)])).toMatchObject([{ state: 'FAILED', params: {}, reason }]);
      const [version] = await again.pipelines.versions([{ pipeline: 'work', number: 1 }]);
      expect(version).toMatchObject({ number: 1, definition: { name: 'work', tasks: [] } });
    }
    expect(told.filter((message) => message.includes('corrupt'))).toEqual([
      expect.stringMatching(/table node, key node-1, column labels.* at a/),
      expect.stringMatching(/table event, key default 1, column body/),
      expect.stringMatching(/table task_run, key .*\.0, column state: "LIMBO"/),
      expect.stringMatching(/table run, key .*, column params/),
      expect.stringMatching(/table pipeline_version, key work 1/),
    ]);
    await expect(again.runs.unfinished('default')).rejects.toThrow(/table run, key .*, column params/);
    expect(await again.events.last('default')).toBe(1);
    await again.close();
  });

  it('writes nothing of a commit that fails at its last row, and goes on afterwards', async () => {
    const store = await open(url);
    const lease = await ownerOf(store);
    await store.close();
    meddle("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(FAIL, 'no more events'); END");
    const again = await open(url);
    const change = aChange({ createdRuns: [aRun(1)] });
    await expect(again.commit(lease, 1, change)).rejects.toThrow(/no more events/);
    expect(await again.runs.count({})).toBe(0);
    await again.close();
    meddle('DROP TRIGGER full');
    const last = await open(url);
    await last.commit(lease, 1, change);
    expect(await last.runs.count({})).toBe(1);
    await last.close();
  });
});

describe.each(databases)('migrations on $name', ({ start }) => {
  it('are applied once, by whoever comes first, and a newer database is refused', async () => {
    const places = await start();
    try {
      const url = await places.fresh();
      // On SQLite only one of them gets the file; on a server all wait for one another.
      const opened = await Promise.allSettled([open(url), open(url), open(url)]);
      const stores = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect(stores.length).toBeGreaterThanOrEqual(1);
      for (const each of opened) if (each.status === 'rejected') expect(each.reason).toBeInstanceOf(StoreUnavailable);
      await applyWork(stores[0]!);
      await Promise.all(stores.map((store) => store.close()));

      const { connect } = await import('../../server/store/dialect/connect.ts');
      const { systemClock } = await import('../../server/clock.ts');
      const timeouts = { statementMs: 5_000, acquireMs: 5_000, connectMs: 5_000 };
      const connection = await connect(url, { clock: systemClock, log: () => {}, timeouts });
      const future = { number: 999, name: 'from-the-future', applied_at: 1 };
      expect(await connection.reader.selectFrom('migration').select('name').execute()).toEqual([
        { name: 'initial' },
        { name: 'decisions' },
        { name: 'attempt usage' },
        { name: 'task run state' },
        { name: 'node records' },
        { name: 'database identity' },
        { name: 'retention' },
        { name: 'outcomes' },
      ]);
      await connection.writer.insertInto('migration').values(future).execute();
      await connection.close();
      await expect(open(url)).rejects.toThrow(/at migration 999.*newer/);
    } finally {
      await places.stop();
    }
  });

  it('give nodes that were there before nodes had a history the one thing that is known of it', async () => {
    const places = await start();
    try {
      const url = await places.fresh();
      const store = await open(url);
      const nodes = ['node-1', 'node-2'].map((name, index) =>
        aNode(name, { registeredAt: 70 + index, incarnation: 9 }),
      );
      await committer(store, await ownerOf(store))({ nodes });
      await store.close();
      const { connect } = await import('../../server/store/dialect/connect.ts');
      const { systemClock } = await import('../../server/clock.ts');
      const timeouts = { statementMs: 5_000, acquireMs: 5_000, connectMs: 5_000 };
      const connection = await connect(url, { clock: systemClock, log: () => {}, timeouts });
      await connection.writer.schema.dropTable('node_record').execute();
      await connection.writer.deleteFrom('migration').where('number', '>=', 5).execute();
      await connection.close();
      for (let times = 0; times < 2; times++) {
        const again = await open(url);
        const pages = ['node-1', 'node-2'].map((name) => again.nodeRecords.page(name, { first: 9 }));
        const rows = (await Promise.all(pages)).map((page) => page.rows.map(({ row }) => row));
        const came = { type: 'REGISTERED', incarnation: 1, actor: null, message: null };
        expect(rows).toEqual([[{ node: 'node-1', at: 70, ...came }], [{ node: 'node-2', at: 71, ...came }]]);
        await again.close();
      }
    } finally {
      await places.stop();
    }
  });
});

describe('a MariaDB store', () => {
  it('warns when the server may lose what it has acknowledged', async () => {
    const server = await startMariadb(['--innodb-flush-log-at-trx-commit=2']);
    try {
      const warnings: string[] = [];
      const store = await open(await server.fresh(), {
        log: (level, message) => warnings.push(`${level}: ${message}`),
      });
      await store.close();
      expect(warnings).toEqual([expect.stringMatching(/^warn: innodb_flush_log_at_trx_commit is 2/)]);
    } finally {
      await server.stop();
    }
  });
});
