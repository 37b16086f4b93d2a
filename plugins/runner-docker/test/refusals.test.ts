import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { AttemptHarness } from '@gantry/plugin-kit/testing';
import type Docker from 'dockerode';
import plugin from '../src/index.ts';
import { deriveImage, IMAGE, PrivateEngine } from './private-engine.ts';
import { PODMAN_IMAGE, PrivatePodman } from './private-podman.ts';

const docker = new PrivateEngine();
const podman = new PrivatePodman();
const folder = mkdtempSync(join(tmpdir(), 'gantry-refusals-'));
const source = join(folder, 'data');
mkdirSync(source);

beforeAll(async () => {
  await Promise.all([docker.start().then(() => docker.importImage()), podman.start()]);
  await docker.importShellless('gantry-shellless:1');
}, 120_000);

afterAll(async () => {
  await Promise.all([docker.stop(), podman.stop()]);
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const codeOf = (outcome: Outcome): string => (outcome.ok ? 'ok' : `${outcome.kind} ${outcome.reason.code}`);
const mount = (target: string): JsonObject => ({ mounts: [{ source, target }] });

/** What an engine, or the kernel below it, makes of a task’s mistake: the same whatever the engine’s status is. */
const MISTAKES: readonly (readonly [what: string, config: JsonObject, code: string])[] = [
  ['a user that the image does not have', { user: 'nosuchuser' }, 'USER_UNKNOWN'],
  ['a group that the image does not have', { user: '0:nosuchgroup' }, 'USER_UNKNOWN'],
  ['a user ID that no kernel has', { user: '99999999999' }, 'USER_UNKNOWN'],
  ['a mount on /proc', mount('/proc'), 'MOUNT_INVALID'],
  ['a mount below /proc', mount('/proc/x'), 'MOUNT_INVALID'],
  ['a mount on /', mount('/'), 'MOUNT_INVALID'],
  ['a mount on / by a detour', mount('/a/../..'), 'MOUNT_INVALID'],
  ['a mount on /dev', mount('/dev'), 'MOUNT_INVALID'],
  ['a mount on /dev/null', mount('/dev/null'), 'MOUNT_INVALID'],
  ['a mount below /sys', mount('/sys/x'), 'MOUNT_INVALID'],
  ['a mount of a folder on a file', mount('/bin/busybox'), 'MOUNT_INVALID'],
  ['a mount below a file', mount('/bin/busybox/x'), 'MOUNT_INVALID'],
  ['a mount on Gantry’s own folder', mount('/gantry'), 'MOUNT_INVALID'],
  ['memory on /proc', { tmpfs: ['/proc'] }, 'MOUNT_INVALID'],
  ['memory on a file', { tmpfs: ['/bin/busybox'] }, 'MOUNT_INVALID'],
  ['a working folder that is a file', { workdir: '/bin/busybox' }, 'WORKDIR_NOT_FOUND'],
  ['a working folder below a file', { workdir: '/bin/busybox/x' }, 'WORKDIR_NOT_FOUND'],
  ['a working folder in /proc', { workdir: '/proc/x' }, 'WORKDIR_NOT_FOUND'],
  ['a command that the image does not have', { command: ['nope'] }, 'COMMAND_NOT_FOUND'],
  ['a path that the image does not have', { command: ['/nope'] }, 'COMMAND_NOT_FOUND'],
  ['a folder as its command', { command: ['/etc'] }, 'COMMAND_NOT_EXECUTABLE'],
  ['a file that is no program as its command', { command: ['/proc/mounts'] }, 'COMMAND_NOT_EXECUTABLE'],
  ['a missing command, without an init', { command: ['nope'], init: false }, 'COMMAND_NOT_FOUND'],
  ['a folder as its command, without an init', { command: ['/etc'], init: false }, 'COMMAND_NOT_EXECUTABLE'],
  ['an entrypoint that the image does not have', { entrypoint: ['/nope'], command: 'true' }, 'COMMAND_NOT_FOUND'],
  ['no command at all', { command: undefined } as never, 'NO_COMMAND'],
  ['too few processes for an init', { pids: 1 }, 'PROCESS_LIMIT'],
  ['a word that is too large', { command: ['echo', 'x'.repeat(140_000)] }, 'BAD_SPEC'],
  ['another container’s network', { network: 'container:x' }, 'NETWORK_REFUSED'],
  ['the network of the host', { network: 'host' }, 'NETWORK_REFUSED'],
];

describe.each([
  ['Docker', () => docker, IMAGE],
  ['Podman', () => podman, PODMAN_IMAGE],
] as const)('with %s, the task is at fault, and not the node, for', (_, engine, image) => {
  let harness: AttemptHarness;
  beforeAll(() => {
    harness = new AttemptHarness(plugin, { host: engine().host, networks: ['none'], mounts: [{ path: folder }] });
  });
  afterAll(() => harness.close());

  it.each(MISTAKES)(
    '%s',
    async (__, config, code) => {
      const given = Object.entries({ image, command: 'true', ...config }).filter(([, value]) => value !== undefined);
      const attempt = harness.attempt(Object.fromEntries(given));
      attempt.checkpoint = () => Promise.resolve();
      expect(codeOf(await attempt.run())).toBe(`APPLICATION ${code}`);
      // Its time counts from where the command begins.
      if (!['PROCESS_LIMIT', 'COMMAND_NOT_FOUND', 'COMMAND_NOT_EXECUTABLE'].includes(code))
        expect(attempt.hasStarted).toBe(false);
      await harness.forgetAll();
      expect(await engine().docker.listContainers({ all: true })).toEqual([]);
    },
    30_000,
  );
});

describe('with Docker,', () => {
  let harness: AttemptHarness;
  const run = async (config: JsonObject, more: object = {}) => {
    const attempt = harness.attempt({ image: IMAGE, command: 'true', ...config }, more);
    return { outcome: await attempt.run(), text: attempt.text, said: String(Buffer.concat(attempt.printed.stderr)) };
  };
  beforeAll(() => {
    harness = new AttemptHarness(plugin, { host: docker.host, networks: ['none'], mounts: [{ path: folder }] });
  });
  afterAll(() => harness.close());

  it('an image without a shell is named, and what to do', async () => {
    for (const init of [true, false]) {
      const { outcome } = await run({ image: 'gantry-shellless:1', command: 'echo x', init });
      expect(outcome).toMatchObject({
        kind: 'APPLICATION',
        exitCode: 127,
        reason: {
          code: 'COMMAND_NOT_FOUND',
          message: expect.stringContaining('The image gantry-shellless:1 has no /bin/sh'),
          remedy: expect.stringContaining('list of words'),
        },
      });
    }
    const words = await run({ image: 'gantry-shellless:1', command: ['/bin/busybox', 'echo', 'x'] });
    expect([codeOf(words.outcome), words.text]).toEqual(['ok', 'x\n']);
    // The shell's own 127 is the command's.
    expect(codeOf((await run({ command: 'nosuchcommand' })).outcome)).toBe('APPLICATION EXIT_CODE');
    // Nor does a command become one that never began by what it prints.
    const liar = await run({
      command: 'echo; echo "[FATAL tini (7)] exec x failed: No such file or directory" >&2; exit 127',
    });
    expect(codeOf(liar.outcome)).toBe('APPLICATION EXIT_CODE');
  }, 30_000);

  it('as little of a processor as a task likes is enough to begin', async () => {
    expect(codeOf((await run({}, { resources: { cpu: 1 } })).outcome)).toBe('ok');
    const little = await run({}, { resources: { memory: 1_000_000 } });
    expect(codeOf(little.outcome)).toBe('APPLICATION MEMORY_TOO_SMALL');
  });

  it('Gantry’s own variables step aside into files where they are too large, and the task’s own are refused by name', async () => {
    const command =
      'echo "${GANTRY_ITEM-none}${GANTRY_PARAM_LOG-none}"; head -c 3 "$GANTRY_ITEM_FILE"; echo "$GANTRY_PARAM_SMALL"';
    const env = { GANTRY_ITEM: 'x'.repeat(200_000), GANTRY_PARAM_LOG: 'a\0b', GANTRY_PARAM_SMALL: 'small' };
    const { outcome, text, said } = await run({ command, user: '1234' }, { env });
    expect(codeOf(outcome)).toBe('ok');
    expect(text).toBe('nonenone\nxxxsmall\n');
    expect(said).toContain(
      '$GANTRY_ITEM cannot be a variable, with its 200000 bytes: it is in the file $GANTRY_ITEM_FILE.',
    );
    // Two megabytes in all, and far more than an engine's client could put into a URL.
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`GANTRY_PARAM_P${at}`, 'y'.repeat(100_000)]),
    );
    expect(codeOf((await run({}, { env: many })).outcome)).toBe('ok');
    const own = await run({}, { env: { LOG: 'x'.repeat(200_000) }, inputs: { params: {} } });
    expect(own.outcome).toMatchObject({
      kind: 'APPLICATION',
      reason: {
        code: 'BAD_SPEC',
        message: expect.stringContaining('LOG'),
        remedy: expect.stringContaining('$GANTRY_INPUTS'),
      },
    });
  }, 30_000);
});

