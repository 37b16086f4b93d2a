import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnGantry, type Event, type GantryProcess } from './gantry-process.ts';

// The promise of the README: `npm start` on an empty data folder brings a real run to its end and goes on serving.

interface Report {
  readonly packageCount: number;
  readonly packages: readonly {
    readonly name: string;
    readonly version: string | null;
    readonly licence: string | null;
  }[];
  readonly withInstallScripts: readonly { readonly name: string }[];
}

const folder = mkdtempSync(join(tmpdir(), 'gantry-start-'));
const dataDir = join(folder, 'data');
let server: GantryProcess;
let ready: Event;

const stateOf = (event: Event): unknown => (event['run'] as { readonly state?: string } | undefined)?.state;
const isReady = (event: Event): boolean => event['type'] === 'server.ready';

beforeAll(async () => {
  server = spawnGantry(['start', '--port', '0', '--data-dir', dataDir]);
  ready = await server.event(isReady);
}, 60_000);

afterAll(async () => {
  server.child.kill('SIGKILL');
  await server.ended();
  rmSync(folder, { recursive: true, force: true });
});

describe('npm start on an empty data folder', () => {
  it('runs the example to SUCCEEDED, and every one of its task runs', () => {
    const states = server.events.map(stateOf).filter((state) => state !== undefined);
    expect(states.at(-1)).toBe('SUCCEEDED');
    const ended = server.events.flatMap((event) => {
      const taskRun = event['taskRun'] as { readonly taskKey: string; readonly state: string } | undefined;
      return taskRun?.state === 'SUCCEEDED' ? [taskRun.taskKey] : [];
    });
    // One list, eight shards by default, one merge.
    expect(ended.toSorted()).toEqual([...Array<string>(8).fill('audit'), 'list', 'merge']);
  });

  it('leaves a report of what is really installed', () => {
    const path = String(ready['report']);
    expect(readFileSync(path, 'utf8')).toMatch(/^# Dependency audit\n\n\d+ packages/);
    const report = JSON.parse(readFileSync(path.replace(/\.md$/, '.json'), 'utf8')) as Report;
    expect(report.packages.length).toBeGreaterThanOrEqual(report.packageCount);
    const graphql = JSON.parse(readFileSync('node_modules/graphql/package.json', 'utf8')) as { version: string };
    expect(report.packages).toContainEqual(
      expect.objectContaining({ name: 'graphql', version: graphql.version, licence: 'MIT' }),
    );
    // Node 24 itself is installed by a script: see package.json.
    expect(report.withInstallScripts.map(({ name }) => name)).toContain('node');
  });

  it('keeps the admin token where only this user can read it, and nobody gets in without', async () => {
    const file = join(dataDir, 'admin-token');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const token = readFileSync(file, 'utf8').trim();
    expect(String(ready['login'])).toContain(token);
    const ask = (headers: Readonly<Record<string, string>>): Promise<Response> =>
      fetch(`${String(ready['url'])}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query: '{ runs { nodes { state } } }' }),
      });
    expect((await ask({})).status).toBe(401);
    expect(await (await ask({ authorization: `Bearer ${token}` })).json()).toEqual({
      data: { runs: { nodes: [{ state: 'SUCCEEDED' }] } },
    });
  });

  it('lets another process run the same pipeline and follow it to its end', async () => {
    const follower = spawnGantry(['run', 'dependency-audit', '-p', 'shards=2', '--follow'], {
      GANTRY_URL: String(ready['url']),
      GANTRY_DATA_DIR: dataDir,
    });
    expect([await follower.ended(), follower.stderr()]).toEqual([0, '']);
    expect(stateOf(follower.events.at(-1) ?? {})).toBe('SUCCEEDED');
  });

  it('stops in good order at SIGTERM, and goes on where it was, without the example', async () => {
    server.child.kill('SIGTERM');
    expect(await server.ended()).toBe(0);
    server = spawnGantry(['start', '--port', '0', '--data-dir', dataDir]);
    ready = await server.event(isReady);
    expect(server.events.map((event) => event['type'])).toEqual(['server.listening', 'server.ready']);
    expect(existsSync(join(dataDir, 'gantry.db'))).toBe(true);
    const runs = spawnGantry(['runs'], { GANTRY_URL: String(ready['url']), GANTRY_DATA_DIR: dataDir });
    expect(await runs.ended()).toBe(0);
  });
});
