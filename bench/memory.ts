import { randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { assemble } from '../server/assemble.ts';
import { loadConfig } from '../server/config/load.ts';
import { runId } from '../server/domain/ids.ts';
import { createLog } from '../server/log.ts';
import { aDefinition, aTask } from '../test/support/builders.ts';

/*
 * What a server holds in memory per task run that waits: for a node (READY, in the queue of its pool), or for others
 * (WAITING). No node is there, so that nothing moves. The process's heap after a full collection, before and after.
 *
 *   npm run bench -- memory
 */

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapBytes = (): number => {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
};

const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-memory-'));
const env = { GANTRY_DATA_DIR: folder, GANTRY_ENABLE_MOCK_RUNNER: 'true' };
const loaded = loadConfig({ env, cwd: folder });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
const server = await assemble(loaded.config, createLog('error', 'json'));
await server.engines.start();

const chain = Array.from({ length: 1_000 }, (_, index) =>
  aTask(`t${index}`, { needs: index === 0 ? [] : [`t${index - 1}`] }),
);
const fan = [aTask('work', { forEach: Array.from({ length: 100_000 }, (_, index) => index) })];
for (const { name, tasks, runs, each } of [
  { name: 'WAITING', tasks: chain, runs: 200, each: 1_000 },
  { name: 'READY', tasks: fan, runs: 2, each: 100_000 },
]) {
  await server.store.pipelines.apply(aDefinition(tasks, { name: name.toLowerCase() }), {
    source: null,
    hash: name,
    actor: 'bench',
    at: 0,
  });
  const trigger = (count: number) =>
    Promise.all(
      Array.from({ length: count }, () =>
        server.commands.submit(
          'default',
          {
            type: 'TRIGGER_RUN',
            run: runId(randomUUIDv7()),
            pipeline: name.toLowerCase(),
            version: 1,
            params: {},
            priority: 0,
          },
          'bench',
        ),
      ),
    );
  // The plan of a pipeline and its items are shared by all that wait: only a run more counts.
  await trigger(1);
  const before = heapBytes();
  await trigger(runs);
  const bytes = (heapBytes() - before) / (runs * each);
  console.log(`${name.padEnd(8)} ${(runs * each).toLocaleString('en')} task runs, ${Math.round(bytes)} bytes each`);
}
console.log(`resident: ${Math.round(process.memoryUsage().rss / 1_048_576)} MiB`);
await server.engines.stop();
await server.store.close();
rmSync(folder, { recursive: true, force: true });
process.exit(0);
