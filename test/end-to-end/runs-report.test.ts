import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IMAGE, PrivateEngine } from '../../plugins/runner-docker/test/private-engine.ts';
import { spawnGantry, type GantryProcess } from './gantry-process.ts';

// The example that mixes all runners, as a user would run it: a real server, a real engine, its own runs as input.

const folder = mkdtempSync(join(tmpdir(), 'gantry-report-'));
const engine = new PrivateEngine();
const admin = 'admin-token-of-the-report-test-0123456789';
let server: GantryProcess;
let url: string;

beforeAll(async () => {
  await engine.start();
  await engine.importImage();
  mkdirSync(join(folder, 'secrets'), { mode: 0o700 });
  server = spawnGantry(['server', '--port', '0', '--data-dir', join(folder, 'data'), '--http-allow', '127.0.0.1'], {
    GANTRY_ADMIN_TOKEN: admin,
    GANTRY_SECRETS_DIR: join(folder, 'secrets'),
    GANTRY_RUNNERS: JSON.stringify({ docker: { host: engine.host, networks: ['none'] } }),
  });
  url = String((await server.event(({ type }) => type === 'server.listening'))['url']);
}, 120_000);

afterAll(async () => {
  server.child.kill('SIGKILL');
  await server.ended();
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function gantry(...words: readonly string[]) {
  const process = spawnGantry([...words, '--url', url], { GANTRY_TOKEN: admin });
  const code = await process.ended();
  if (code !== 0) throw new Error(`${words.join(' ')}: ${JSON.stringify(process.events)} ${process.stderr()}`);
  return process;
}
async function ask(query: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
    body: JSON.stringify({ query }),
  });
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  return ((await response.json()) as { data: any }).data;
}

it('the report of the latest runs is written by all three runners', async () => {
  const { createToken } = await ask(
    'mutation { createToken(input: { name: "report", role: VIEWER }) { ... on CreateTokenPayload { secret } } }',
  );
  writeFileSync(join(folder, 'secrets/REPORT_TOKEN'), `${createToken.secret}\n`, { mode: 0o600 });
  await gantry('apply', '-f', 'examples/runs-report/pipeline.yaml');
  const params = ['--param', `server=${url}`, '--param', `image=${IMAGE}`];
  // The first run has nothing to report but itself, which has not ended; the second has the first.
  await gantry('run', 'runs-report', ...params, '--follow');
  await gantry('run', 'runs-report', ...params, '--follow');
  const { runs } = await ask(
    '{ runs(first: 1) { nodes { state taskRuns(first: 9) { nodes { taskKey state outputs attempts { number } } } } } }',
  );
  const { state, taskRuns } = runs.nodes[0];
  expect(state).toBe('SUCCEEDED');
  const { outputs } = taskRuns.nodes.find(({ taskKey }: { taskKey: string }) => taskKey === 'report');
  expect(outputs.report).toMatch(/\| runs-report \| 2 \| 0 \| \d+\.\d s \| \d+\.\d s \|/);
  expect(JSON.stringify(taskRuns) + server.stderr()).not.toContain(createToken.secret);
}, 120_000);
