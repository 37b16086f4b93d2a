import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrivateEngine } from '../../plugins/runner-docker/test/private-engine.ts';
import { PASSWORD, PrivateRegistry, USERNAME } from '../../plugins/runner-docker/test/private-registry.ts';
import { spawnGantry, type GantryProcess } from './gantry-process.ts';

// A server with its node, an engine and a registry that gives nothing away without a password.

const folder = mkdtempSync(join(tmpdir(), 'gantry-private-image-'));
const engine = new PrivateEngine();
const registry = new PrivateRegistry();
const processes: GantryProcess[] = [];
const admin = 'admin-token-of-the-registry-test-0123456789';
let image = '';

const spawned = (words: readonly string[], env: Readonly<Record<string, string>> = {}): GantryProcess => {
  const child = spawnGantry(words, {
    GANTRY_ADMIN_TOKEN: admin,
    GANTRY_TOKEN: admin,
    GANTRY_DATA_DIR: join(folder, 'data'),
    GANTRY_RUNNERS: JSON.stringify({ docker: { host: engine.host, networks: ['none'] } }),
    ...env,
  });
  processes.push(child);
  return child;
};

beforeAll(async () => {
  await Promise.all([engine.start(), registry.start()]);
  image = `${registry.host}/team/app:1`;
  await engine.importImage(image, randomBytes(1 << 17));
  await engine.pushAway(image, { username: USERNAME, password: PASSWORD });
}, 120_000);

afterAll(async () => {
  for (const each of processes) {
    each.child.kill('SIGKILL');
    await each.ended();
  }
  await engine.stop();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

it('A private image is pulled with a secret of the node, whose value is nowhere in what Gantry keeps or shows', async () => {
  writeFileSync(
    join(folder, 'pipeline.yaml'),
    `
name: private
tasks:
  - key: first
    runner: docker
    with:
      image: ${image}
      credentials: { username: ${USERNAME}, password: "\${{ secrets.REGISTRY_PASSWORD }}" }
      command: env; echo came
  - key: stranger
    runner: docker
    with:
      image: ${image}
      pull: always
      credentials: { username: stranger, password: "\${{ secrets.REGISTRY_PASSWORD }}" }
      command: echo never
    allowFailure: true
`,
  );
  const server = spawned(['server', '--port', '0'], { GANTRY_SECRET_REGISTRY_PASSWORD: PASSWORD });
  const { url } = await server.event(({ type }) => type === 'server.listening');
  const env = { GANTRY_URL: String(url) };
  expect(await spawned(['apply', '-f', join(folder, 'pipeline.yaml')], env).ended()).toBe(0);
  const follower = spawned(['run', 'private', '--follow'], env);
  expect(await follower.ended()).toBe(0);
  const query = `{ runs(first: 1) { nodes { state version { definition }
    taskRuns { nodes { taskKey state progress { fraction message } attempt { failure { kind code message } } } } } } }`;
  const answer = await fetch(`${String(url)}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
    body: JSON.stringify({ query }),
  });
  const told = await answer.text();
  const failure = { kind: 'APPLICATION', code: 'PULL_DENIED', message: expect.stringContaining('to stranger') };
  expect(JSON.parse(told)).toMatchObject({
    data: {
      runs: {
        nodes: [
          {
            taskRuns: {
              nodes: expect.arrayContaining([
                expect.objectContaining({ taskKey: 'first', state: 'SUCCEEDED' }),
                expect.objectContaining({ taskKey: 'stranger', state: 'FAILED', attempt: { failure } }),
              ]),
            },
          },
        ],
      },
    },
  });
  server.child.kill('SIGTERM');
  await server.ended();

  expect(told).toContain('secrets.REGISTRY_PASSWORD');
  const said = processes.map(({ events, stderr }) => JSON.stringify(events) + stderr());
  const kept = readdirSync(join(folder, 'data'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
  expect(kept.length).toBeGreaterThan(0);
  for (const text of [told, ...said, ...kept]) expect(text).not.toContain(PASSWORD);
}, 120_000);
