import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnGantry, type Event, type GantryProcess } from '../end-to-end/gantry-process.ts';

// Real processes: a server that is killed, its successor, and a client that follows a run over both.

const folder = mkdtempSync(join(tmpdir(), 'gantry-restart-'));
const processes: GantryProcess[] = [];

function spawned(words: readonly string[], env: Readonly<Record<string, string>> = {}): GantryProcess {
  const child = spawnGantry(words, { GANTRY_DATA_DIR: folder, GANTRY_ENABLE_MOCK_RUNNER: 'true', ...env });
  processes.push(child);
  return child;
}

afterEach(async () => {
  for (const each of processes.splice(0)) {
    each.child.kill('SIGKILL');
    await each.ended();
  }
  rmSync(folder, { recursive: true, force: true });
});

const pipeline = `
name: slow
tasks:
  - key: first
    runner: mock
    with: { outputs: { done: true } }
  - key: second
    needs: [first]
    runner: mock
    with: { durationMs: 1000, checkpoint: true }
  - key: third
    needs: [second]
    runner: mock
`;

const taskRunOf = (
  event: Event,
): { readonly taskKey: string; readonly state: string; readonly attempt: { readonly number: number } } | undefined =>
  event['taskRun'] as never;
const isTask = (key: string, state: string) => (event: Event) =>
  taskRunOf(event)?.taskKey === key && taskRunOf(event)?.state === state;

describe('a server that is killed while a run is followed', () => {
  it('is replaced by one that finishes the run, and the follower notices no more than a pause', async () => {
    writeFileSync(join(folder, 'slow.yaml'), pipeline);
    const first = spawned(['server', '--port', '0']);
    const { url } = await first.event((event) => event['type'] === 'server.listening');
    const env = { GANTRY_URL: String(url) };
    expect(await spawned(['apply', '-f', join(folder, 'slow.yaml')], env).ended()).toBe(0);
    const follower = spawned(['run', 'slow', '--follow'], env);
    await follower.event(isTask('second', 'RUNNING'));

    first.child.kill('SIGKILL');
    await first.ended();
    const successor = spawned(['server', '--port', new URL(String(url)).port]);
    await successor.event((event) => event['type'] === 'server.listening');

    expect([await follower.ended(), follower.stderr()]).toEqual([0, '']);
    expect(follower.events.filter(isTask('first', 'SUCCEEDED'))).toHaveLength(1);
    expect(follower.events.filter(isTask('third', 'SUCCEEDED'))).toHaveLength(1);
    // What had succeeded before was not run again.
    const attempts = follower.events.flatMap((event) =>
      taskRunOf(event)?.taskKey === 'first' ? [taskRunOf(event)?.attempt?.number] : [],
    );
    expect(Math.max(...attempts.map(Number))).toBe(1);
    expect(follower.events.at(-1)).toMatchObject({ run: { state: 'SUCCEEDED' } });

    successor.child.kill('SIGTERM');
    expect(await successor.ended()).toBe(0);
  }, 60_000);
});
