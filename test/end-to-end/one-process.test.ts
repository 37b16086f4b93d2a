import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2';
import { startMariadb, type MariadbServer } from '../support/databases.ts';
import { spawnGantry, type Event, type GantryProcess } from './gantry-process.ts';

// One folder has one server, one pool one leader: real processes, killed, started twice, and started on copies.

const folder = mkdtempSync(join(tmpdir(), 'gantry-one-process-'));
const processes: GantryProcess[] = [];
let count = 0;
const freshFolder = (): string => join(folder, `data-${(count += 1)}`);

function serve(dataDir: string, env: Readonly<Record<string, string>> = {}): GantryProcess {
  const server = spawnGantry(['server', '--port', '0'], { GANTRY_DATA_DIR: dataDir, ...env });
  processes.push(server);
  return server;
}

const isListening = (event: Event): boolean => event['type'] === 'server.listening';
const urlOf = async (server: GantryProcess): Promise<string> => String((await server.event(isListening))['url']);

/** Runs a client command to its end and returns its exit code. */
const gantry = (words: readonly string[], url: string, dataDir: string): Promise<number | null> =>
  spawnGantry(words, { GANTRY_DATA_DIR: dataDir, GANTRY_URL: url }).ended();

async function untilLogged(server: GantryProcess, text: string): Promise<void> {
  while (!server.stderr().includes(text)) {
    if (server.child.exitCode !== null) throw new Error(`It ended: ${server.stderr()}`);
    await new Promise((resolve) => server.child.stderr!.once('data', resolve));
  }
}

