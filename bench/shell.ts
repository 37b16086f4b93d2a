// How many commands a second does the shell runner start and hear out, with their output captured? `npm run bench --
// shell` prints it for 1, 2, 8 and 32 in flight beside C's posix_spawn with and without capture in the same run (interleaved,
// medians), then again with 1 GiB resident in this process, as a large server would have, beside Node's own spawn.
// The working folders, which are the agent's to make, are made outside the timing; what they add is printed, too.
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Attempt, RunnerNode } from '@gantry/plugin-kit/runner';
import shell from '../plugins/runner-shell/src/index.ts';

const COUNT = 1_000;
const ROUNDS = 5;
const IN_FLIGHT = [1, 2, 8, 32];
const GIBIBYTE = 1_073_741_824;

// With a third word each command's two streams are pipes that are read to their ends, as a program that wants its output
// has to; without, they are nobody's.
const C_PROGRAM = `#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
static char *words[] = {"/bin/true", 0};
static struct { pid_t pid; int fd[2], open; } slot[64];
static void start(int i) {
  posix_spawn_file_actions_t actions;
  int ends[2][2];
  posix_spawn_file_actions_init(&actions);
  for (int k = 0; k < 2; k++) {
    if (pipe2(ends[k], O_CLOEXEC)) exit(1);
    posix_spawn_file_actions_adddup2(&actions, ends[k][1], k + 1);
    slot[i].fd[k] = ends[k][0];
  }
  if (posix_spawn(&slot[i].pid, words[0], &actions, 0, words, environ)) exit(1);
  posix_spawn_file_actions_destroy(&actions);
  for (int k = 0; k < 2; k++) close(ends[k][1]);
  slot[i].open = 2;
}
static int captured(int count, int in_flight) {
  struct pollfd polled[128];
  char text[4096];
  int started = 0, ended = 0, status;
  while (started < in_flight && started < count) start(started++);
  while (ended < count) {
    for (int i = 0; i < in_flight * 2; i++)
      polled[i] = (struct pollfd){slot[i / 2].open ? slot[i / 2].fd[i % 2] : -1, POLLIN, 0};
    if (poll(polled, in_flight * 2, -1) < 0) return 1;
    for (int i = 0; i < in_flight * 2; i++) {
      if (polled[i].fd < 0 || !polled[i].revents || read(polled[i].fd, text, sizeof text) > 0) continue;
      close(polled[i].fd);
      slot[i / 2].fd[i % 2] = -1;
      if (--slot[i / 2].open) continue;
      waitpid(slot[i / 2].pid, &status, 0);
      ended++;
      if (started < count) { start(i / 2); started++; }
    }
  }
  return 0;
}
int main(int argc, char **argv) {
  int count = atoi(argv[1]), in_flight = atoi(argv[2]), live = 0, status;
  if (argc > 3) return captured(count, in_flight);
  for (int i = 0; i < count; i++) {
    pid_t pid;
    if (posix_spawn(&pid, words[0], 0, 0, words, environ)) return 1;
    if (++live >= in_flight) { wait(&status); live--; }
  }
  while (live-- > 0) wait(&status);
  return 0;
}
`;

const folder = mkdtempSync(join(tmpdir(), 'gantry-bench-shell-'));
const node: RunnerNode = { name: 'bench', stateDirectory: join(folder, 'state'), settings: {} };
const run = randomUUID();
const never = new AbortController().signal;
let attempts = 0;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const rate = (count: number, beganAt: number): number => (count / (performance.now() - beganAt)) * 1_000;
const rounded = (value: number): string => Math.round(value).toLocaleString('en').padStart(6);

const program = compiled();
const direct = configOf({ argv: ['/bin/true'] });
const throughShell = configOf({ command: ': captured; exec /bin/true' });

try {
  await rateOf(direct, 8);
  console.log(`\n${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}; /bin/true, commands per second\n`);
  if (program === null) console.log('No C compiler (cc) is here: the limit cannot be measured.\n');
  console.log(
    'in flight   posix_spawn, captured   runner-shell   ratio   not captured   ratio   with working folders   through /bin/sh -c',
  );
  for (const inFlight of IN_FLIGHT) await compare(inFlight);
  await withAGibibyte();
} finally {
  await shell.close!();
  rmSync(folder, { recursive: true, force: true });
}

