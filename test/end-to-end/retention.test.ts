import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { databases, type TestDatabases } from '../support/databases.ts';
import { spawnGantry, type GantryProcess } from './gantry-process.ts';

const YAML = `name: probe
tasks:
  - key: count
    runner: shell
    with: { command: "for i in 1 2 3 4; do echo line $i of a log; sleep 0.15; done" }
`;
const KEPT = 4;

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

// A real server that keeps four runs, and is killed while it deletes the others.
describe.each(databases)('a server with retention on $name', ({ name, start }) => {
  let places: TestDatabases;
  let folder: string;
  let port: number;
  let env: Readonly<Record<string, string>>;
  let server: GantryProcess;
  beforeAll(async () => {
    places = await start();
    folder = mkdtempSync(join(tmpdir(), 'gantry-retention-'));
    port = await freePort();
    env = {
      GANTRY_DATA_DIR: join(folder, 'data'),
      GANTRY_DATABASE_URL: await places.fresh(),
      GANTRY_PORT: String(port),
      GANTRY_RETENTION_RUNS: String(KEPT),
      GANTRY_RETENTION_INTERVAL: '1s',
    };
    await begin();
  });
  afterAll(async () => {
    server.child.kill('SIGKILL');
    await server.ended();
    await places.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function begin(): Promise<void> {
    server = spawnGantry(['server'], env);
    await server.event(({ type }) => type === 'server.listening');
  }
  // eslint-disable-next-line typescript/no-explicit-any -- what tests look into has no static shape
  async function ask(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<any> {
    const token = readFileSync(join(folder, 'data', 'admin-token'), 'utf8').trim();
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const answer = (await response.json()) as { readonly data?: unknown; readonly errors?: unknown };
    if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
    return answer.data;
  }
  /** Asks until the answer is as expected; the suite's own time limit ends it. */
  async function until<Value>(look: () => Promise<Value>, test: (value: Value) => boolean): Promise<Value> {
    for (;;) {
      const value = await look();
      if (test(value)) return value;
      await delay(100);
    }
  }
  const trigger = async (): Promise<string> =>
    (await ask('mutation { triggerRun(input: { pipeline: "probe" }) { ... on TriggerRunPayload { run { id } } } }'))
      .triggerRun.run.id;
  const runs = async () =>
    (await ask('{ runs(first: 50) { nodes { id state counts { total } taskRuns(first: 9) { nodes { state } } } } }'))
      .runs.nodes as { id: string; state: string; counts: { total: number }; taskRuns: { nodes: unknown[] } }[];

  it('keeps the newest runs whole through kill -9, with their logs, and frees what the others took', async () => {
    await ask('mutation ($yaml: String!) { applyPipeline(input: { yaml: $yaml }) { __typename } }', { yaml: YAML });
    const ids: string[] = [];
    for (let times = 0; times < 12; times++) ids.push(await trigger());
    for (let kills = 0; kills < 2; kills++) {
      await until(runs, (list) => list.length < 12 - kills * 3);
      server.child.kill('SIGKILL');
      await server.ended();
      await begin();
    }
    const seen = await until(runs, (list) => {
      // At every look, whatever is listed is whole.
      for (const { counts, taskRuns } of list) expect(taskRuns.nodes).toHaveLength(counts.total);
      return list.length === KEPT && list.every(({ state }) => state === 'SUCCEEDED');
    });
    expect(seen.map(({ id }) => id)).toEqual(ids.slice(-KEPT).toReversed());
    const STORAGE = '{ storage { pendingDeletions isEstimate kinds { kind rows } } }';
    const { storage } = await until(
      () => ask(STORAGE),
      ({ storage: { pendingDeletions, isEstimate, kinds } }) =>
        pendingDeletions === 0 &&
        // Four lines or more of each run, a row for each attempt: compressed after their end.
        (isEstimate || kinds.find(({ kind }: { kind: string }) => kind === 'LOGS').rows <= 2 * KEPT),
    );
    expect(storage.isEstimate).toBe(name === 'MariaDB');
    for (const { id } of seen) {
      const logs = spawnGantry(['logs', id, 'count'], env);
      expect(await logs.ended()).toBe(0);
      const text = logs.events.map((event) => String(event['text'])).join('');
      // The kills may have ended an earlier attempt of it.
      expect(text).toMatch(/line 1 of a log\nline 2 of a log\nline 3 of a log\nline 4 of a log\n$/);
    }
  });

  it('deletes a run by command, and shows by command what is kept', async () => {
    const [newest] = await runs();
    const deleting = spawnGantry(['delete-run', newest!.id], env);
    expect(await deleting.ended()).toBe(0);
    expect((await runs()).map(({ id }) => id)).not.toContain(newest!.id);
    const again = spawnGantry(['delete-run', newest!.id], env);
    expect(await again.ended()).not.toBe(0);
    expect(again.stderr()).toContain('There is no run');
    const { storage } = await ask('{ storage { retention { age runs } lastSweep { problem } } }');
    expect(storage).toEqual({ retention: { age: '30d', runs: '4' }, lastSweep: { problem: null } });
  });
});