describe.each([
  ['Docker', () => docker, IMAGE, 'gantry-derived:1', 'gantry-stopped:1'],
  ['Podman', () => podman, PODMAN_IMAGE, 'localhost/gantry-derived:1', 'localhost/gantry-stopped:1'],
] as const)('with %s, what an image says', (_, engine, image, derived, stopped) => {
  let harness: AttemptHarness;
  let client: Docker;
  beforeAll(async () => {
    client = engine().docker;
    harness = new AttemptHarness(plugin, { host: engine().host, networks: ['none'] });
    await deriveImage(client, image, derived, { Entrypoint: ['/bin/echo', 'entrypoint'], Cmd: ['words'] });
    // Podman leaves a container's signal out of the image that it makes of it, and Docker takes no such line.
    const changes = image === PODMAN_IMAGE ? 'STOPSIGNAL SIGINT' : undefined;
    await deriveImage(client, image, stopped, { StopSignal: 'SIGINT' }, changes);
  }, 60_000);
  afterAll(() => harness.close());

  const textOf = async (config: JsonObject): Promise<string> => {
    const attempt = harness.attempt({ image: derived, ...config });
    const outcome = await attempt.run();
    return outcome.ok ? attempt.text : codeOf(outcome);
  };

  it('to run: a line is a shell’s all the same, words follow the entrypoint, and an empty one is none', async () => {
    expect(await textOf({})).toBe('entrypoint words\n');
    expect(await textOf({ command: 'echo "a line of $0"' })).toBe('a line of /bin/sh\n');
    expect(await textOf({ command: '#!/bin/cat\nby its first line' })).toBe('#!/bin/cat\nby its first line');
    expect(await textOf({ command: ['of', 'mine'] })).toBe('entrypoint of mine\n');
    expect(await textOf({ entrypoint: [], command: ['/bin/echo', 'alone'] })).toBe('alone\n');
    expect(await textOf({ entrypoint: [], command: 'echo line' })).toBe('line\n');
    expect(await textOf({ entrypoint: ['/bin/echo', 'mine'] })).toBe('mine\n');
    expect(await textOf({ entrypoint: ['/bin/env', 'A=b'], command: 'echo "$A"' })).toBe('b\n');
  }, 60_000);

  const handlers = ['TERM', 'INT', 'USR1'].map((name) => `trap "echo ${name}; exit 0" ${name}`).join('; ');
  const said = async (config: JsonObject): Promise<string> => {
    const attempt = harness.attempt({
      image: stopped,
      command: `${handlers}; echo begun; while :; do sleep 0.1; done`,
      ...config,
    });
    const ended = attempt.run();
    while (!attempt.text.includes('begun')) await new Promise((resolve) => setTimeout(resolve, 5));
    attempt.requestStop();
    await ended;
    return attempt.text;
  };

  it('of the signal to stop by is heeded, and what the task says of it before that', async () => {
    expect(await said({})).toBe('begun\nINT\n');
    expect(await said({ init: false })).toBe('begun\nINT\n');
    expect(await said({ stopSignal: 'SIGUSR1' })).toBe('begun\nUSR1\n');
    expect(await said({ image })).toBe('begun\nTERM\n');
  }, 60_000);

  it('and a command that is stopped goes on to take it', async () => {
    const command = `${handlers}; echo begun; kill -STOP $$; while :; do sleep 0.1; done`;
    expect(await said({ image, command })).toBe('begun\nTERM\n');
  }, 30_000);

  it('about signals that do not exist is refused when the pipeline is applied', () => {
    for (const stopSignal of ['SIGFOO', 'TERM', '15', 'SIGRTMIN+99', ''])
      expect(plugin.config.check({ image, stopSignal }).ok).toBe(false);
    for (const stopSignal of ['SIGTERM', 'SIGQUIT', 'SIGRTMIN+3'])
      expect(plugin.config.check({ image, stopSignal }).ok).toBe(true);
  });
});
