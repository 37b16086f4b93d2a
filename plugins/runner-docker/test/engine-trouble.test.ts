import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { AttemptHarness } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';
import { IMAGE, PrivateEngine } from './private-engine.ts';
import { PASSWORD, PrivateRegistry, USERNAME } from './private-registry.ts';

const engine = new PrivateEngine(64 << 20);
const registry = new PrivateRegistry();
const credentials = { username: USERNAME, password: PASSWORD };
let image = '';
let harness: AttemptHarness;

const attempt = (config: JsonObject = {}) => harness.attempt({ image: IMAGE, command: 'true', ...config });
const codeOf = (outcome: Outcome): string => (outcome.ok ? 'ok' : `${outcome.kind} ${outcome.reason.code}`);

beforeAll(async () => {
  await Promise.all([engine.start(), registry.start()]);
  await engine.importImage();
  image = `${registry.host}/team/app:1`;
  await engine.importImage(image, randomBytes(4 << 20));
  await engine.pushAway(image, credentials);
  // It is given up soon, so that the tests need not wait for long.
  harness = new AttemptHarness(plugin, { host: engine.host, networks: ['none'], engineAwayMs: 300 });
}, 120_000);

afterAll(async () => {
  await harness.close();
  await engine.stop();
  await registry.stop();
}, 60_000);

it('A container for which the engine’s disk has no room is a failure of the node', async () => {
  engine.fillDisk(1 << 20);
  const outcome = await attempt().run();
  expect(codeOf(outcome)).toBe('INFRASTRUCTURE DISK_FULL');
  expect(outcome).toMatchObject({ reason: { remedy: expect.stringContaining('prune') } });
  engine.emptyDisk();
  expect(codeOf(await attempt().run())).toBe('ok');
});

it('An image for which the engine’s disk has no room is a failure of the node', async () => {
  engine.fillDisk(2 << 20);
  expect(codeOf(await attempt({ image, credentials }).run())).toBe('INFRASTRUCTURE DISK_FULL');
  engine.emptyDisk();
  expect(codeOf(await attempt({ image, credentials }).run())).toBe('ok');
});

it('A command that fails because the engine’s disk is full is told as that, with how it ended', async () => {
  engine.fillDisk(12 << 20);
  const write = 'dd if=/dev/zero of=/file bs=1M count=60';
  const writing = attempt({ command: `${write} || exit 28` });
  const outcome = await writing.run();
  expect(codeOf(outcome)).toBe('INFRASTRUCTURE DISK_FULL');
  expect(outcome).toMatchObject({ exitCode: 28, reason: { message: expect.stringContaining('exit code 28') } });
  expect(Buffer.concat(writing.printed.stderr).toString()).toContain('No space left on device');
  // Its container keeps what it has written until it is forgotten.
  await harness.forgetAll();
  // One that has cleared up behind it has only its own word for it.
  const tidy = attempt({ command: `${write} || { : > /file; exit 28; }` });
  expect(codeOf(await tidy.run())).toBe('APPLICATION DISK_FULL');
  expect(codeOf(await attempt({ command: 'exit 28' }).run())).toBe('APPLICATION EXIT_CODE');
  engine.emptyDisk();
});

it('An engine that goes away while it pulls is a failure of the node', async () => {
  await harness.forgetAll();
  await engine.docker.getImage(image).remove();
  registry.hold();
  const pulling = attempt({ image, credentials });
  const ended = pulling.run();
  await pulling.untilProgressed(2);
  await engine.crash();
  expect(codeOf(await ended)).toBe('INFRASTRUCTURE ENGINE_UNREACHABLE');
  registry.release();
  await engine.start();
  expect(codeOf(await attempt({ image, credentials }).run())).toBe('ok');
}, 60_000);

it('An engine that stays away is given up, and what it left running is removed when it is back', async () => {
  await harness.forgetAll();
  const running = attempt({ command: 'echo begun; exec sleep 1000' });
  const ended = running.run();
  while (running.text === '') await new Promise((resolve) => setTimeout(resolve, 5));
  await engine.crash();
  // It may run on without anybody who hears of it.
  expect(codeOf(await ended)).toBe('UNKNOWN ENGINE_UNREACHABLE');
  await engine.start();
  expect(await engine.docker.listContainers({ all: true })).toHaveLength(1);
  // As the agent does every minute.
  const detection = await plugin.detect!(new AbortController().signal, harness.node);
  expect(detection).toMatchObject({ health: 'HEALTHY' });
  expect(await engine.docker.listContainers({ all: true })).toEqual([]);
}, 60_000);
