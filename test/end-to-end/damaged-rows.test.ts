import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMariadb, type MariadbServer } from '../support/databases.ts';
import { spawnGantry, type Event, type GantryProcess } from './gantry-process.ts';

// A server is killed in the midst of work, its rows are damaged by SQL, and it is started again: it serves, the runs
// whose rows are damaged have FAILED with the reason, what still worked for them is stopped, and the others go on.

interface Place {
  readonly url: string;
  readonly execute: (statements: readonly string[]) => Promise<void>;
  readonly stop: () => Promise<void>;
}
const folder = mkdtempSync(join(tmpdir(), 'gantry-damaged-'));

const places: readonly { readonly name: string; readonly start: () => Promise<Place> }[] = [
  {
    name: 'SQLite',
    start: () => {
      const path = join(folder, 'gantry.db');
      return Promise.resolve({
        url: `sqlite:${path}`,
        execute: (statements) => {
          const database = new DatabaseSync(path);
          for (const statement of statements) database.exec(statement);
          database.close();
          return Promise.resolve();
        },
        stop: () => Promise.resolve(),
      });
    },
  },
  {
    name: 'MariaDB',
    start: async () => {
      const server: MariadbServer = await startMariadb();
      const url = await server.fresh();
      return {
        url,
        execute: (statements) =>
          server.administer(new URL(url).pathname.slice(1), async (connection) => {
            for (const statement of statements) await connection.query(statement);
          }),
        stop: () => server.stop(),
      };
    },
  },
];

/** What is done to the rows of one run each; `KEY` is its key. */
const DAMAGE: Readonly<Record<string, string>> = {
  'params that are no JSON': `UPDATE run SET params = '{nope' WHERE run_key = KEY`,
  'an unknown state': `UPDATE run SET state = 'HOVERING' WHERE run_key = KEY`,
  'a time out of range': `UPDATE run SET created_at = 9000000000000000 WHERE run_key = KEY`,
  'a count that is wrong': `UPDATE run SET task_run_count = 7 WHERE run_key = KEY`,
  'a version that is not there': `UPDATE run SET version = 99 WHERE run_key = KEY`,
  'a task run in an unknown state': `UPDATE task_run SET state = 'FLOATING' WHERE run_key = KEY AND ordinal = 0`,
  'outputs that are no JSON': `UPDATE task_run SET outputs = '[1' WHERE run_key = KEY AND ordinal = 1`,
  'a task run of another task': `UPDATE task_run SET task_key = 'other' WHERE run_key = KEY AND ordinal = 1`,
  'an attempt on an unknown node': `UPDATE task_run SET node = 'nowhere' WHERE run_key = KEY AND ordinal = 0`,
  'an attempt without a state': `UPDATE task_run SET attempt_state = NULL WHERE run_key = KEY AND ordinal = 0`,
  'a task run that is missing': `DELETE FROM task_run WHERE run_key = KEY AND ordinal = 1`,
  'a task run that waits although it has ended': `UPDATE task_run SET state = 'SUCCEEDED' WHERE run_key = KEY AND ordinal = 1`,
};
/** Rows of nobody's run. */
const ELSEWHERE: readonly string[] = [
  `UPDATE node SET labels = 'nope', taints = '{', connection = 'DREAMING', heard_at = 9000000000000000`,
  `UPDATE pool SET scheduler_memory = '{{', scheduler_config = 'x'`,
  `UPDATE event SET body = 'x' WHERE seq % 2 = 0`,
  `UPDATE audit SET details = 'x'`,
  `UPDATE token SET role = 'KING' WHERE name = 'second'`,
  `UPDATE pipeline_version SET definition = '{"tasks":' WHERE pipeline = 'broken'`,
  `INSERT INTO command (pool, command, actor, at) VALUES ('default', '{"type":"DANCE"}', 'somebody', 1)`,
];

const isListening = (event: Event): boolean => event['type'] === 'server.listening';

