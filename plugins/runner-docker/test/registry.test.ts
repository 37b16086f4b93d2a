import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { AttemptHarness } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';
import { PrivateEngine } from './private-engine.ts';
import { PASSWORD, PrivateRegistry, USERNAME } from './private-registry.ts';

const engine = new PrivateEngine();
const registry = new PrivateRegistry();
const folder = mkdtempSync(join(tmpdir(), 'gantry-passwords-'));
const credentials = { username: USERNAME, password: PASSWORD };
const harnesses: AttemptHarness[] = [];
let image = '';

/** A node that knows these registries. */
function node(registries: JsonObject = {}): AttemptHarness {
  const harness = new AttemptHarness(plugin, { host: engine.host, networks: ['none'], registries });
  harnesses.push(harness);
  return harness;
}
const attempt = (config: JsonObject = {}, harness = node()) =>
  harness.attempt({ image, credentials, command: 'echo done', ...config });
const codeOf = (outcome: Outcome): string => (outcome.ok ? 'ok' : `${outcome.kind} ${outcome.reason.code}`);
/** Once for each pull: the engine asks what the tag stands for, and may know that already. */
const tagsAsked = () => registry.requests.filter((line) => line === 'HEAD /v2/team/app/manifests/1');
const isOnNode = () =>
  engine.docker
    .getImage(image)
    .inspect()
    .then(
      () => true,
      () => false,
    );
async function forgetImage(): Promise<void> {
  for (const harness of harnesses) await harness.forgetAll();
  if (await isOnNode()) await engine.docker.getImage(image).remove();
  registry.requests.length = 0;
}

beforeAll(async () => {
  await Promise.all([engine.start(), registry.start()]);
  image = `${registry.host}/team/app:1`;
  await engine.importImage(image, randomBytes(1 << 20));
  await engine.pushAway(image, credentials);
}, 120_000);

