import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { databases, type TestDatabases } from '../support/databases.ts';
import { killRounds } from '../support/kill-rounds.ts';
import { spawnGantry, type GantryProcess } from './gantry-process.ts';

// Servers that are killed with their agents while commands run, and commands that end well when they are told to stop.

const ROOT = join(import.meta.dirname, '../..');
const TOKEN = 'admin-token-of-the-recovery-test-0123456789';

/** Equal every time: which moments are met does not depend on the day. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

describe.each(databases)('a server on $name that is killed again and again', ({ name, start }) => {
  let database: TestDatabases;
  beforeAll(async () => {
    database = await start();
  }, 120_000);
  afterAll(() => database.stop());

  // More with `npm run bench -- kills`.
  it('has nothing done twice, and loses no end and no output', async () => {
    const kills = name === 'SQLite' ? 6 : 4;
    const findings = await killRounds({
      kills,
      databaseUrl: await database.fresh(),
      withinMs: 250,
      random: seeded(kills),
      tasks: [
        { seconds: '0.01', count: 12, everyRuns: 1 },
        { seconds: '1', count: 4, everyRuns: 2 },
        { seconds: '6', count: 1, everyRuns: 3 },
      ],
      root: ROOT,
    });
    expect(findings).toMatchObject({
      kills,
      repeatedAfterEnd: 0,
      overlaps: 0,
      startedTwice: 0,
      unsuccessfulRuns: 0,
      endsNotReported: 0,
      lostOutputs: 0,
      neverRun: 0,
    });
    expect(findings.tasks).toBeGreaterThan(12 * kills);
  }, 600_000);
});

describe('a command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-recovery-'));
  const processes: GantryProcess[] = [];
  let url = '';

  afterEach(async () => {
    for (const each of processes.splice(0)) {
      each.child.kill('SIGKILL');
      await each.ended();
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const spawned = (words: readonly string[]): GantryProcess => {
    const env = { GANTRY_ADMIN_TOKEN: TOKEN, GANTRY_TOKEN: TOKEN, GANTRY_DATA_DIR: join(folder, 'data') };
    const child = spawnGantry(words, url === '' ? env : { ...env, GANTRY_URL: url });
    processes.push(child);
    return child;
  };
  async function server(): Promise<GantryProcess> {
    const child = spawned(['server', '--port', '0']);
    url = String((await child.event(({ type }) => type === 'server.listening'))['url']);
    return child;
  }
  async function killed(child: GantryProcess): Promise<void> {
    child.child.kill('SIGKILL');
    await child.ended();
  }
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what tests look into has no static shape
  async function ask(query: string, variables: object = {}): Promise<any> {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown };
    expect(errors).toBeUndefined();
    return data;
  }
  /** Applies a pipeline of one task and starts it. Resolves with the run's id. */
  async function run(name: string, rest: object, command: string): Promise<string> {
    const definition = { name, tasks: [{ key: 'work', runner: 'shell', ...rest, with: { command } }] };
    await ask('mutation ($definition: JSON) { applyPipeline(input: { definition: $definition }) { __typename } }', {
      definition,
    });
    const { triggerRun } = await ask(
      `mutation { triggerRun(input: { pipeline: "${name}" }) { ... on TriggerRunPayload { run { id } } } }`,
    );
    return triggerRun.run.id as string;
  }
  const cancel = (id: string) => ask(`mutation { cancelRun(input: { id: "${id}" }) { __typename } }`);
  async function ended(id: string) {
    const fields =
      'state taskRuns(first: 1) { nodes { state outputs attempts { number state failure { kind exitCode } } } }';
    for (;;) {
      const { run: found } = await ask(`{ run(id: "${id}") { ${fields} } }`);
      if (['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(found.state))
        return { state: found.state, ...found.taskRuns.nodes[0] };
      await delay(50);
    }
  }
  const at = (name: string) => join(folder, name);
  async function there(name: string): Promise<void> {
    while (!existsSync(at(name))) await delay(10);
  }
  const lines = (name: string) => readFileSync(at(name), 'utf8').trimEnd().split('\n');
  /** Says that it begins, and goes on when the file `go-…` is there. */
  const waiting = (name: string, then: string) =>
    `echo begun >> '${at(`${name}-begun`)}'; echo before; until [ -e '${at(`${name}-go`)}' ]; do sleep 0.05; done; ${then}`;
  /** Ends with 0 when it is told to stop, after it has said so. */
  const graceful = (name: string) =>
    `trap 'echo half=1 > "$GANTRY_OUTPUT"; echo told >> "${at(`${name}-told`)}"; exit 0' TERM; echo begun >> '${at(`${name}-begun`)}'; while :; do sleep 0.05; done`;

  it('that runs when its server dies is followed by the next one: it began once, and its log, output and end arrive', async () => {
    const first = await server();
    const id = await run('orphan', {}, waiting('orphan', `echo after; echo 'answer:=42' > "$GANTRY_OUTPUT"`));
    await there('orphan-begun');
    await killed(first);
    await server();
    writeFileSync(at('orphan-go'), '');
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', outputs: { answer: 42 }, attempts: [{ number: 1 }] });
    expect(lines('orphan-begun')).toEqual(['begun']);
    const logs = spawned(['logs', id, 'work']);
    await logs.ended();
    expect(logs.events.map(({ text }) => String(text)).join('')).toMatch(/before\nafter\n$/);
  }, 120_000);

  it('that ended while there was no server is told as it ended, with its outputs', async () => {
    const first = await server();
    const id = await run(
      'alone',
      {},
      waiting('alone', `echo 'by=itself' > "$GANTRY_OUTPUT"; : > '${at('alone-done')}'`),
    );
    await there('alone-begun');
    await killed(first);
    writeFileSync(at('alone-go'), '');
    await there('alone-done');
    await server();
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', outputs: { by: 'itself' }, attempts: [{ number: 1 }] });
    expect(lines('alone-begun')).toEqual(['begun']);
  }, 120_000);

  it('that is followed after a restart can be cancelled, and its timeout counts from its start', async () => {
    const first = await server();
    const toCancel = await run('to-cancel', {}, graceful('to-cancel'));
    const toTimeOut = await run('to-time-out', { timeout: '3s', retry: { max: 0 } }, graceful('to-time-out'));
    await there('to-cancel-begun');
    await there('to-time-out-begun');
    await killed(first);
    await server();
    await cancel(toCancel);
    expect(await ended(toCancel)).toMatchObject({ state: 'CANCELLED', attempts: [{ number: 1, state: 'CANCELLED' }] });
    expect(await ended(toTimeOut)).toMatchObject({
      state: 'FAILED',
      attempts: [{ number: 1, state: 'TIMED_OUT', failure: { kind: 'TIMEOUT' } }],
    });
    expect([lines('to-cancel-begun'), lines('to-time-out-begun')]).toEqual([['begun'], ['begun']]);
  }, 120_000);

  it('that ends well after its timeout has timed out, and hands nothing downstream', async () => {
    await server();
    const id = await run('slow', { timeout: '500ms' }, graceful('slow'));
    const { state, outputs, attempts } = await ended(id);
    expect(lines('slow-told')).toEqual(['told']);
    expect({ state, outputs, attempts }).toMatchObject({
      state: 'FAILED',
      outputs: null,
      attempts: [{ state: 'TIMED_OUT', failure: { kind: 'TIMEOUT', exitCode: null } }],
    });
  }, 120_000);

  it('that ends well when it is cancelled is done anew by a retry', async () => {
    await server();
    const id = await run('half', {}, graceful('half'));
    await there('half-begun');
    await cancel(id);
    expect(await ended(id)).toMatchObject({ state: 'CANCELLED', outputs: null });
    const retried = await ask(
      `mutation { retryRun(input: { id: "${id}" }) { __typename ... on RetryRunPayload { run { id } } } }`,
    );
    while (lines('half-begun').length < 2) await delay(20);
    await cancel(retried.retryRun.run.id);
    expect((await ended(retried.retryRun.run.id)).state).toBe('CANCELLED');
  }, 120_000);

  it('that was told to stop has not done its work, also when its server dies before it ends', async () => {
    const first = await server();
    const command = `trap 'echo told >> "${at('late-told')}"; until [ -e "${at('late-go')}" ]; do sleep 0.05; done; exit 0' TERM; echo begun >> '${at('late-begun')}'; while :; do sleep 0.05; done`;
    const id = await run('late', { timeout: '1s', killGrace: '60s' }, command);
    await there('late-told');
    await killed(first);
    writeFileSync(at('late-go'), '');
    await server();
    expect(await ended(id)).toMatchObject({ state: 'FAILED', attempts: [{ number: 1, state: 'TIMED_OUT' }] });
    expect(lines('late-begun')).toEqual(['begun']);
  }, 120_000);
});
