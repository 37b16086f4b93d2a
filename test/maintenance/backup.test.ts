import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../server/clock.ts';
import { maintenanceOf } from '../../server/maintenance/in-thread.ts';
import { checkBackup } from '../../server/store/backup/read-backup.ts';
import { openStore } from '../../server/store/open.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { command, serve, type LiveServer } from './live-server.ts';

// Real servers under load, real databases; each backup is restored into the other kind of database.

const APPLY = `mutation ($yaml: String!) { applyPipeline(input: { yaml: $yaml }) { __typename } }`;
const TRIGGER = `mutation { triggerRun(input: { pipeline: "pair" }) { ... on TriggerRunPayload { run { id } } } }`;
const CREATE_BACKUP = `mutation { createBackup { __typename ... on CreateBackupPayload { backup { name } } } }`;
const RUN = `query ($id: ID!) { run(id: $id) { state taskRuns(first: 10) { nodes { taskKey state outputs } } } }`;
const PIPELINE = `
name: pair
tasks:
  - key: first
    runner: mock
    with: { outputs: { text: "ünïcode \\U0001F600" } }
  - key: second
    needs: [first]
    runner: mock
`;

const folder = mkdtempSync(join(tmpdir(), 'gantry-backup-'));
let count = 0;
const freshFolder = () => join(folder, `data-${(count += 1)}`);

const started: TestDatabases[] = [];
const servers: LiveServer[] = [];
let fresh: Readonly<Record<string, () => Promise<string>>> = {};

