import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IMAGE, PrivateEngine } from '../../plugins/runner-docker/test/private-engine.ts';
import { spawnGantry, type Event, type GantryProcess } from './gantry-process.ts';

// A server with its node that is really killed while a container runs, and its successor on the same data.

const folder = mkdtempSync(join(tmpdir(), 'gantry-container-'));
const engine = new PrivateEngine();
const processes: GantryProcess[] = [];
const admin = 'admin-token-of-the-container-test-0123456789';

const spawned = (words: readonly string[], env: Readonly<Record<string, string>> = {}): GantryProcess => {
  const child = spawnGantry(words, {
    GANTRY_ADMIN_TOKEN: admin,
    GANTRY_TOKEN: admin,
    GANTRY_DATA_DIR: join(folder, 'data'),
    GANTRY_RUNNERS: JSON.stringify({
      docker: { host: engine.host, networks: ['none'], mounts: [{ path: folder, readOnly: false }] },
    }),
    ...env,
  });
  processes.push(child);
  return child;
};

beforeAll(async () => {
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

it('A container outlives the node that began it: its successor follows it, and nothing is begun twice', async () => {
  writeFileSync(
    join(folder, 'pipeline.yaml'),
    `
name: patient
tasks:
  - key: wait
    runner: docker
    with:
      image: ${IMAGE}
      mounts: [{ source: ${folder}, target: /shared, readOnly: false }]
      command: |
        echo begun >> /shared/begun
        echo before
        until [ -e /shared/go ]; do sleep 0.1; done
        echo after
        exit 7
`,
  );
  const first = spawned(['server', '--port', '0']);
  const { url } = await first.event(({ type }) => type === 'server.listening');
  const env = { GANTRY_URL: String(url) };
  expect(await spawned(['apply', '-f', join(folder, 'pipeline.yaml')], env).ended()).toBe(0);
  const follower = spawned(['run', 'patient', '--follow'], env);
  const hasRun = (event: Event) => (event['run'] as { id?: string } | undefined)?.id !== undefined;
  const { run } = (await follower.event(hasRun)) as unknown as { readonly run: { readonly id: string } };
  await spawned(['logs', run.id, 'wait', '--follow'], env).event(({ text }) => String(text).includes('before'));

  first.child.kill('SIGKILL');
  await first.ended();
  writeFileSync(join(folder, 'go'), '');
  const successor = spawned(['server', '--port', new URL(String(url)).port]);
  await successor.event(({ type }) => type === 'server.listening');

  expect(await follower.ended()).not.toBe(0);
  const query = `{ run(id: "${run.id}") { state taskRuns { nodes { attempt { number failure { code exitCode } } } } } }`;
  const answer = await fetch(`${String(url)}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
    body: JSON.stringify({ query }),
  });
  expect(await answer.json()).toMatchObject({
    data: {
      run: {
        state: 'FAILED',
        taskRuns: { nodes: [{ attempt: { number: 1, failure: { exitCode: 7 } } }] },
      },
    },
  });
  expect(readFileSync(join(folder, 'begun'), 'utf8')).toBe('begun\n');
  const logs = spawned(['logs', run.id, 'wait'], env);
  await logs.ended();
  // What was printed before may be told once more, and it is said that it may.
  expect(logs.events.map(({ text }) => String(text)).join('')).toMatch(/before\nafter\n$/);
  // It goes when the server holds the end, and the agent's journal has forgotten the attempt.
  while ((await engine.docker.listContainers({ all: true })).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 100));
}, 120_000);
