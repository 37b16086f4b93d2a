// What does the docker runner cost beside `docker run`? `npm run bench -- docker` runs the same command in as many
// containers by both, one after the other and eight at once, in turns. Needs an engine, its command line and an image:
// --host unix:///var/run/docker.sock --image alpine:3.22 --runs 24 --network none
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { AttemptHarness } from '@gantry/plugin-kit/testing';
import docker from '@gantry/runner-docker';
import type { RunnerPlugin } from '@gantry/plugin-kit/runner';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock' },
    image: { type: 'string', default: 'alpine:3.22' },
    runs: { type: 'string', default: '24' },
    network: { type: 'string', default: 'none' },
  },
});
const { host, image, network } = values;
const runs = Number(values.runs);
const ROUNDS = 3;

const harness = new AttemptHarness(docker as unknown as RunnerPlugin, { host, networks: [network] });

async function byGantry(): Promise<void> {
  const attempt = harness.attempt({ image, network, pull: 'never', command: 'echo hello' });
  const outcome = await attempt.run();
  if (!outcome.ok) throw new Error(outcome.reason.message);
}

function byCommandLine(): Promise<void> {
  const safe = ['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--pids-limit', '1024', '--init'];
  const args = ['-H', host, 'run', '--rm', '--network', network, ...safe, image, '/bin/sh', '-c', 'echo hello'];
  return new Promise((resolve, reject) => {
    const child = spawn('docker', args, { stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`docker run ended with ${code}.`))));
  });
}

async function secondsFor(run: () => Promise<void>, concurrency: number): Promise<number> {
  const began = performance.now();
  let left = runs;
  const worker = async () => {
    while (left-- > 0) await run();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return (performance.now() - began) / 1_000;
}

const median = (times: readonly number[]): number => times.toSorted((one, other) => one - other)[times.length >> 1]!;

await byGantry();
await byCommandLine();
console.log(`${runs} containers, median of ${ROUNDS} rounds in turns.`);
for (const concurrency of [1, 8]) {
  const gantry: number[] = [];
  const commandLine: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    gantry.push(await secondsFor(byGantry, concurrency));
    commandLine.push(await secondsFor(byCommandLine, concurrency));
  }
  const [ours, theirs] = [median(gantry), median(commandLine)];
  console.log(
    `${concurrency} at once: gantry ${ours.toFixed(2)} s, docker run ${theirs.toFixed(2)} s, ratio ${(ours / theirs).toFixed(2)}`,
  );
}
await harness.close();