describe.each(places)('a server on damaged rows of $name', ({ name, start }) => {
  const dataDir = join(folder, name);
  let place: Place;
  let server: GantryProcess;
  let url = '';
  const runs = new Map<string, string>();

  const serve = async (): Promise<void> => {
    server = spawnGantry(['server', '--port', '0'], {
      GANTRY_DATA_DIR: dataDir,
      GANTRY_DATABASE_URL: place.url,
      GANTRY_NODE_SLOTS: '100',
    });
    url = String((await server.event(isListening))['url']);
  };
  const ask = async <Data>(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Data> => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${readFileSync(join(dataDir, 'admin-token'), 'utf8').trim()}`,
      },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { readonly data: Data; readonly errors?: unknown };
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  };
  const trigger = async (pipeline: string): Promise<string> => {
    const { triggerRun } = await ask<{ readonly triggerRun: { readonly run?: { readonly id: string } } }>(
      'mutation ($input: TriggerRunInput!) { triggerRun(input: $input) { ... on TriggerRunPayload { run { id } } ... on Error { message } } }',
      { input: { pipeline } },
    );
    if (triggerRun.run === undefined) throw new Error(JSON.stringify(triggerRun));
    return triggerRun.run.id;
  };
  interface RunFacts {
    readonly state: string;
    readonly reason: { readonly code: string; readonly message: string } | null;
    readonly taskRuns: { readonly nodes: readonly { readonly state: string }[] };
  }
  const runOf = async (id: string): Promise<RunFacts> =>
    (
      await ask<{ readonly run: RunFacts }>(
        'query ($id: ID!) { run(id: $id) { state reason { code message } taskRuns(first: 9) { nodes { state } } } }',
        { id },
      )
    ).run;
  const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const pidOf = (id: string): number => Number(readFileSync(join(folder, id), 'utf8'));

  beforeAll(async () => {
    place = await start();
    await serve();
    const command = `echo $$ > ${folder}/$GANTRY_RUN_ID; while [ ! -e ${folder}/go-on-${name} ]; do sleep 0.2; done`;
    const source = (pipeline: string) =>
      `name: ${pipeline}\ntasks:\n  - key: work\n    runner: shell\n    with: { command: ${JSON.stringify(command)} }\n  - key: after\n    needs: [work]\n    runner: shell\n    with: { command: 'true' }\n`;
    for (const pipeline of ['work', 'broken']) {
      await ask(
        'mutation ($input: ApplyPipelineInput!) { applyPipeline(input: $input) { __typename ... on Error { message } } }',
        { input: { yaml: source(pipeline) } },
      );
    }
    await ask('mutation { createToken(input: { name: "second", role: VIEWER }) { __typename } }');
    for (const kind of Object.keys(DAMAGE)) runs.set(kind, await trigger('work'));
    runs.set('a definition that is no JSON', await trigger('broken'));
    runs.set('sound', await trigger('work'));
    await until(() => [...runs.values()].every((id) => existsSync(join(folder, id)) && pidOf(id) > 0));
    // All of it is in rows, and not only in the log of assignments.
    await until(async () => {
      const states = await Promise.all(
        [...runs.values()].map(async (id) => (await runOf(id)).taskRuns.nodes[0]!.state),
      );
      return states.every((state) => state === 'RUNNING');
    });
    server.child.kill('SIGKILL');
    await server.ended();
    const damage = Object.entries(DAMAGE).map(([kind, statement]) =>
      statement.replace(
        'KEY',
        `(SELECT k FROM (SELECT run_key AS k FROM run WHERE id = '${runs.get(kind)}') AS found)`,
      ),
    );
    await place.execute([...damage, ...ELSEWHERE]);
    await serve();
  }, 120_000);

  afterAll(async () => {
    writeFileSync(join(folder, `go-on-${name}`), '');
    server.child.kill('SIGKILL');
    await server.ended();
    await place.stop();
    if (name === places.at(-1)!.name) rmSync(folder, { recursive: true, force: true });
  });

  it.each([...Object.keys(DAMAGE), 'a definition that is no JSON'])(
    'has set aside the run with %s, and stops what worked for it',
    async (kind) => {
      const id = runs.get(kind)!;
      const { state, reason } = await runOf(id);
      expect({ state, code: reason?.code }).toEqual({ state: 'FAILED', code: 'STORED_ROW_UNREADABLE' });
      expect(reason!.message.length).toBeGreaterThan(20);
      await until(() => !isAlive(pidOf(id)));
    },
    30_000,
  );

  it('goes on with the sound run, which ends well', async () => {
    const id = runs.get('sound')!;
    expect(isAlive(pidOf(id))).toBe(true);
    writeFileSync(join(folder, `go-on-${name}`), '');
    await until(async () => (await runOf(id)).state === 'SUCCEEDED');
    // And with what is new.
    const fresh = await trigger('work');
    await until(async () => (await runOf(fresh)).state === 'SUCCEEDED');
  }, 30_000);

  it('shows every list, with what cannot be read in it', async () => {
    const { runs: page } = await ask<{ readonly runs: { readonly nodes: readonly { readonly id: string }[] } }>(
      '{ runs(first: 100) { nodes { id pipelineName state createdAt params reason { code } taskRuns(first: 9) { nodes { taskKey state attempt { state } outputs } } } } }',
    );
    for (const id of runs.values()) expect(page.nodes.map((run) => run.id)).toContain(id);
    const { nodes } = await ask<{ readonly nodes: { readonly nodes: readonly unknown[] } }>(
      '{ nodes(first: 10) { nodes { name connection labels { key } } } }',
    );
    expect(nodes.nodes).toEqual([expect.objectContaining({ name: 'local', connection: 'READY' })]);
    await ask('{ pools { name scheduler { name } } pipelines(first: 10) { nodes { name } } }');
    await ask('{ auditRecords(first: 100) { nodes { action } } }');
    const { tokens } = await ask<{
      readonly tokens: readonly { readonly name: string; readonly revokedAt: unknown }[];
    }>('{ tokens { name revokedAt } }');
    expect(tokens.find((token) => token.name === 'second')!.revokedAt).not.toBeNull();
  });

  it('takes the pipeline whose definition was lost when it is applied again', async () => {
    const { applyPipeline } = await ask<{ readonly applyPipeline: { readonly __typename: string } }>(
      'mutation ($input: ApplyPipelineInput!) { applyPipeline(input: $input) { __typename ... on Error { message } } }',
      {
        input: {
          yaml: "name: broken\ntasks:\n  - key: work\n    runner: shell\n    with: { command: 'true' }\n",
        },
      },
    );
    expect(applyPipeline.__typename).toBe('ApplyPipelinePayload');
    const id = await trigger('broken');
    await until(async () => (await runOf(id)).state === 'SUCCEEDED');
  }, 30_000);

  it('has done so without dropping its memory again and again', () => {
    expect(server.stderr()).not.toContain('drops its memory');
    expect(server.stderr()).not.toContain('dropped its memory');
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
