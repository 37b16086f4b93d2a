import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnGantry, type Event, type GantryProcess } from './gantry-process.ts';

// Real disks that are full: small tmpfs mounts, filled to the last byte under a real server.

const folder = mkdtempSync(join(tmpdir(), 'gantry-full-disk-'));
const mounts: string[] = [];
let server: GantryProcess | null = null;
let url = '';
let dataDir = '';

function mount(path: string, size: string): void {
  mkdirSync(path, { recursive: true });
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  mounts.push(path);
}

/** Fills a disk to the last byte. */
function fill(path: string): void {
  const file = openSync(join(path, 'filler'), 'w');
  try {
    for (const size of [1 << 20, 1 << 12, 1]) {
      const piece = Buffer.alloc(size, 1);
      for (let isFull = false; !isFull;) {
        try {
          if (writeSync(file, piece) < size) isFull = true;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          isFull = true;
        }
      }
    }
  } finally {
    closeSync(file);
  }
}
const makeRoom = (path: string): void => rmSync(join(path, 'filler'));

async function serve(env: Readonly<Record<string, string>>): Promise<void> {
  dataDir = env['GANTRY_DATA_DIR']!;
  server = spawnGantry(['server', '--port', '0'], env);
  url = String((await server.event((event: Event) => event['type'] === 'server.listening'))['url']);
  const yaml = "name: small\ntasks:\n  - key: work\n    runner: shell\n    with: { command: 'echo done' }\n";
  await ask('mutation ($input: ApplyPipelineInput!) { applyPipeline(input: $input) { ... on Error { message } } }', {
    input: { yaml },
  });
}

async function ask<Data>(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Data> {
  const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { readonly data: Data; readonly errors?: unknown };
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}
interface Triggered {
  readonly __typename: string;
  readonly run?: { readonly id: string };
  readonly message?: string;
}
const trigger = async (): Promise<Triggered> =>
  (
    await ask<{ readonly triggerRun: Triggered }>(
      'mutation { triggerRun(input: { pipeline: "small" }) { __typename ... on TriggerRunPayload { run { id } } ... on Error { message } } }',
    )
  ).triggerRun;
const states = async (): Promise<readonly string[]> =>
  (
    await ask<{ readonly runs: { readonly nodes: readonly { readonly state: string }[] } }>(
      '{ runs(first: 500) { nodes { state } } }',
    )
  ).runs.nodes.map(({ state }) => state);
interface NodeFacts {
  readonly connection: string;
  readonly conditions: readonly { readonly type: string; readonly message: string }[];
}
const node = async (): Promise<NodeFacts> =>
  (await ask<{ readonly node: NodeFacts }>('{ node(name: "local") { connection conditions { type message } } }')).node;
/** What a full disk may refuse before the server has looked at it; anything else is a fault. */
function unavailable(error: Error): Triggered {
  if (!/UNAVAILABLE|ENGINE_SILENT/.test(error.message)) throw error;
  return { __typename: 'UNAVAILABLE' };
}
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 100));
}