afterAll(async () => {
  for (const harness of harnesses) await harness.close();
  await engine.stop();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe('an image of a registry', () => {
  it('is pulled with the task’s credentials, and its progress is seen while it comes', async () => {
    await forgetImage();
    registry.hold();
    const pulling = attempt();
    const ended = pulling.run();
    await pulling.untilProgressed(2);
    const [first, second] = pulling.progressed;
    expect(first).toMatchObject({ fraction: 0, message: `pulling ${image}` });
    expect(second!.fraction).toBeGreaterThan(0);
    expect(second!.fraction).toBeLessThan(0.5);
    expect(await isOnNode()).toBe(false);
    registry.release();
    expect(codeOf(await ended)).toBe('ok');
    expect(pulling.text).toBe('done\n');
    const fractions = pulling.progressed.map(({ fraction }) => fraction!);
    expect(fractions).toEqual([...fractions].sort((one, other) => one - other));
    expect(pulling.progressed.at(-1)).toMatchObject({ fraction: 1, message: `pulled ${image}` });
  });

  it('is pulled with the node’s credentials where the task has none, and with the task’s where both have', async () => {
    const passwordFile = join(folder, 'right');
    writeFileSync(passwordFile, `${PASSWORD}\n`);
    const harness = node({ [registry.host]: { username: USERNAME, passwordFile } });
    await forgetImage();
    expect(codeOf(await harness.attempt({ image, command: 'true' }).run())).toBe('ok');
    await forgetImage();
    const wrong = attempt({ credentials: { username: USERNAME, password: 'not this one' } }, harness);
    expect(codeOf(await wrong.run())).toBe('APPLICATION PULL_DENIED');
  });

  it('is asked for as the task’s policy says', async () => {
    await forgetImage();
    expect(codeOf(await attempt({ pull: 'never' }).run())).toBe('APPLICATION IMAGE_MISSING');
    expect(registry.requests).toEqual([]);
    expect(codeOf(await attempt({ pull: 'missing' }).run())).toBe('ok');
    expect(tagsAsked()).toHaveLength(1);
    registry.requests.length = 0;
    expect(codeOf(await attempt({ pull: 'missing' }).run())).toBe('ok');
    expect(codeOf(await attempt({ pull: 'never' }).run())).toBe('ok');
    expect(registry.requests).toEqual([]);
    expect(codeOf(await attempt({ pull: 'always' }).run())).toBe('ok');
    expect(tagsAsked()).toHaveLength(1);
  });

  it('is pulled once for all who want it at the same time', async () => {
    await forgetImage();
    registry.hold();
    const harness = node();
    const all = Array.from({ length: 5 }, () => attempt({}, harness));
    const ended = all.map((each) => each.run());
    await Promise.all(all.map((each) => each.untilProgressed(2)));
    registry.release();
    expect((await Promise.all(ended)).map(codeOf)).toEqual(all.map(() => 'ok'));
    expect(tagsAsked()).toHaveLength(1);
  });

  it('comes for the others when one of them is cancelled', async () => {
    await forgetImage();
    registry.hold();
    const harness = node();
    const [one, other] = [attempt({}, harness), attempt({}, harness)];
    const ended = [one.run(), other.run()];
    await Promise.all([one.untilProgressed(2), other.untilProgressed(2)]);
    one.requestStop();
    expect(codeOf((await ended[0])!)).toBe('REJECTED STOPPED');
    registry.release();
    expect(codeOf((await ended[1])!)).toBe('ok');
  });

  it('is pulled no further when nobody wants it any more, and can be pulled again', async () => {
    await forgetImage();
    registry.hold();
    const cancelled = attempt();
    const ended = cancelled.run();
    await cancelled.untilProgressed(2);
    cancelled.requestStop();
    expect(codeOf(await ended)).toBe('REJECTED STOPPED');
    expect(await isOnNode()).toBe(false);
    expect(await engine.docker.listContainers({ all: true })).toEqual([]);
    registry.release();
    expect(codeOf(await attempt().run())).toBe('ok');
  });
});

describe('an image that cannot be had', () => {
  it.each([
    ['without credentials', () => ({ credentials: undefined }), 'APPLICATION PULL_DENIED'],
    [
      'with a wrong password',
      () => ({ credentials: { ...credentials, password: 'wrong' } }),
      'APPLICATION PULL_DENIED',
    ],
    ['of a name that there is not', () => ({ image: `${registry.host}/team/none:1` }), 'APPLICATION IMAGE_MISSING'],
    ['with a tag that there is not', () => ({ image: `${registry.host}/team/app:2` }), 'APPLICATION IMAGE_MISSING'],
    // Port 1 is nobody's.
    ['of a registry that is down', () => ({ image: '127.0.0.1:1/team/app:1' }), 'INFRASTRUCTURE REGISTRY_UNREACHABLE'],
  ])('%s says so', async (_, made: () => object, code) => {
    await forgetImage();
    const config = Object.fromEntries(
      Object.entries({ image, credentials, command: 'true', pull: 'always', ...made() }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    const refused = node().attempt(config);
    const outcome = await refused.run();
    expect(codeOf(outcome)).toBe(code);
    expect(JSON.stringify(outcome)).not.toContain('HTTP code');
    expect(refused.hasStarted).toBe(false);
    expect(JSON.stringify(outcome)).not.toContain(PASSWORD);
  });

  it('with the node’s credentials, wrong or missing, is another node’s to try', async () => {
    await forgetImage();
    const passwordFile = join(folder, 'wrong');
    const harness = node({ [registry.host]: { username: USERNAME, passwordFile } });
    const config = { image, command: 'true' };
    expect(codeOf(await harness.attempt(config).run())).toBe('REJECTED NO_CREDENTIALS');
    writeFileSync(passwordFile, 'wrong');
    const refused = harness.attempt(config);
    expect(codeOf(await refused.run())).toBe('REJECTED PULL_DENIED');
    expect(refused.hasStarted).toBe(false);
  });
});

it('the password is in nothing that a task or its container shows', async () => {
  await forgetImage();
  const shown = attempt({ command: 'env; cat /proc/self/cmdline', keep: 'always' });
  expect(codeOf(await shown.run())).toBe('ok');
  const container = engine.docker.getContainer(shown.id);
  const everything = JSON.stringify([await container.inspect(), shown.checkpoints, shown.progressed, shown.text]);
  expect(everything).not.toContain(PASSWORD);
  for (const name of readdirSync(shown.workdir, { recursive: true, withFileTypes: true })) {
    if (name.isFile()) expect(readFileSync(join(name.parentPath, name.name), 'utf8')).not.toContain(PASSWORD);
  }
  await container.remove();
});
