import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { RunningAttempt } from '../../server/agent/running-attempt.ts';
import { AttemptLog } from '../../server/agent/attempt-log.ts';
import { assemble, type Assembly } from '../../server/assemble.ts';
import { loadConfig } from '../../server/config/load.ts';
import { runId, type RunId } from '../../server/domain/ids.ts';
import { EngineRun, EngineTaskRun } from '../../server/engine/core/pool-state.ts';
import { createLog } from '../../server/log.ts';
import { aDefinition, aTask } from '../support/builders.ts';

const RUNS = 300;

// A server in this process, whose objects are counted after its work is done.
describe('a server that has had much to do', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-leaks-'));
  let server: Assembly;
  beforeAll(async () => {
    const env = {
      GANTRY_DATA_DIR: join(folder, 'data'),
      GANTRY_ENABLE_MOCK_RUNNER: 'true',
      GANTRY_RETENTION_RUNS: '10',
      GANTRY_RETENTION_INTERVAL: '1s',
    };
    const loaded = loadConfig({ env, cwd: folder });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    server = await assemble(loaded.config, createLog('error', 'json'));
    await server.engines.start();
    await server.retention.start();
    await server.agent.start();
  });
  afterAll(async () => {
    await server.agent.stop();
    await server.retention.stop();
    await server.engines.stop();
    await server.store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const trigger = async (pipeline: string): Promise<RunId> => {
    const run = runId(randomUUIDv7());
    const command = { type: 'TRIGGER_RUN', run, pipeline, version: 1, params: {}, priority: 0 } as const;
    await server.commands.submit('default', command, 'test');
    return run;
  };

  it('holds no run, task run or attempt that has ended, and keeps as many rows as it should', async () => {
    const tasks = {
      quick: [aTask('a'), aTask('b', { needs: ['a'] })],
      failing: [
        aTask('a', { with: { outcome: 'fail' }, retry: { max: 1, backoff: 'constant', delayMs: 1, maxDelayMs: 1 } }),
      ],
      printing: [aTask('a', { runner: 'shell', with: { command: 'echo hello' } })],
      hanging: [aTask('a', { with: { outcome: 'hang' } })],
    };
    for (const [name, list] of Object.entries(tasks)) {
      await server.store.pipelines.apply(aDefinition(list, { name }), {
        source: null,
        hash: name,
        actor: 'test',
        at: 0,
      });
    }
    const runs = Array.from({ length: RUNS }, (_, index) =>
      index % 10 === 0 ? 'printing' : index % 3 === 0 ? 'failing' : 'quick',
    );
    await Promise.all(runs.map(trigger));
    const hanging = await Promise.all(Array.from({ length: 20 }, () => trigger('hanging')));
    await Promise.all(hanging.map((run) => server.commands.submit('default', { type: 'CANCEL_RUN', run }, 'test')));
    const unfinished = () => server.store.runs.count({ states: ['QUEUED', 'RUNNING', 'PAUSED', 'CANCELLING'] });
    while ((await unfinished()) > 0) await delay(50);
    // Ten of each pipeline are kept.
    while ((await server.store.runs.count({})) > 40) await delay(50);
    while ((await server.store.retention.usage()).removalCount > 0) await delay(50);
    const counted = () =>
      [EngineRun, EngineTaskRun, RunningAttempt, AttemptLog].map((each) => queryObjects(each, { format: 'count' }));
    // The agent hears last that it may forget; an engine at rest may still hold the last batch.
    for (let tries = 0; tries < 200 && counted().some((count) => count > 0); tries++) await delay(50);
    for (const count of counted()) expect(count).toBeLessThanOrEqual(4);
    const { kinds } = await server.store.retention.usage();
    const rows = Object.fromEntries(kinds.map(({ kind, rows: count }) => [kind, count]));
    // At most: 40 runs with 2 task runs each, one of which was tried twice.
    expect(rows['RUNS']).toBeLessThanOrEqual(40 * 4);
    expect(rows['LOGS']).toBeLessThanOrEqual(10);
  });
});
