import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskRunView } from '../../server/cli/run-progress.ts';
import { spawnGantry, type GantryProcess } from './gantry-process.ts';

// What an attempt tells of itself, from its runner to the one who asks.

const folder = mkdtempSync(join(tmpdir(), 'gantry-attempts-'));
const token = 'admin-token-of-the-attempts-test-0123456789';
const CANARY = 'canary-0123456789-abcdef';
let server: GantryProcess;
let url: string;

beforeAll(async () => {
  const words = ['server', '--port', '0', '--data-dir', join(folder, 'data'), '--enable-mock-runner'];
  server = spawnGantry(words, { GANTRY_ADMIN_TOKEN: token, GANTRY_SECRET_CANARY: CANARY });
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

/** Applies a pipeline of these tasks, in YAML, and runs it to its end, followed. */
async function runToEnd(name: string, tasks: readonly string[]): Promise<{ run: string; follower: GantryProcess }> {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, [`name: ${name}`, 'tasks:', ...tasks].join('\n'));
  const applied = spawnGantry(['apply', '-f', file, '--url', url], { GANTRY_TOKEN: token });
  expect([await applied.ended(), applied.stderr()]).toEqual([0, '']);
  const follower = spawnGantry(['run', name, '--follow', '--url', url], { GANTRY_TOKEN: token });
  await follower.ended();
  const { runs } = await ask(`{ runs(first: 1, filter: { pipeline: "${name}" }) { nodes { id } } }`);
  return { run: runs.nodes[0].id, follower };
}

describe('an attempt', () => {
  it('tells what it used up, and each of its tries does', async () => {
    const { run } = await runToEnd('used', [
      '  - key: work',
      '    runner: mock',
      '    retry: { max: 1, delay: 0s }',
      '    with: { failFirst: 1, usage: { peakMemoryBytes: 5368709120, cpuMs: 90500 } }',
      '  - { key: silent, runner: mock }',
    ]);
    const query = `{ run(id: "${run}") { taskRuns(first: 5) { nodes { taskKey attempts { number usage { peakMemoryBytes cpuMs } } } } } }`;
    const usage = { peakMemoryBytes: 5_368_709_120, cpuMs: 90_500 };
    expect((await ask(query)).run.taskRuns.nodes).toEqual([
      { taskKey: 'work', attempts: [1, 2].map((number) => ({ number, usage })) },
      { taskKey: 'silent', attempts: [{ number: 1, usage: null }] },
    ]);
  }, 60_000);

  it('tells how far it is while it runs, to those who watch, and leaves nothing behind', async () => {
    const { run, follower } = await runToEnd('far', [
      '  - { key: work, runner: mock, with: { durationMs: 900, steps: 3 } }',
    ]);
    const progressed = follower.events.filter(({ type }) => type === 'taskRun.progressed');
    const told = (key: string) =>
      progressed
        .map(({ taskRun }) => taskRun as TaskRunView)
        .filter(({ taskKey, progress }) => taskKey === key && progress !== null);
    expect(told('work')[0]!.progress).toEqual({ fraction: 1 / 3, done: 1, total: 3, message: 'step 1' });
    const cursors = new Set(follower.events.map(({ cursor }) => cursor));
    // What is in no log has the cursor of what came before: who goes on from it misses nothing.
    expect(progressed.every(({ cursor }) => cursors.has(cursor))).toBe(true);
    const data = await ask(`{ run(id: "${run}") { taskRuns(first: 5) { nodes { state progress { fraction } } } } }`);
    expect(data.run.taskRuns.nodes[0]).toEqual({ state: 'SUCCEEDED', progress: null });
  }, 60_000);

  it('hands what it saved to the next try', async () => {
    const { run } = await runToEnd('saved', [
      '  - key: work',
      '    runner: mock',
      '    retry: { max: 1, delay: 0s }',
      '    with: { failFirst: 1, save: { page: 7 } }',
    ]);
    const { run: ended } = await ask(
      `{ run(id: "${run}") { state taskRuns(first: 1) { nodes { attempts { state } } } } }`,
    );
    const attempts = [{ state: 'FAILED' }, { state: 'SUCCEEDED' }];
    expect(ended).toEqual({ state: 'SUCCEEDED', taskRuns: { nodes: [{ attempts }] } });
    const logs = spawnGantry(['logs', run, 'work', '--url', url], { GANTRY_TOKEN: token });
    await logs.ended();
    expect(logs.events.map(({ text }) => text)).toEqual(['after {"page":7}\n']);
  }, 60_000);

  it('that lacks a secret of the node never begins, costs nothing, and says which', async () => {
    const yaml =
      'name: lacking\ntasks:\n  - { key: a, runner: shell, env: { T: "${{ secrets.NOT_THERE }}" }, with: { command: "true" } }';
    await ask('mutation ($yaml: String!) { applyPipeline(input: { yaml: $yaml }) { __typename } }', { yaml });
    const { triggerRun } = await ask(
      'mutation { triggerRun(input: { pipeline: "lacking" }) { ... on TriggerRunPayload { run { id } } } }',
    );
    const { id } = triggerRun.run;
    for (;;) {
      const { run } = await ask(
        `{ run(id: "${id}") { taskRuns(first: 1) { nodes { losses reason { code message } attempt { state } } } } }`,
      );
      const [taskRun] = run.taskRuns.nodes;
      if (taskRun.reason === null) continue;
      expect(taskRun).toMatchObject({ losses: 0, reason: { code: 'SECRET_MISSING' }, attempt: { state: 'REJECTED' } });
      expect(taskRun.reason.message).toContain('NOT_THERE');
      break;
    }
    await ask(`mutation { cancelRun(input: { id: "${id}" }) { __typename } }`);
  }, 60_000);

  it('has secrets that are nowhere else: not in the database, the API, the log, nor on the disk', async () => {
    const { run, follower } = await runToEnd(
      'secret',
      [
        '  - key: use',
        '    runner: shell',
        '    env: { TOKEN: "${{ secrets.CANARY }}", SPELT: "$ {{ secrets.CANARY }}" }',
        '    with:',
        '      command: |',
        '        echo "$TOKEN"; printf %s "$TOKEN" | base64 >&2; test "$(printf %s "$TOKEN" | wc -c)" = 24 || exit 9',
        '        echo "token=$TOKEN" >> $GANTRY_OUTPUT; echo \'mark=${{ secrets.CANARY }}\' | sed "s/\\$ /$/" >> $GANTRY_OUTPUT',
        '  - key: again',
        '    needs: use',
        '    runner: shell',
        '    env: { MARK: "${{ tasks.use.outputs.mark }}" }',
        '    with: { command: \'echo "[$MARK]"\' }',
      ].map((line) => line.replace("'mark=${{", "'mark=$ {{")),
    );
    const fields = 'key: taskKey state outputs attempts { failure { kind code message remedy } }';
    const answer = await ask(
      `{ run(id: "${run}") { params version { source } taskRuns(first: 9) { nodes { ${fields} } } } }`,
    );
    const [use] = answer.run.taskRuns.nodes;
    expect(use).toMatchObject({ state: 'SUCCEEDED', outputs: { token: '***', mark: '${{ secrets.CANARY }}' } });
    const logs = spawnGantry(['logs', run, '--url', url], { GANTRY_TOKEN: token });
    await logs.ended();
    const printed = logs.events.map(({ text }) => text);
    // What spells an expression is text.
    expect(printed).toContain('[${{ secrets.CANARY }}]\n');
    const said = JSON.stringify([answer, follower.events, logs.events, server.events]) + server.stderr();
    const forms = [CANARY, Buffer.from(CANARY).toString('base64').slice(0, 20)];
    for (const form of forms) expect(said).not.toContain(form);
    // A runner keeps what a command wrote until its end is known, on a node that does nothing else as well.
    for (let left = contentOf(folder); forms.some((form) => left.includes(form)); left = contentOf(folder))
      await new Promise((resolve) => setTimeout(resolve, 50));
  }, 60_000);
});

/** Everything in a folder, as one text. */
function contentOf(place: string): string {
  const found = statSync(place, { throwIfNoEntry: false });
  // Removed since its folder was read.
  if (!found) return '';
  if (!found.isDirectory()) return readFileSync(place, 'latin1');
  return readdirSync(place)
    .map((name) => contentOf(join(place, name)))
    .join('\n');
}
