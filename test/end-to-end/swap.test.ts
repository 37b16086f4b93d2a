import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { spawnGantry, type GantryProcess } from './gantry-process.ts';

// A scheduler is changed while its pool works: nothing is lost, and what was decided can be decided again.

const folder = mkdtempSync(join(tmpdir(), 'gantry-swap-'));
const token = 'admin-token-of-the-swap-test-0123456789';
let server: GantryProcess;
let url: string;

beforeAll(async () => {
  server = spawnGantry(['server', '--port', '0', '--data-dir', join(folder, 'data'), '--node-slots', '2'], {
    GANTRY_ADMIN_TOKEN: token,
  });
  url = String((await server.event(({ type }) => type === 'server.listening'))['url']);
}, 60_000);

afterAll(async () => {
  server.child.kill('SIGKILL');
  await server.ended();
  rmSync(folder, { recursive: true, force: true });
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any
async function ask(query: string, variables: object = {}): Promise<any> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown };
  expect(errors).toBeUndefined();
  return data;
}

const UPDATE = `mutation ($input: UpdatePoolInput!) { updatePool(input: $input) { __typename
  ... on Error { message }
  ... on InvalidScheduler { problems { code path } }
  ... on UpdatePoolPayload { isApplied pool { scheduler { name config version } shadow { name } }
    plan { before { scheduler config } queueLength decisionsReviewed placementsReviewed differenceCount problem } } } }`;

async function update(input: object) {
  return (await ask(UPDATE, { input: { name: 'default', ...input } })).updatePool;
}

/** Follows a run to its end and tells the states of its task runs. */
async function endOf(run: string): Promise<readonly string[]> {
  const follower = spawnGantry(['show', run, '--follow', '--url', url], { GANTRY_TOKEN: token });
  await follower.ended();
  const data = await ask(`{ run(id: "${run}") { taskRuns(first: 100) { nodes { state } } } }`);
  return data.run.taskRuns.nodes.map(({ state }: { state: string }) => state);
}

async function start(): Promise<string> {
  const data = await ask(
    'mutation { triggerRun(input: { pipeline: "many" }) { ... on TriggerRunPayload { run { id } } } }',
  );
  return data.triggerRun.run.id;
}

