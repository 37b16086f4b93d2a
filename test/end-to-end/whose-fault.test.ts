import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { IMAGE, PrivateEngine } from '../../plugins/runner-docker/test/private-engine.ts';
import { spawnGantry, type GantryProcess } from './gantry-process.ts';

// A server with its node and an engine: what a task got wrong fails it once, and says where.

const folder = mkdtempSync(join(tmpdir(), 'gantry-whose-fault-'));
const engine = new PrivateEngine();
const processes: GantryProcess[] = [];
const admin = 'admin-token-of-the-fault-test-0123456789';

const spawned = (words: readonly string[], env: Readonly<Record<string, string>> = {}): GantryProcess => {
  const child = spawnGantry(words, {
    GANTRY_ADMIN_TOKEN: admin,
    GANTRY_TOKEN: admin,
    GANTRY_DATA_DIR: join(folder, 'data'),
    GANTRY_RUNNERS: JSON.stringify({
      docker: { host: engine.host, networks: ['none'], mounts: [{ path: join(folder, 'mount') }] },
    }),
    ...env,
  });
  processes.push(child);
  return child;
};

beforeAll(async () => {
  mkdirSync(join(folder, 'mount'));
  await engine.start();
  await engine.importImage();
}, 120_000);

afterAll(async () => {
  for (const each of processes) {
    each.child.kill('SIGKILL');
    await each.ended();
  }
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const MISTAKES = [
  ['user', 'docker', { image: IMAGE, command: 'true', user: 'nosuchuser' }, 'USER_UNKNOWN'],
  [
    'mount',
    'docker',
    { image: IMAGE, command: 'true', mounts: [{ source: join(folder, 'mount'), target: '/proc' }] },
    'MOUNT_INVALID',
  ],
  ['workdir', 'docker', { image: IMAGE, command: 'true', workdir: '/bin/busybox' }, 'WORKDIR_NOT_FOUND'],
  ['command', 'docker', { image: IMAGE, command: ['nope'] }, 'COMMAND_NOT_FOUND'],
  ['image', 'docker', { image: '${{ params.image }}', command: 'true' }, 'BAD_CONFIG'],
  ['shell-user', 'shell', { command: 'true', user: 'nosuchuser' }, 'USER_NOT_ALLOWED'],
  ['shell-workdir', 'shell', { command: 'true', workdir: '/no/such/folder' }, 'WORKDIR_NOT_FOUND'],
] as const;

it('What a task got wrong fails it once, and is told by the field; an item too large for a variable is no mistake', async () => {
  const tasks = [
    ...MISTAKES.map(([key, runner, config]) => ({ key, runner, with: config, allowFailure: true })),
    {
      key: 'list',
      runner: 'shell',
      with: {
        command: `node -e 'console.log("items:=" + JSON.stringify(["x".repeat(150_000)]))' >> "$GANTRY_OUTPUT"`,
      },
    },
    {
      key: 'large',
      needs: ['list'],
      forEach: '${{ tasks.list.outputs.items }}',
      runner: 'shell',
      with: { command: 'echo "size:=$(wc -c < "$GANTRY_ITEM_FILE")" >> "$GANTRY_OUTPUT"' },
    },
  ];
  const params = { image: { type: 'string', default: 'bb :1' } };

  writeFileSync(join(folder, 'pipeline.json'), JSON.stringify({ name: 'mistakes', params, tasks }));
  const server = spawned(['server', '--port', '0']);
  const { url } = await server.event(({ type }) => type === 'server.listening');
  const env = { GANTRY_URL: String(url) };
  expect(await spawned(['apply', '-f', join(folder, 'pipeline.json')], env).ended()).toBe(0);
  await spawned(['run', 'mistakes', '--follow'], env).ended();
  const query = `{ runs(first: 1) { nodes { taskRuns(first: 50) { nodes { taskKey state outputs
    attempts { number failure { kind code } } } } } } }`;
  const answer = await fetch(`${String(url)}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
    body: JSON.stringify({ query }),
  });
  const told = (await answer.json()) as {
    readonly data: {
      readonly runs: { readonly nodes: readonly [{ readonly taskRuns: { readonly nodes: readonly object[] } }] };
    };
  };
  const taskRuns = told.data.runs.nodes[0].taskRuns.nodes;
  for (const [taskKey, , , failureCode] of MISTAKES) {
    expect(taskRuns).toContainEqual(
      expect.objectContaining({
        taskKey,
        state: 'FAILED',
        attempts: [{ number: 1, failure: { kind: 'APPLICATION', code: failureCode } }],
      }),
    );
  }
  expect(taskRuns).toContainEqual(
    expect.objectContaining({ taskKey: 'large', state: 'SUCCEEDED', outputs: { size: 150_000 } }),
  );

  // A name that can be seen to be none is refused before that.
  const applied = async (image: string) => {
    const definition = { name: 'named', tasks: [{ key: 'a', runner: 'docker', with: { image, command: 'true' } }] };
    writeFileSync(join(folder, 'named.json'), JSON.stringify(definition));
    return await spawned(['apply', '-f', join(folder, 'named.json')], env).ended();
  };
  expect(await applied('registry.example/app:1')).toBe(0);
  for (const image of ['bb :1', 'registry.example//app:1', 'http://registry.example/app'])
    expect(await applied(image)).toBe(1);
  server.child.kill('SIGTERM');
  await server.ended();
}, 120_000);