afterEach(async () => {
  for (const each of processes.splice(0)) {
    each.child.kill('SIGKILL');
    await each.ended();
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the launcher', () => {
  it('is the server: SIGKILL ends both, and the folder is free at once', async () => {
    const dataDir = freshFolder();
    const first = serve(dataDir);
    const url = await urlOf(first);
    expect(readFileSync(`/proc/${first.child.pid}/cmdline`, 'utf8')).toContain('server/cli/main.ts');
    first.child.kill('SIGKILL');
    await first.ended();
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    await urlOf(serve(dataDir));
  }, 30_000);

  const canUnshare = process.getuid?.() === 0 && spawnSync('unshare', ['-pf', '--mount-proc', 'true']).status === 0;
  (canUnshare ? it : it.skip)(
    'reaps the orphans of commands when it is process 1, hands SIGTERM on, and ends with the exit code',
    async () => {
      const dataDir = freshFolder();
      // A process of its own namespace, whose process 1 is the launcher.
      const outer = spawn('unshare', ['-pf', '--mount-proc', 'bin/gantry', 'server', '--port', '0', '--json'], {
        env: { PATH: process.env['PATH'], GANTRY_DATA_DIR: dataDir },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const ended = new Promise((resolve) => outer.once('exit', resolve));
      try {
        const [line] = (await new Promise<Buffer>((resolve) => outer.stdout.once('data', resolve)))
          .toString()
          .split('\n');
        const { url } = JSON.parse(line!) as { readonly url: string };
        const done = join(folder, 'orphan-done');
        writeFileSync(
          join(folder, 'orphans.yaml'),
          // The first subshell ends before its child, which so becomes an orphan, and in a session of its own.
          `name: orphans\ntasks:\n  - key: leave\n    runner: shell\n    with:\n      command: (setsid sh -c 'sleep 0.2; touch ${done}' &)\n`,
        );
        expect(await gantry(['apply', '-f', join(folder, 'orphans.yaml')], url, dataDir)).toBe(0);
        expect(await gantry(['run', 'orphans', '--follow'], url, dataDir)).toBe(0);
        const [init] = childrenOf(outer.pid!);
        expect(readFileSync(`/proc/${init}/cmdline`, 'utf8')).toContain('bin/gantry');
        // Reaped as soon as it has ended; a zombie would stay for ever.
        while (childrenOf(init!).some((pid) => isOrphan(pid))) await new Promise((resolve) => setTimeout(resolve, 20));
        process.kill(init!, 'SIGTERM');
        expect(await ended).toBe(0);
      } finally {
        outer.kill('SIGKILL');
        await ended;
      }
    },
    30_000,
  );
});

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
/** A zombie, or the orphan while it lives. */
function isOrphan(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return /^State:\s+Z/m.test(status) || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('orphan-done');
  } catch {
    return false;
  }
}

describe('a data folder', () => {
  it('whose server runs ends a second one at once, with the process that has it and exit code 5', async () => {
    const dataDir = freshFolder();
    const first = serve(dataDir);
    await first.event(isListening);
    // Whatever the database is: this one has another.
    const second = serve(dataDir, { GANTRY_DATABASE_URL: `sqlite:${join(folder, 'other.db')}` });
    expect(await second.ended()).toBe(5);
    expect(second.stderr()).toContain(`Process ${first.child.pid} on `);
    expect(second.stderr()).toContain(`the data folder ${dataDir} since 20`);
    expect(second.stderr()).toContain('GANTRY_DATA_DIR');
    expect(readdirSync(folder)).not.toContain('other.db');
  }, 30_000);
});

describe('a pool on MariaDB', () => {
  let mariadb: MariadbServer;
  beforeAll(async () => {
    mariadb = await startMariadb();
  }, 60_000);
  afterAll(() => mariadb.stop());

  const query = async <Row>(url: string, text: string): Promise<Row[]> =>
    mariadb.administer(new URL(url).pathname.slice(1), async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>(text);
      return rows as Row[];
    });
  const epochOf = async (url: string): Promise<number> => {
    const [lease] = await query<{ readonly epoch: number }>(url, "SELECT epoch FROM lease WHERE name = 'default'");
    return Number(lease!.epoch);
  };

  it('is taken over at once from a killed predecessor, also when the one between never led', async () => {
    const database = await mariadb.fresh();
    const dataDir = freshFolder();
    const env = { GANTRY_DATABASE_URL: database };
    const first = serve(dataDir, env);
    await first.event(isListening);
    first.child.kill('SIGKILL');
    await first.ended();
    // It has the folder and cannot reach the database.
    expect(await serve(dataDir, { GANTRY_DATABASE_URL: 'mysql://x@127.0.0.1:1/x' }).ended()).toBe(1);
    // So far away that only the certainty that its holder is dead frees it.
    await mariadb.administer(new URL(database).pathname.slice(1), (connection) =>
      connection.query('UPDATE lease SET expires_at = expires_at + 86400000'),
    );
    await urlOf(serve(dataDir, env));
    expect(await epochOf(database)).toBe(2);
  }, 60_000);

  it('is led by one of two servers on copies of one folder, which starts everything once; the other waits', async () => {
    const database = await mariadb.fresh();
    const env = { GANTRY_DATABASE_URL: database };
    const [original, copy] = [freshFolder(), freshFolder()];
    const leader = serve(original, env);
    const url = await urlOf(leader);
    cpSync(original, copy, { recursive: true, preserveTimestamps: true });
    const other = serve(copy, env);
    await untilLogged(other, 'Another server leads this pool');

    const starts = join(folder, 'starts');
    writeFileSync(starts, '');
    const command = `echo "$GANTRY_ATTEMPT_ID $GANTRY_ITEM" >> ${starts}`;
    writeFileSync(
      join(folder, 'many.yaml'),
      `name: many\ntasks:\n  - key: each\n    forEach: [${Array.from({ length: 40 }, (_, at) => at).join(', ')}]\n    runner: shell\n    with:\n      command: ${JSON.stringify(command)}\n`,
    );
    expect(await gantry(['apply', '-f', join(folder, 'many.yaml')], url, original)).toBe(0);
    for (let round = 0; round < 3; round++) expect(await gantry(['run', 'many', '--follow'], url, original)).toBe(0);
    const lines = readFileSync(starts, 'utf8').trim().split('\n');
    expect([lines.length, new Set(lines).size]).toEqual([120, 120]);
    expect(await epochOf(database)).toBe(1);
    expect(other.events.filter(isListening)).toEqual([]);

    leader.child.kill('SIGTERM');
    expect(await leader.ended()).toBe(0);
    await urlOf(other);
    expect(await epochOf(database)).toBe(2);
  }, 120_000);

  it('whose leader stood still while another took over stops what it still runs, so that nothing runs twice', async () => {
    const database = await mariadb.fresh();
    const env = { GANTRY_DATABASE_URL: database };
    const [one, two] = [freshFolder(), freshFolder()];
    const paused = serve(one, env);
    const url = await urlOf(paused);
    const pids = join(folder, 'pids');
    writeFileSync(pids, '');
    const command = `echo $$ >> ${pids}; while :; do sleep 1; done`;
    writeFileSync(
      join(folder, 'long.yaml'),
      `name: long\ntasks:\n  - key: stay\n    runner: shell\n    with:\n      command: ${JSON.stringify(command)}\n`,
    );
    expect(await gantry(['apply', '-f', join(folder, 'long.yaml')], url, one)).toBe(0);
    expect(await gantry(['run', 'long'], url, one)).toBe(0);
    const started = (): number[] => readFileSync(pids, 'utf8').split('\n').filter(Boolean).map(Number);
    const until = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await until(() => started().length === 1);
    paused.child.kill('SIGSTOP');
    await mariadb.administer(new URL(database).pathname.slice(1), (connection) =>
      connection.query('UPDATE lease SET expires_at = 0'),
    );
    await urlOf(serve(two, env));
    await until(() => started().length === 2);
    paused.child.kill('SIGCONT');
    await untilLogged(paused, 'Another agent speaks for this node');
    const [first, second] = started();
    await until(() => !isAlive(first!));
    expect(isAlive(second!)).toBe(true);
    process.kill(second!, 'SIGKILL');
  }, 120_000);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
