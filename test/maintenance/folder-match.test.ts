import { afterEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../server/clock.ts';
import { command, serve, type LiveServer } from './live-server.ts';

// What people do to data folders with `cp` and `rm`, and a server that is then started on what is left.

const folders: string[] = [];
const servers: LiveServer[] = [];

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-match-'));
  folders.push(folder);
  return folder;
}
afterEach(async () => {
  for (const server of servers.splice(0)) await server.kill();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
async function served(folder: string): Promise<LiveServer> {
  const server = await serve(folder);
  servers.push(server);
  return server;
}

const APPLY = `mutation { applyPipeline(input: { yaml: "name: p\\ntasks:\\n  - key: t\\n    runner: mock\\n    with: { durationMs: 600000, checkpoint: true }\\n" }) { __typename } }`;
const TRIGGER = `mutation { triggerRun(input: { pipeline: "p" }) { ... on TriggerRunPayload { run { id } } } }`;
const COUNT = `{ runs(first: 10, filter: { states: [RUNNING] }) { nodes { id taskRuns(first: 1) { nodes { state } } } } }`;

async function running(server: LiveServer): Promise<number> {
  interface Counted {
    readonly runs: {
      readonly nodes: readonly { readonly taskRuns: { readonly nodes: readonly { readonly state: string }[] } }[];
    };
  }
  const { runs } = await server.ask<Counted>(COUNT);
  return runs.nodes.filter(({ taskRuns }) => taskRuns.nodes[0]?.state === 'RUNNING').length;
}

async function withRuns(folder: string, count: number): Promise<LiveServer> {
  const server = await served(folder);
  await server.ask(APPLY);
  for (let at = 0; at < count; at++) await server.ask(TRIGGER);
  while ((await running(server)) < count) await systemClock.sleep(20);
  return server;
}

describe('a server that is started', () => {
  it('on a copy of the database file alone refuses, whichever server had it open', async () => {
    const folder = freshFolder();
    const server = await withRuns(folder, 2);
    const copy = freshFolder();
    copyFileSync(join(folder, 'gantry.db'), join(copy, 'gantry.db'));
    await server.kill();
    await expect(serve(copy)).rejects.toThrow('was copied while a server had it open');
    expect((await command(['doctor'], copy)).code).toBe(1);
    await command(['doctor', '--accept-copy'], copy);
    // Whoever accepts the copy gets what is in it.
    await (await served(copy)).stop();
  }, 60_000);

  it('on a copy of a database that was closed in good order serves', async () => {
    const folder = freshFolder();
    await (await served(folder)).stop();
    const copy = freshFolder();
    copyFileSync(join(folder, 'gantry.db'), join(copy, 'gantry.db'));
    const server = await serve(copy, undefined, folder);
    servers.push(server);
    expect(await server.ask(`{ pools { name } }`)).toEqual({ pools: [{ name: 'default' }] });
  }, 60_000);

  it('on a copy of the whole folder serves', async () => {
    const folder = freshFolder();
    await (await withRuns(folder, 1)).kill();
    const copy = freshFolder();
    cpSync(folder, copy, { recursive: true });
    const server = await served(copy);
    expect((await server.ask<{ readonly runs: { readonly nodes: unknown[] } }>(COUNT)).runs.nodes).toHaveLength(1);
  }, 60_000);

  it('on an older state of its database refuses', async () => {
    const folder = freshFolder();
    await (await served(folder)).stop();
    const kept = freshFolder();
    copyFileSync(join(folder, 'gantry.db'), join(kept, 'gantry.db'));
    await (await withRuns(folder, 1)).stop();
    copyFileSync(join(kept, 'gantry.db'), join(folder, 'gantry.db'));
    await expect(serve(folder)).rejects.toThrow('is an older copy');
  }, 60_000);

  it('with a new database beside a journal of open work refuses', async () => {
    const folder = freshFolder();
    await (await withRuns(folder, 2)).kill();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, `gantry.db${suffix}`), { force: true });
    await expect(serve(folder)).rejects.toThrow('has 2 attempts open whose runs are not in it');
    // What the server says is also what the doctor says.
    expect((await command(['doctor'], folder)).code).toBe(1);
  }, 60_000);

  it('after a restore into its own folder goes on with what the backup knows and stops what it does not', async () => {
    const folder = freshFolder();
    const server = await withRuns(folder, 1);
    const backup = join(freshFolder(), 'one.gantry-backup');
    expect((await command(['backup', '--to', backup], folder)).code).toBe(0);
    await server.ask(TRIGGER);
    while ((await running(server)) < 2) await systemClock.sleep(20);
    await server.kill();
    expect(await command(['restore', backup, '--replace'], folder)).toMatchObject({ code: 0 });
    const successor = await served(folder);
    while ((await running(successor)) < 1) await systemClock.sleep(20);
    interface Attempts {
      readonly runs: {
        readonly nodes: readonly {
          readonly taskRuns: { readonly nodes: readonly { readonly attempt: { readonly number: number } }[] };
        }[];
      };
    }
    const { runs } = await successor.ask<Attempts>(
      `{ runs(first: 10) { nodes { taskRuns(first: 1) { nodes { attempt { number } } } } } }`,
    );
    expect(runs.nodes.map(({ taskRuns }) => taskRuns.nodes[0]!.attempt.number)).toEqual([1]);
  }, 60_000);
});
