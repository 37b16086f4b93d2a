import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Attempt, RunnerNode } from '@gantry/plugin-kit/runner';
import shell from '../plugins/runner-shell/src/index.ts';

/*
 * How many commands a second the shell runner starts, its output captured, beside C's posix_spawn in the same run, and
 * again with 1 GiB resident in this process.
 *
 *   npm run bench -- shell
 */
const COUNT = 1_000;
const ROUNDS = 5;
const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const PROGRAM = `#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
extern char **environ;
int main(int c, char **v) { int n = atoi(v[1]), k = atoi(v[2]), live = 0; char *a[] = {"/bin/true", 0};
  for (int i = 0; i < n; i++) { pid_t p; if (posix_spawn(&p, a[0], 0, 0, a, environ)) return 1; if (++live >= k) { int s; wait(&s); live--; } }
  while (live--) { int s; wait(&s); } return 0; }`;
writeFileSync(join(folder, 'spawn.c'), PROGRAM);
const hasCompiler = spawnSync('cc', ['-O2', '-o', join(folder, 'spawn'), join(folder, 'spawn.c')]).status === 0;
if (!hasCompiler) console.log('No C compiler here: the limit cannot be measured.');

const limit = (inFlight: number): number => {
  const began = performance.now();
  spawnSync(join(folder, 'spawn'), [String(COUNT), String(inFlight)]);
  return (COUNT / (performance.now() - began)) * 1_000;
};

let next = 0;
const node: RunnerNode = { name: 'bench', stateDirectory: join(folder, 'state'), settings: {} };
const checked = shell.config.check({ argv: ['/bin/true'] });
if (!checked.ok) throw new Error('The config of the bench is not valid.');
async function one(): Promise<void> {
  const id = `run.${next++}.1`;
  const workdir = join(folder, 'work', id);
  mkdirSync(workdir, { recursive: true });
  const never = new AbortController().signal;
  const attempt = {
    id,
    number: 1,
    runId: 'run',
    taskKey: 'task',
    config: checked.ok && checked.config,
    env: {},
    inputs: {},
    workdir,
    stop: never,
    kill: never,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    checkpoint: () => Promise.resolve(),
    started: () => undefined,
  };
  const outcome = await shell.run(attempt as unknown as Attempt<never, never>, node);
  if (!outcome.ok) throw new Error(outcome.reason.message);
}
async function runner(inFlight: number): Promise<number> {
  let left = COUNT;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) await one();
    }),
  );
  return (COUNT / (performance.now() - began)) * 1_000;
}

await runner(8);
for (const inFlight of [1, 2, 8, 32]) {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    if (hasCompiler) theirs.push(limit(inFlight));
    ours.push(await runner(inFlight));
  }
  const ratio = hasCompiler
    ? `  posix_spawn ${Math.round(median(theirs))}/s  ratio ${(median(ours) / median(theirs)).toFixed(2)}`
    : '';
  console.log(`${String(inFlight).padStart(2)} in flight: shell runner ${Math.round(median(ours))}/s${ratio}`);
}
const before = median([await runner(8), await runner(8), await runner(8)]);
const ballast = Array.from({ length: 32 }, (_, index) => Buffer.alloc(32 * 1_048_576, index + 1));
const after = median([await runner(8), await runner(8), await runner(8)]);
console.log(
  `with ${Math.round(process.memoryUsage().rss / 1_048_576)} MiB resident: ${Math.round(after)}/s, ${(after / before).toFixed(2)} of before (${ballast.length} × 32 MiB)`,
);
await shell.close!();
rmSync(folder, { recursive: true, force: true });