async function compare(inFlight: number): Promise<void> {
  const limits: number[] = [];
  const barely: number[] = [];
  const ours: number[] = [];
  const withFolders: number[] = [];
  const shells: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    if (program !== null) {
      limits.push(limit(program, inFlight, true));
      barely.push(limit(program, inFlight, false));
    }
    // A steady state: files of attempts are removed a moment after these have ended, and each is to pay for its own kind.
    await rateOf(direct, inFlight);
    ours.push(await rateOf(direct, inFlight));
    withFolders.push(await rateOf(direct, inFlight, false));
    shells.push(await rateOf(throughShell, inFlight));
  }
  const [ceiling, bare, own] = [limits, barely, ours].map((rates) => (rates.length > 0 ? median(rates) : NaN)) as [
    number,
    number,
    number,
  ];
  const cells: readonly [text: string, width: number][] = [
    [String(inFlight), 9],
    [rounded(ceiling), 21],
    [rounded(own), 12],
    [(own / ceiling).toFixed(2), 5],
    [rounded(bare), 12],
    [(own / bare).toFixed(2), 5],
    [rounded(median(withFolders)), 20],
    [rounded(median(shells)), 18],
  ];
  console.log(cells.map(([text, width]) => text.padStart(width)).join('   '));
}

/** The same again from a large process. Node's own spawn shows what a fork from it would cost. */
async function withAGibibyte(): Promise<void> {
  const measure = async () => {
    const ours: number[] = [];
    for (let round = 0; round < ROUNDS; round++) ours.push(await rateOf(direct, 8));
    return { ours: median(ours), own: await spawnedHere(100) };
  };
  const before = await measure();
  const ballast = Buffer.alloc(GIBIBYTE, 1);
  const after = await measure();
  console.log(
    `\n8 in flight, ${Math.round(process.memoryUsage.rss() / 1_048_576)} MiB resident (${ballast.length >> 20} of them ballast): ` +
      `runner-shell ${rounded(after.ours).trim()}, ${(after.ours / before.ours).toFixed(2)} of before; ` +
      `Node's spawn ${rounded(after.own).trim()}, ${(after.own / before.own).toFixed(2)} of before\n`,
  );
}

function compiled(): string | null {
  const source = join(folder, 'spawn.c');
  const path = join(folder, 'spawn');
  writeFileSync(source, C_PROGRAM);
  return spawnSync('cc', ['-O2', '-o', path, source]).status === 0 ? path : null;
}

function limit(path: string, inFlight: number, isCaptured: boolean): number {
  const beganAt = performance.now();
  const words = [String(COUNT), String(inFlight), ...(isCaptured ? ['captured'] : [])];
  if (spawnSync(path, words).status !== 0) throw new Error('posix_spawn failed.');
  return rate(COUNT, beganAt);
}

async function spawnedHere(count: number): Promise<number> {
  const beganAt = performance.now();
  let left = count;
  const one = () => new Promise((resolve) => spawn('/bin/true', { stdio: 'ignore' }).on('exit', resolve));
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (left-- > 0) await one();
    }),
  );
  return rate(count, beganAt);
}

async function rateOf(config: unknown, inFlight: number, areFoldersMade = true): Promise<number> {
  const todo = Array.from({ length: COUNT }, () => {
    const workdir = join(folder, 'work', `${run}.${++attempts}.1`);
    if (areFoldersMade) mkdirSync(workdir, { recursive: true });
    return attemptOf(config, attempts, workdir);
  });
  const beganAt = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let attempt; (attempt = todo.pop());) {
        if (!areFoldersMade) mkdirSync(attempt.workdir, { recursive: true });
        const outcome = await shell.run(attempt, node);
        if (!outcome.ok) throw new Error(outcome.reason.message);
        if (!areFoldersMade) rmSync(attempt.workdir, { recursive: true });
      }
    }),
  );
  return rate(COUNT, beganAt);
}

function configOf(value: unknown): unknown {
  const checked = shell.config.check(value);
  if (!checked.ok) throw new Error(checked.problems[0]?.message);
  return checked.config;
}

type ShellAttempt = Parameters<typeof shell.run>[0];
function attemptOf(config: unknown, number: number, workdir: string): ShellAttempt {
  const sink = () => new Writable({ write: (_piece, _encoding, done) => done() });
  const attempt: Attempt = {
    id: `${run}.${number}.1`,
    number: 1,
    runId: run,
    taskKey: 'task',
    config,
    env: { GANTRY_PARAM_NAME: 'value' },
    inputs: {},
    workdir,
    resources: {},
    gpus: [],
    deadline: null,
    stop: never,
    kill: never,
    stdout: sink(),
    stderr: sink(),
    checkpoint: () => Promise.resolve(),
    preparing: () => undefined,
    started: () => undefined,
    progress: () => undefined,
    previousState: null,
    saveState: () => Promise.resolve(),
  };
  return attempt as ShellAttempt;
}
