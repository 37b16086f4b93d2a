import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { AttemptHarness, runnerChecks } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';
import { PODMAN_IMAGE as image, PrivatePodman } from './private-podman.ts';

const podman = new PrivatePodman();
let harness: AttemptHarness;

const attempt = (config: JsonObject, more: object = {}) => harness.attempt({ image, ...config }, more);
const codeOf = (outcome: Outcome): string => (outcome.ok ? 'ok' : `${outcome.kind} ${outcome.reason.code}`);

beforeAll(async () => {
  await podman.start();
  harness = new AttemptHarness(plugin, { host: podman.host, networks: ['none'] });
}, 120_000);

afterAll(async () => {
  await harness.close();
  await podman.stop();
}, 60_000);

describe('the docker runner with Podman, like every runner,', () => {
  const fixtures = {
    succeeds: { image, command: 'echo "answer:=42" > "$GANTRY_OUTPUT"' },
    fails: { image, command: 'exit 3' },
    endless: { image, command: 'echo begun; exec sleep 1000' },
    prints: { config: { image, command: 'echo an answer' }, text: 'an answer' },
    checkpoints: { image, command: 'sleep 0.3' },
    stubborn: { image, command: "trap '' TERM; echo begun; while :; do sleep 1; done" },
    signalled: { config: { image, command: 'kill -SEGV $$' }, signal: 'SIGSEGV' },
    counts: { config: { image, command: 'for n in $(seq 1000); do echo $n; done' }, upTo: 1_000 },
    binary: {
      config: { image, command: "printf '\\377\\000\\033[2J\\200'" },
      bytes: Buffer.from([255, 0, 27, 91, 50, 74, 128]),
    },
    echoes: { image, command: 'printf %s "$TEXT"' },
    mistakes: [
      { config: { image, command: 'true', user: 'nosuchuser' }, code: 'USER_UNKNOWN' },
      { config: { image, command: 'true', workdir: '/bin/busybox' }, code: 'WORKDIR_NOT_FOUND' },
      { config: { image, command: ['nope'] }, code: 'COMMAND_NOT_FOUND' },
    ],
    // What the engine can do is tried with Docker; here, that another one does the same.
    atOnce: 20,
  };
  it.each(runnerChecks)('$name', async ({ run }) => expect(await run(harness, fixtures)).toBeNull(), 60_000);

  it('leaves no container behind', async () => {
    await harness.forgetAll();
    expect(await podman.docker.listContainers({ all: true })).toEqual([]);
  });
});

it('Podman is known by its name', async () => {
  expect(await plugin.detect!(new AbortController().signal, harness.node)).toMatchObject({
    health: 'HEALTHY',
    attributes: { engine: 'podman' },
  });
});

it('A container of Podman’s that needed too much memory is told apart from one that was killed', async () => {
  const command = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'];
  const resources = { memory: 32 << 20 };
  expect(codeOf(await attempt({ command }, { resources }).run())).toBe('OOM OUT_OF_MEMORY');
  expect(codeOf(await attempt({ command: 'kill -9 $$' }, { resources }).run())).toBe('APPLICATION SIGNAL');
});

it('An image that Podman cannot have is told by why', async () => {
  const missing = { image: 'localhost/none:1', command: 'true' };
  expect(codeOf(await attempt({ ...missing, pull: 'never' }).run())).toBe('APPLICATION IMAGE_MISSING');
  // Port 1 is nobody's.
  const down = { image: '127.0.0.1:1/none:1', command: 'true' };
  expect(codeOf(await attempt(down).run())).toBe('INFRASTRUCTURE REGISTRY_UNREACHABLE');
}, 30_000);