beforeAll(async () => {
  for (const { start } of databases) started.push(await start());
  fresh = Object.fromEntries(databases.map(({ name }, at) => [name, () => started[at]!.fresh()]));
}, 60_000);
afterAll(async () => {
  for (const server of servers) await server.kill();
  for (const each of started) await each.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function served(dataDir: string, url: string): Promise<LiveServer> {
  const server = await serve(dataDir, url);
  servers.push(server);
  return server;
}

/** Triggers runs one after the other until it is told to stop; the ids that were acknowledged. */
function keepTriggering(server: LiveServer): { stop(): Promise<void>; readonly acknowledged: string[] } {
  const acknowledged: string[] = [];
  let isOn = true;
  const going = (async () => {
    while (isOn) {
      const { triggerRun } = await server.ask<{ readonly triggerRun: { readonly run: { readonly id: string } } }>(
        TRIGGER,
      );
      acknowledged.push(triggerRun.run.id);
    }
  })();
  return { acknowledged, stop: () => ((isOn = false), going) };
}

const pairs = [
  ['SQLite', 'MariaDB'],
  ['MariaDB', 'SQLite'],
] as const;

describe.each(pairs)('a backup of %s, restored into %s', (from, into) => {
  it('holds every run that was acknowledged before it began, whole, and goes on where it was', async () => {
    const source = await fresh[from]!();
    const dataDir = freshFolder();
    const server = await served(dataDir, source);
    await server.ask(APPLY, { yaml: PIPELINE });
    const load = keepTriggering(server);
    while (load.acknowledged.length < 20) await systemClock.sleep(5);
    const before = [...load.acknowledged];
    const path = join(folder, `${from}.gantry-backup`);
    expect(await command(['backup', '--to', path], dataDir, source)).toEqual({ code: 0, stderr: '' });
    await load.stop();
    await server.stop();
    expect(statSync(path).mode & 0o777).toBe(0o600);

    const target = await fresh[into]!();
    const targetDir = freshFolder();
    expect(await command(['restore', path], targetDir, target)).toEqual({ code: 0, stderr: '' });

    const store = await openStore({ url: target, clock: systemClock });
    const runs = (await store.runs.page({ first: 500 }, {})).rows.map(({ row }) => row);
    const whole = await store.runs.withTaskRuns(runs);
    await store.close();
    expect(runs.map(({ id }) => String(id))).toEqual(expect.arrayContaining(before));
    for (const { run, taskRuns } of whole) {
      expect(taskRuns).toHaveLength(run.taskRunCount);
      expect(taskRuns.filter(({ finishedAt }) => finishedAt !== null)).toHaveLength(run.finishedCount);
    }

    const successor = await served(targetDir, target);
    await successor.ask(TRIGGER);
    for (const id of before) {
      await until(async () => {
        const { run } = await successor.ask<{ readonly run: { readonly state: string } }>(RUN, { id });
        return run.state === 'SUCCEEDED';
      });
    }
    const { run } = await successor.ask<{ readonly run: unknown }>(RUN, { id: before[0] });
    expect(run).toMatchObject({
      taskRuns: { nodes: [{ taskKey: 'first', outputs: { text: 'ünïcode \u{1F600}' } }, {}] },
    });
    await successor.stop();
  }, 90_000);
});

describe('the API of a server', () => {
  it('writes a backup that can be restored, lists it, and examines folder and database', async () => {
    const dataDir = freshFolder();
    const server = await served(dataDir, `sqlite:${join(dataDir, 'gantry.db')}`);
    const created = server.ask<{ readonly createBackup: { readonly backup: { readonly name: string } } }>(
      CREATE_BACKUP,
    );
    expect(await server.ask(CREATE_BACKUP)).toMatchObject({ createBackup: { __typename: 'MaintenanceBusy' } });
    const { name } = (await created).createBackup.backup;
    expect(await server.ask(`{ backups { name } }`)).toEqual({ backups: [{ name }] });
    const { diagnosis } = await server.ask<{ readonly diagnosis: readonly { readonly status: string }[] }>(
      `{ diagnosis { check status message remedy } }`,
    );
    expect(diagnosis.length).toBeGreaterThan(8);
    expect(diagnosis.filter(({ status }) => status !== 'OK')).toEqual([]);
    expect(await server.ask(`{ auditRecords(first: 1) { nodes { action subject } } }`)).toEqual({
      auditRecords: { nodes: [{ action: 'backup.create', subject: name }] },
    });
    await server.stop();
    expect((await command(['restore', join(dataDir, 'backups', name)], freshFolder())).code).toBe(0);
  }, 60_000);
});

describe('maintenance', () => {
  it('does one thing at a time and says so of the next', async () => {
    const dataDir = freshFolder();
    const databaseUrl = `sqlite:${join(dataDir, 'gantry.db')}`;
    await (await openStore({ url: databaseUrl, clock: systemClock })).close();
    const maintenance = maintenanceOf({ dataDir, databaseUrl, version: '0' }, systemClock);
    const first = maintenance.backUp();
    expect([await maintenance.backUp(), await maintenance.examine()]).toEqual([null, null]);
    expect((await first)?.name).toEqual((await maintenance.backups())[0]?.name);
    expect(await maintenance.examine()).not.toBeNull();
  }, 60_000);
});

describe('a restore', () => {
  const path = join(folder, 'good.gantry-backup');
  const sourceDir = join(folder, 'source');

  beforeAll(async () => {
    const server = await served(sourceDir, `sqlite:${join(sourceDir, 'gantry.db')}`);
    await server.ask(APPLY, { yaml: PIPELINE });
    const { triggerRun } = await server.ask<{ readonly triggerRun: { readonly run: { readonly id: string } } }>(
      TRIGGER,
    );
    await until(async () => {
      const { run } = await server.ask<{ readonly run: { readonly state: string } }>(RUN, { id: triggerRun.run.id });
      return run.state === 'SUCCEEDED';
    });
    await command(['backup', '--to', path], sourceDir);
    await server.stop();
  }, 60_000);

  it('refuses a file that is cut off, changed, or no backup, names why, and changes nothing', async () => {
    const bytes = readFileSync(path);
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1]! ^= 0x10;
    const damaged = {
      cut: bytes.subarray(0, bytes.length - 40),
      flipped,
      text: Buffer.from('name: pair\n'),
      empty: Buffer.alloc(0),
    };
    const messages: Record<string, string> = {};
    for (const [name, content] of Object.entries(damaged)) {
      const file = join(folder, name);
      writeFileSync(file, content);
      const dataDir = freshFolder();
      const { code, stderr } = await command(['restore', file], dataDir);
      messages[name] = (JSON.parse(stderr) as { readonly error: { readonly code: string } }).error.code;
      expect(code).toBe(1);
      expect(readdirSync(dataDir).filter((each) => each.startsWith('gantry.db'))).toEqual([]);
    }
    expect(messages).toEqual({
      cut: 'INVALID_BACKUP',
      flipped: 'INVALID_BACKUP',
      text: 'INVALID_BACKUP',
      empty: 'INVALID_BACKUP',
    });
  }, 60_000);

  it('refuses a database that holds something, unless it is told to replace it', async () => {
    const refused = await command(['restore', path], sourceDir);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('DATABASE_IN_USE')]);
    expect(await command(['restore', path, '--replace'], sourceDir)).toMatchObject({ code: 0 });
    const server = await served(sourceDir, `sqlite:${join(sourceDir, 'gantry.db')}`);
    expect(await server.ask(`{ runs(first: 5) { nodes { state } } }`)).toEqual({
      runs: { nodes: [{ state: 'SUCCEEDED' }] },
    });
    await server.stop();
  }, 60_000);

  it('refuses a database that a server uses', async () => {
    const server = await served(sourceDir, `sqlite:${join(sourceDir, 'gantry.db')}`);
    const { code } = await command(['restore', path, '--replace'], sourceDir);
    expect(code).toBe(1);
    expect(await server.ask(`{ runs(first: 5) { nodes { state } } }`)).toMatchObject({ runs: { nodes: [{}] } });
    await server.stop();
  }, 60_000);

  it('gives no number twice that was given before', async () => {
    const target = await fresh['MariaDB']!();
    const dataDir = freshFolder();
    await command(['restore', path], dataDir, target);
    const { header } = await checkBackup(path);
    const store = await openStore({ url: target, clock: systemClock });
    const [appended] = await store.commands.append([
      { pool: 'default', command: { type: 'PAUSE_RUN', run: 'x' as never }, actor: 'test', at: 1 },
    ]);
    await store.close();
    expect(appended!.id).toBeGreaterThan(header.counters['command']!);
  }, 60_000);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await systemClock.sleep(20);
}