describe('a pool', () => {
  it('gets another scheduler while task runs wait, and none of them is lost', async () => {
    const yaml = [
      'name: many',
      'tasks:',
      '  - key: work',
      '    forEach: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]',
      '    runner: shell',
      '    with: { command: sleep 0.2 }',
    ].join('\n');
    writeFileSync(join(folder, 'many.yaml'), yaml);
    await ask('mutation ($yaml: String!) { applyPipeline(input: { yaml: $yaml }) { __typename } }', { yaml });
    const run = await start();
    const planned = await update({ scheduler: 'bin-packing', dryRun: true });
    expect(planned).toMatchObject({ isApplied: false, plan: { before: { scheduler: 'priority' }, problem: null } });
    const updated = await update({ scheduler: 'bin-packing', shadow: { scheduler: 'round-robin' } });
    expect(updated).toMatchObject({
      isApplied: true,
      pool: { scheduler: { name: 'bin-packing' }, shadow: { name: 'round-robin' } },
    });
    expect(await endOf(run)).toEqual(Array<string>(12).fill('SUCCEEDED'));
    const { pool } = await ask('{ pool(name: "default") { shadow { compared state } scheduler { name state } } }');
    expect(pool).toMatchObject({ scheduler: { name: 'bin-packing', state: 'HEALTHY' }, shadow: { state: 'HEALTHY' } });
    expect(pool.shadow.compared).toBeGreaterThan(0);
  }, 60_000);

  it('can say of every placement who decided it, from what, and decides it again the same', async () => {
    const run = await start();
    await endOf(run);
    const { run: found } = await ask(
      `{ run(id: "${run}") { taskRuns(first: 100) { nodes { id placement { verdict candidates { nodeName score }
        decision { id schedulerName isKept placements { taskRunId nodeName } rerun { isIdentical } } } } } } }`,
    );
    for (const { id, placement } of found.taskRuns.nodes) {
      expect(placement).toMatchObject({
        verdict: 'ENDED',
        candidates: [{ nodeName: 'local', score: expect.any(Number) }],
        decision: { schedulerName: 'bin-packing', isKept: true, rerun: { isIdentical: true } },
      });
      expect(placement.decision.placements).toContainEqual({ taskRunId: id, nodeName: 'local' });
    }
    const { id } = found.taskRuns.nodes[0].placement.decision;
    const { decision } = await ask(
      'query ($id: ID!) { decision(id: $id) { id rerun(scheduler: "round-robin") { placedNow } } }',
      { id },
    );
    expect(decision.rerun.placedNow).toBeGreaterThan(0);
    expect(await ask('{ decision(id: "default:999999") { id } }')).toEqual({ decision: null });
  }, 60_000);

  it('goes back to what it had, and refuses what is none of its schedulers', async () => {
    expect(await update({ scheduler: 'bin-paking' })).toMatchObject({
      __typename: 'InvalidScheduler',
      message: 'The pool was not changed. There is no scheduler bin-paking. Did you mean bin-packing?',
    });
    expect(await update({ config: { nonsense: 1 } })).toMatchObject({ __typename: 'InvalidScheduler' });
    expect(await update({ name: 'nowhere' })).toMatchObject({ __typename: 'PoolNotFound' });
    expect(await update({ scheduler: 'priority', shadow: null })).toMatchObject({
      pool: { scheduler: { name: 'priority' }, shadow: null },
      plan: { before: { scheduler: 'bin-packing' }, placementsReviewed: expect.any(Number) },
    });
    expect(await endOf(await start())).toEqual(Array<string>(12).fill('SUCCEEDED'));
    const { auditRecords } = await ask(
      '{ auditRecords(first: 9, filter: { action: "pool.update", subject: "bin-packing" }) { nodes { actor details } } }',
    );
    expect(auditRecords.nodes).toEqual([
      { actor: 'admin', details: expect.objectContaining({ pool: 'default', scheduler: 'bin-packing' }) },
    ]);
  }, 60_000);

  it('tells whoever follows it of its scheduler and its shadow, now and when they change', async () => {
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
    });
    const pools = client.iterate({
      query: 'subscription { pool(name: "default") { scheduler { name config } shadow { name } } }',
    });
    const next = async () => (await pools.next()).value?.data?.['pool'];
    expect(await next()).toEqual({ scheduler: { name: 'priority', config: {} }, shadow: null });
    await update({ config: { preempt: true }, shadow: { scheduler: 'spread' } });
    expect(await next()).toEqual({
      scheduler: { name: 'priority', config: { preempt: true } },
      shadow: { name: 'spread' },
    });
    await update({ config: {}, shadow: null });
    expect(await next()).toEqual({ scheduler: { name: 'priority', config: {} }, shadow: null });
    const nowhere = client.iterate({ query: 'subscription { pool(name: "nowhere") { name } }' });
    await expect(nowhere.next()).rejects.toMatchObject([{ message: expect.stringContaining('no pool “nowhere”') }]);
    await client.dispose();
  }, 60_000);

  it('tells what would be with other nodes and more to do, and changes nothing', async () => {
    const query = `query ($input: SimulatePlacementInput!) { simulatePlacement(input: $input) {
      placedCount pendingCount placements { nodeName } pending { tier summary { code } unblock { message } }
      utilization { resource capacity before after } } }`;
    const task = { runner: 'shell', resources: { cpu: '100m', memory: '64Mi' } };
    const addTasks = [{ task, count: 5 }];
    const { simulatePlacement: now } = await ask(query, { input: { addTasks } });
    expect(now).toMatchObject({ placedCount: 2, pendingCount: 3, pending: Array(3).fill({ tier: 'CAPACITY' }) });
    const addNodes = [{ name: 'more', like: 'local', count: 2, capacity: { slots: 2, cpu: 4, memory: '4Gi' } }];
    const { simulatePlacement: then } = await ask(query, { input: { addTasks, addNodes, scheduler: 'spread' } });
    expect(then).toMatchObject({ placedCount: 5, pendingCount: 0 });
    expect(then.placements.map(({ nodeName }: { nodeName: string }) => nodeName)).toEqual(
      expect.arrayContaining(['more-1', 'more-2']),
    );
    expect(await ask('{ nodes { nodes { name } } pool(name: "default") { queueLength } }')).toEqual({
      nodes: { nodes: [{ name: 'local' }] },
      pool: { queueLength: 0 },
    });
  });
});