afterEach(async () => {
  server?.child.kill('SIGKILL');
  await server?.ended();
  server = null;
  for (const path of mounts.splice(0)) spawnSync('umount', ['-l', path]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const canMount = process.getuid?.() === 0 && process.platform === 'linux';
(canMount ? describe : describe.skip)('a full disk', () => {
  it('of a node: it says so, takes no work, loses none, and goes on by itself', async () => {
    const data = join(folder, 'node-data');
    const disk = join(data, 'node');
    mount(disk, '32m');
    await serve({ GANTRY_DATA_DIR: data });
    const { id } = (await trigger()).run!;
    await until(async () => (await states()).every((state) => state === 'SUCCEEDED'));
    // What is removed of the first attempt would make room again.
    await until(async () => !readdirSync(disk, { recursive: true }).some((name) => String(name).includes(id)));
    fill(disk);
    for (let count = 0; count < 10; count++) expect((await trigger()).__typename).toBe('TriggerRunPayload');
    await until(async () => (await node()).conditions.length > 0);
    const { connection, conditions } = await node();
    expect([connection, conditions]).toEqual([
      'READY',
      [{ type: 'DISK_FULL', message: expect.stringMatching(/^Its disk is full: 0 bytes of 32 MiB are free\.$/) }],
    ]);
    // Every one of them waits, for that reason.
    type Waiting = {
      readonly runs: {
        readonly nodes: readonly {
          readonly taskRuns: {
            readonly nodes: readonly {
              readonly placement: { readonly summary: { readonly message: string } } | null;
            }[];
          };
        }[];
      };
    };
    const reasons = async (): Promise<readonly string[]> =>
      (
        await ask<Waiting>(
          '{ runs(first: 500, filter: { states: [QUEUED, RUNNING] }) { nodes { taskRuns(first: 1) { nodes { placement { summary { message } } } } } } }',
        )
      ).runs.nodes.map(({ taskRuns }) => taskRuns.nodes[0]!.placement?.summary.message ?? '');
    await until(async () => {
      const all = await reasons();
      return all.length === 10 && all.every((message) => /disk/i.test(message));
    });
    expect(await states()).not.toContain('FAILED');
    makeRoom(disk);
    await until(async () => (await states()).every((state) => state === 'SUCCEEDED'));
    expect(await states()).toHaveLength(11);
    expect((await node()).conditions).toEqual([]);
    const { node: found } = await ask<{
      readonly node: { readonly history: { readonly nodes: readonly { readonly message: string | null }[] } };
    }>('{ node(name: "local") { history(first: 20) { nodes { message } } } }');
    expect(found.history.nodes.filter(({ message }) => message?.includes('disk-full'))).toHaveLength(2);
  }, 60_000);

  it('under a command that fails for want of space is told with its failure', async () => {
    const data = join(folder, 'writer-data');
    mount(join(data, 'node'), '16m');
    await serve({ GANTRY_DATA_DIR: data });
    const yaml =
      "name: writer\ntasks:\n  - key: work\n    runner: shell\n    with: { command: 'dd if=/dev/zero of=large bs=1M' }\n";
    await ask('mutation ($input: ApplyPipelineInput!) { applyPipeline(input: $input) { __typename } }', {
      input: { yaml },
    });
    await ask('mutation { triggerRun(input: { pipeline: "writer" }) { __typename } }');
    type Runs = {
      readonly runs: {
        readonly nodes: readonly { readonly state: string; readonly reason: { readonly message: string } | null }[];
      };
    };
    let ended: Runs['runs']['nodes'][number] | undefined;
    await until(async () => {
      [ended] = (await ask<Runs>('{ runs(first: 1) { nodes { state reason { message } } } }')).runs.nodes;
      return ended!.state === 'FAILED';
    });
    expect(ended!.reason!.message).toMatch(/exit.* disk .*is full/);
  }, 60_000);

  it('of the database: no new run is taken in, no acknowledged one is lost, and it goes on by itself', async () => {
    const disk = join(folder, 'database');
    mount(disk, '48m');
    await serve({ GANTRY_DATA_DIR: join(folder, 'data'), GANTRY_DATABASE_URL: `sqlite:${join(disk, 'gantry.db')}` });
    const acknowledged: string[] = [];
    const tryToTrigger = async (): Promise<Triggered> => {
      const triggered = await trigger();
      if (triggered.__typename === 'TriggerRunPayload') acknowledged.push(triggered.run!.id);
      return triggered;
    };
    for (let count = 0; count < 20; count++) await tryToTrigger();
    fill(disk);
    // Until the server has looked, a run may still find room in the log, or a refusal of the database.
    await until(async () => {
      const { __typename } = await tryToTrigger().catch(unavailable);
      return __typename === 'StorageFull';
    });
    expect((await trigger()).message).toMatch(/The disk of the server’s database is full: .* Free space on it/);
    expect(server!.child.exitCode).toBeNull();
    makeRoom(disk);
    await until(async () => (await tryToTrigger().catch(unavailable)).__typename === 'TriggerRunPayload');
    await until(async () => (await states()).every((state) => state === 'SUCCEEDED'));
    const { runs } = await ask<{ readonly runs: { readonly nodes: readonly { readonly id: string }[] } }>(
      '{ runs(first: 500) { nodes { id } } }',
    );
    expect(runs.nodes.map(({ id }) => id)).toEqual(expect.arrayContaining(acknowledged));
  }, 60_000);
});
