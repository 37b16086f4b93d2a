import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assemble, type Assembly } from '../../server/assemble.ts';
import { systemClock, type Clock } from '../../server/clock.ts';
import { loadConfig } from '../../server/config/load.ts';
import type { TaskRun } from '../../server/domain/task-run.ts';
import { createLog } from '../../server/log.ts';

// A whole server, its agent included, whose time of day is set while a retry waits. What only grows goes on as it did.

const HOUR_MS = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'gantry-clock-set-'));
let server: Assembly;
let setBy = 0;
const clock: Clock = { ...systemClock, now: () => systemClock.now() + setBy };

async function start(name: string): Promise<void> {
  const loaded = loadConfig({ env: { GANTRY_DATA_DIR: join(folder, name) }, cwd: folder });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  server = await assemble(loaded.config, createLog('error', 'json'), clock);
  await server.engines.start();
  await server.agent.start();
}
async function stop(): Promise<void> {
  await server.agent.stop();
  await server.engines.stop();
  await server.store.close();
}

afterEach(async () => {
  await stop();
  setBy = 0;
  rmSync(folder, { recursive: true, force: true });
});

const YAML = `
name: again
tasks:
  - key: work
    runner: shell
    retry: { max: 1, backoff: constant, delay: 6s }
    with: { command: 'test "$GANTRY_ATTEMPT" = 2' }
`;

async function trigger(): Promise<string> {
  const parsed = server.ports.pipelines.parse({ yaml: YAML });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  const { definition, source, hash } = parsed;
  await server.store.pipelines.apply(definition, { source, hash, actor: 'test', at: clock.now() });
  const run = server.ports.newRunId();
  const command = { type: 'TRIGGER_RUN', run, pipeline: 'again', version: 1, params: {}, priority: 0 } as const;
  await server.commands.submit('default', command, 'test', undefined);
  return run;
}

async function untilState(run: string, state: TaskRun['state']): Promise<void> {
  for (;;) {
    const [taskRun] = await server.store.taskRuns.byIds([{ run: run as never, ordinal: 0 }]);
    if (taskRun?.state === state) return;
    await systemClock.sleep(20);
  }
}

describe.each([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
])('a clock that is set an hour %s while a retry waits', (_, byMs) => {
  it('changes nothing: the retry starts after its six seconds, and the node is not lost', async () => {
    await start('running');
    const run = await trigger();
    await untilState(run, 'BACKOFF');
    setBy = byMs;
    // The test's own time is up long before an hour is.
    await untilState(run, 'SUCCEEDED');
    const { rows } = await server.store.nodeRecords.page('local', { first: 10 });
    expect(rows.map(({ row }) => row.type)).toEqual(['REGISTERED']);
  }, 30_000);

  it('and a restart of the server hold it back no longer than its policy does', async () => {
    await start('restarted');
    const run = await trigger();
    await untilState(run, 'BACKOFF');
    await stop();
    setBy = byMs;
    await start('restarted');
    await untilState(run, 'SUCCEEDED');
  }, 30_000);
});
