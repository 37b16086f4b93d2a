import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, openSync, rmSync, writeSync, closeSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { systemClock, type Clock } from '../../server/clock.ts';
import { examine } from '../../server/maintenance/doctor.ts';
import type { Finding } from '../../server/maintenance/finding.ts';
import { inspect } from '../../server/store/dialect/inspect.ts';
import { openStore } from '../../server/store/open.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { keepFolderRecord } from '../../server/folder-match.ts';

let database: TestDatabases;
const folders: string[] = [];

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-doctor-'));
  folders.push(folder);
  return folder;
}
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** What a statement does to a healthy database, by an administrator's hand. */
async function meddle(url: string, statement: string): Promise<void> {
  const inspection = await inspect(url);
  await sql
    .raw('PRAGMA query_only = OFF')
    .execute(inspection.db)
    .catch(() => undefined);
  await sql.raw(statement).execute(inspection.db);
  await inspection.close();
}

describe.each(databases)('the doctor, of $name,', ({ name, start }) => {
  let dataDir: string;
  let databaseUrl: string;

  beforeAll(async () => {
    database = await start();
  }, 60_000);
  afterAll(() => database.stop());

  async function aHealthyOne(): Promise<void> {
    dataDir = freshFolder();
    databaseUrl = await database.fresh();
    const store = await openStore({ url: databaseUrl, clock: systemClock });
    await store.leases.acquire('default', 'me', 1);
    await keepFolderRecord(dataDir, store.identity);
    await store.identity.closed();
    await store.close();
  }
  const found = async (clock: Clock = systemClock, isDeep = false): Promise<readonly Finding[]> =>
    (await examine({ dataDir, databaseUrl, version: '0' }, clock, isDeep)).filter(({ status }) => status !== 'OK');

  it('finds nothing wrong with what is healthy', async () => {
    await aHealthyOne();
    expect(await found(systemClock, true)).toEqual([]);
  });

  it('finds an index and a table that are missing', async () => {
    await aHealthyOne();
    await meddle(databaseUrl, name === 'SQLite' ? 'DROP INDEX run_created' : 'DROP INDEX run_created ON run');
    await meddle(databaseUrl, 'DROP TABLE attempt_usage');
    expect(await found()).toEqual([
      {
        check: 'schema',
        status: 'FAILURE',
        message: 'The schema is incomplete: table attempt_usage, index run_created missing.',
        remedy: expect.stringContaining('gantry restore'),
      },
    ]);
  });

  it('finds rows without an owner and runs that ended before their task runs', async () => {
    await aHealthyOne();
    await meddle(
      databaseUrl,
      "INSERT INTO run VALUES (7, 'r', 'default', 'p', 1, '{}', 0, 'MANUAL', 'me', NULL, 1, 'SUCCEEDED', 1, 2, NULL, 1, 1, 0, 1)",
    );
    await meddle(
      databaseUrl,
      "INSERT INTO task_run (run_key, ordinal, task_key, state, failures, losses, revision) VALUES (7, 0, 't', 'RUNNING', 0, 0, 1), (8, 0, 't', 'RUNNING', 0, 0, 1)",
    );
    expect(await found()).toMatchObject([
      { check: 'orphans', status: 'WARNING', message: 'Rows are left over: 1 of task_run without run.' },
      {
        check: 'invariants',
        status: 'FAILURE',
        message: '1 runs have ended before their task runs, 1 have no pipeline version.',
      },
    ]);
  });

  it('finds a database of a newer Gantry', async () => {
    await aHealthyOne();
    await meddle(databaseUrl, "INSERT INTO migration (number, name, applied_at) VALUES (999, 'later', 1)");
    expect(await found()).toMatchObject([{ check: 'version', status: 'FAILURE' }]);
  });

  it('finds a clock that is behind', async () => {
    await aHealthyOne();
    await meddle(
      databaseUrl,
      `INSERT INTO event (pool, seq, epoch, at, body) VALUES ('default', 1, 1, ${Date.now() + 3_600_000}, '{}')`,
    );
    expect(await found()).toMatchObject([
      { check: 'clock', status: 'FAILURE', message: expect.stringContaining('is in the future') },
    ]);
  });

  it('finds a folder that others can read, and one that is missing', async () => {
    await aHealthyOne();
    const { chmodSync } = await import('node:fs');
    chmodSync(dataDir, 0o755);
    expect(await found()).toMatchObject([{ check: 'data folder', status: 'WARNING', remedy: `chmod 700 ${dataDir}` }]);
    dataDir = join(dataDir, 'missing');
    expect(await found()).toMatchObject([{ check: 'data folder', status: 'FAILURE' }]);
  });

  it('says that a database cannot be reached', async () => {
    await aHealthyOne();
    databaseUrl = name === 'SQLite' ? `sqlite:${join(dataDir, 'no.db')}` : `${databaseUrl}x`;
    expect(await found()).toMatchObject([{ check: 'database', status: 'FAILURE' }]);
  });
});

describe('the doctor', () => {
  it('finds damaged pages of an SQLite file', async () => {
    const dataDir = freshFolder();
    const file = join(dataDir, 'gantry.db');
    const store = await openStore({ url: `sqlite:${file}`, clock: systemClock });
    for (let at = 0; at < 300; at++)
      await store.audit.append({ at, actor: 'me', action: 'x'.repeat(200), subject: 's', details: {} });
    await store.close();
    const { size } = statSync(file);
    const handle = openSync(file, 'r+');
    for (let page = 10; page < size / 4096; page += 3) writeSync(handle, Buffer.alloc(600, 0xa5), 0, 600, page * 4096);
    closeSync(handle);
    const findings = await examine({ dataDir, databaseUrl: `sqlite:${file}`, version: '0' }, systemClock, true);
    expect(findings.filter(({ status }) => status === 'FAILURE')).toMatchObject([
      { check: 'integrity', message: expect.stringContaining('damaged') },
    ]);
  });
});
