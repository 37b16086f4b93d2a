import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json, JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { AttemptHarness, runnerChecks, type TestAttempt } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';
import { IMAGE, PrivateEngine } from './private-engine.ts';

const engine = new PrivateEngine();
const shared = mkdtempSync(join(tmpdir(), 'gantry-mounts-'));
let harness: AttemptHarness;

const settings = (): JsonObject => ({
  host: engine.host,
  networks: ['none'],
  mounts: [{ path: join(shared, 'read') }, { path: join(shared, 'write'), readOnly: false }],
});
const attempt = (config: JsonObject, more: object = {}) => harness.attempt({ image: IMAGE, ...config }, more);
const codeOf = (outcome: Outcome): string => (outcome.ok ? 'ok' : `${outcome.kind} ${outcome.reason.code}`);
/** Resolves when it has printed something: its container runs. */
async function printed(made: TestAttempt): Promise<void> {
  while (made.text === '') await new Promise((resolve) => setTimeout(resolve, 5));
}
const containers = () => engine.docker.listContainers({ all: true });

beforeAll(async () => {
  for (const folder of ['read', 'write', 'secret']) mkdirSync(join(shared, folder));
  writeFileSync(join(shared, 'read/file'), 'of the node');
  await engine.start();
  await engine.importImage();
  harness = new AttemptHarness(plugin, settings());
}, 120_000);

afterAll(async () => {
  await harness.close();
  await engine.stop();
  rmSync(shared, { recursive: true, force: true });
}, 60_000);

describe('the docker runner, like every runner,', () => {
  const fixtures = {
    succeeds: { image: IMAGE, command: 'echo "answer:=42" > "$GANTRY_OUTPUT"' },
    fails: { image: IMAGE, command: 'exit 3' },
    endless: { image: IMAGE, command: 'echo begun; exec sleep 1000' },
    prints: { config: { image: IMAGE, command: 'echo an answer' }, text: 'an answer' },
    checkpoints: { image: IMAGE, command: 'sleep 0.3' },
    stubborn: { image: IMAGE, command: "trap '' TERM; echo begun; while :; do sleep 1; done" },
    signalled: { config: { image: IMAGE, command: 'kill -SEGV $$' }, signal: 'SIGSEGV' },
    counts: { config: { image: IMAGE, command: 'for n in $(seq 1000); do echo $n; done' }, upTo: 1_000 },
    binary: {
      config: { image: IMAGE, command: "printf '\\377\\000\\033[2J\\200'" },
      bytes: Buffer.from([255, 0, 27, 91, 50, 74, 128]),
    },
    echoes: { image: IMAGE, command: 'printf %s "$TEXT"' },
    mistakes: [
      { config: { image: IMAGE, command: 'true', user: 'nosuchuser' }, code: 'USER_UNKNOWN' },
      { config: { image: IMAGE, command: 'true', workdir: '/bin/busybox' }, code: 'WORKDIR_NOT_FOUND' },
      { config: { image: IMAGE, command: ['nope'] }, code: 'COMMAND_NOT_FOUND' },
    ],
  };
  it.each(runnerChecks)('$name', async ({ run }) => expect(await run(harness, fixtures)).toBeNull(), 180_000);

  it('leaves no container behind', async () => {
    await harness.forgetAll();
    expect(await containers()).toEqual([]);
  });
});

describe('a container', () => {
  it('says how its command ended', async () => {
    expect(await attempt({ command: 'exit 7' }).run()).toMatchObject({ ok: false, kind: 'APPLICATION', exitCode: 7 });
    expect(await attempt({ command: 'kill -SEGV $$' }).run()).toMatchObject({
      reason: { code: 'SIGNAL' },
      signal: 'SIGSEGV',
    });
    expect(codeOf(await attempt({ command: ['/no/such/command'] }).run())).toBe('APPLICATION COMMAND_NOT_FOUND');
  });

  it('is told apart when it needed too much memory', async () => {
    const tooMuch = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'];
    const withCommand = async (command: Json) =>
      codeOf(await attempt({ command }, { resources: { memory: 32 << 20 } }).run());
    // Gone at once, with all that its engine knew of it.
    expect(await withCommand(tooMuch)).toBe('OOM OUT_OF_MEMORY');
    // Of a command that goes on, only its end tells whether it could do without.
    expect(await withCommand(`${tooMuch.join(' ')}; code=$?; sleep 1; exit $code`)).toBe('OOM OUT_OF_MEMORY');
    expect(await withCommand(`${tooMuch.join(' ')}; sleep 1; exit 0`)).toBe('ok');
    expect(await withCommand('kill -9 $$')).toBe('APPLICATION SIGNAL');
  }, 30_000);

  it('prints both streams in their order, and hands on what it writes and reads', async () => {
    const printing = attempt(
      {
        command: 'echo one; echo two >&2; echo three; cat "$GANTRY_INPUTS"; echo "name=$GREETING" >> "$GANTRY_OUTPUT"',
      },
      { env: { GREETING: 'good day' }, inputs: { params: { n: 1 } } },
    );
    expect(await printing.run()).toEqual({ ok: true, outputs: { name: 'good day' } });
    expect(printing.text).toBe('one\nthree\n{"params":{"n":1}}');
    expect(Buffer.concat(printing.printed.stderr).toString()).toBe('two\n');
  });

  it('cannot hand on a number that would be changed', async () => {
    const big = attempt({ command: 'echo "id:=9007199254740993" >> "$GANTRY_OUTPUT"' });
    expect(await big.run()).toMatchObject({
      ok: false,
      kind: 'APPLICATION',
      reason: { code: 'INEXACT_NUMBER', remedy: 'Write it as a string: "9007199254740993".' },
    });
  });

  it('tells how far it is while it runs, and saves what the next attempt goes on from', async () => {
    const command = 'cat "$GANTRY_CHECKPOINT"; echo 2/3 rows >> "$GANTRY_PROGRESS"; echo page=3 > "$GANTRY_CHECKPOINT"';
    const next = attempt({ command, user: '1234' }, { number: 2, previousState: 'page=2' });
    expect(await next.run()).toMatchObject({ ok: true });
    expect(next.text).toBe('page=2');
    expect(next.progressed.at(-1)).toEqual({ fraction: 2 / 3, done: 2, total: 3, message: 'rows' });
    expect(next.saved).toEqual(['page=3\n']);
  });

  it('cannot have the node read a file of its own for it', async () => {
    const links = ['GANTRY_OUTPUT', 'GANTRY_CHECKPOINT', 'GANTRY_PROGRESS'].map(
      (name) => `ln -s /etc/passwd "$${name}"`,
    );
    const linked = attempt({ command: links.join('; ') });
    expect(await linked.run()).toEqual({ ok: true, outputs: {} });
    expect([linked.saved, linked.progressed]).toEqual([[], []]);
  });

  it('can do nothing but its work: no capabilities, no new privileges, few processes', async () => {
    const looking = attempt({ command: 'grep -E "^(CapEff|NoNewPrivs)" /proc/self/status', pids: 64 });
    await looking.run();
    expect(looking.text).toMatch(/CapEff:\s+0{16}\n/);
    expect(looking.text).toMatch(/NoNewPrivs:\s+1\n/);
    const created = attempt({ command: 'echo begun; exec sleep 60', pids: 64 });
    const ended = created.run();
    await created.untilStarted();
    const { HostConfig } = await engine.docker.getContainer(created.id).inspect();
    expect(HostConfig).toMatchObject({ Privileged: false, PidsLimit: 64, NetworkMode: 'none', CapDrop: ['ALL'] });
    created.requestKill();
    await ended;
  });

  it('has no word for what would let it out', () => {
    for (const word of ['privileged', 'capAdd', 'devices', 'pidMode', 'ipcMode', 'securityOpt', 'binds']) {
      expect(plugin.config.check({ image: IMAGE, [word]: true }).ok).toBe(false);
    }
  });

  it('uses no network that the node does not allow, and never the host’s', async () => {
    const codeWith = async (network: string) => codeOf(await attempt({ command: 'echo x', network }).run());
    expect(await codeWith('bridge')).toBe('REJECTED NETWORK_REFUSED');
    // These are no node's to give.
    for (const network of ['host', 'container:abc'])
      expect(await codeWith(network)).toBe('APPLICATION NETWORK_REFUSED');
  });

  it('mounts what the node allows, by its real path', async () => {
    const mount = (source: string, readOnly = true) => ({ source: join(shared, source), target: '/data', readOnly });
    const run = async (command: string, ...mounts: JsonObject[]) => {
      const made = attempt({ command, mounts });
      return { code: codeOf(await made.run()), text: made.text };
    };
    expect(await run('cat /data/file', mount('read'))).toEqual({ code: 'ok', text: 'of the node' });
    expect(await run('touch /data/new', mount('write', false))).toEqual({ code: 'ok', text: '' });
    symlinkSync(join(shared, 'secret'), join(shared, 'read/link'));
    for (const refused of [
      mount('read', false),
      mount('secret'),
      mount('read/link'),
      mount('read/../secret'),
      mount('nowhere'),
    ]) {
      expect(await run('ls /data', refused)).toEqual({ code: 'REJECTED MOUNT_REFUSED', text: '' });
    }
    const socket = new AttemptHarness(plugin, {
      ...settings(),
      mounts: [{ path: engine.socket }, { path: join(engine.socket, '..') }],
    });
    for (const source of [engine.socket, join(engine.socket, '..')]) {
      const config = { image: IMAGE, command: 'ls', mounts: [{ source, target: '/s' }] };
      expect(codeOf(await socket.attempt(config, { id: `sock.${source.length}.1` }).run())).toBe(
        'REJECTED MOUNT_REFUSED',
      );
    }
    await socket.close();
  });

  it('is handed its GPUs; where the engine has none, it is said what to install', async () => {
    const outcome = await attempt({ command: 'true', keep: 'always' }, { gpus: [1, 3] }).run();
    expect(outcome).toMatchObject({
      kind: 'INFRASTRUCTURE',
      reason: { code: 'NO_GPU_SUPPORT', remedy: expect.stringContaining('NVIDIA Container Toolkit') },
    });
    await harness.forgetAll();
    expect(await containers()).toEqual([]);
    const env = { CUDA_VISIBLE_DEVICES: '1,3', NVIDIA_VISIBLE_DEVICES: 'all' };
    const created = attempt({ command: 'true' }, { gpus: [1, 3], env });
    const requests: unknown[] = [];
    const variables: string[] = [];
    created.checkpoint = async (handle) => {
      const { container } = handle as { readonly container: string };
      const { HostConfig, Config } = await engine.docker.getContainer(container).inspect();
      requests.push(...(HostConfig.DeviceRequests as unknown[]));
      variables.push(...Config.Env);
    };
    await created.run();
    expect(requests).toMatchObject([{ Driver: 'nvidia', DeviceIDs: ['1', '3'], Capabilities: [['gpu']] }]);
    // In the container they are numbered from 0.
    expect(variables).toEqual(expect.arrayContaining(['CUDA_VISIBLE_DEVICES=0,1', 'NVIDIA_VISIBLE_DEVICES=1,3']));
    const without = attempt({ command: 'echo "$NVIDIA_VISIBLE_DEVICES"' }, { env });
    await without.run();
    expect(without.text).toBe('void\n');
  });

  it('whose image is not there says so, and asks nobody when it may not', async () => {
    const missing = attempt({ image: 'gantry-none:1', pull: 'never', command: 'x' });
    expect(codeOf(await missing.run())).toBe('APPLICATION IMAGE_MISSING');
  });

  it('runs once, however often it is asked for', async () => {
    const config = { command: 'echo begun; sleep 1; echo ended', keep: 'always' };
    const first = attempt(config, { id: 'twice.0.1' });
    const running = first.run();
    await printed(first);
    const second = attempt(config, { id: 'twice.0.1' });
    expect(codeOf(await second.run())).toBe('ok');
    expect(codeOf(await running)).toBe('ok');
    expect(second.text).toBe('begun\nended\n');
    await harness.forgetAll();
    expect(await containers()).toHaveLength(1);
    await engine.docker.getContainer('twice.0.1').remove();
    const stranger = await engine.docker.createContainer({ Image: IMAGE, name: 'taken.0.1', Cmd: ['true'] });
    expect(codeOf(await attempt({ command: 'true' }, { id: 'taken.0.1' }).run())).toBe('INFRASTRUCTURE NAME_TAKEN');
    await stranger.remove();
  }, 30_000);

  it('waits for its turn where the node lets only so many start at a time, and may be cancelled meanwhile', async () => {
    const narrow = new AttemptHarness(plugin, { ...settings(), startsAtOnce: 1 });
    const all = Array.from({ length: 4 }, () => narrow.attempt({ image: IMAGE, command: 'echo begun; sleep 60' }));
    const ended = all.map((each) => each.run());
    all[2]!.requestStop();
    expect(codeOf((await ended[2])!)).toBe('REJECTED STOPPED');
    // Only their starts wait for each other.
    await Promise.all([all[0]!, all[1]!, all[3]!].map(printed));
    expect(await engine.docker.listContainers()).toHaveLength(3);
    for (const each of all) each.requestKill();
    await Promise.all(ended);
    await narrow.close();
  });

  it('that is asked to end in the moment in which it was started hears of it', async () => {
    const ended = Array.from({ length: 8 }, () => {
      const made = attempt({ command: 'exec sleep 1000' });
      let told = 0;
      // First when its handle is kept, then when its engine has started it.
      made.started = () => {
        if (++told === 2) made.requestStop();
      };
      return made.run();
    });
    const outcomes = await Promise.all(ended);
    expect(outcomes).toEqual(outcomes.map(() => expect.objectContaining({ signal: 'SIGTERM' })));
  }, 30_000);

  it('may stay when it has failed, to be looked at', async () => {
    const kept = attempt({ command: 'exit 1', keep: 'failed' });
    await kept.run();
    await harness.forgetAll();
    const [left] = await containers();
    expect(left?.Names).toEqual([`/${kept.id}`]);
    await engine.docker.getContainer(left!.Id).remove();
  });
});

describe('when things die', () => {
  it('an agent that comes back follows its container, and nothing is lost or done twice', async () => {
    const first = attempt(
      { command: 'echo one; sleep 1; echo two; echo "n:=1" > "$GANTRY_OUTPUT"', keep: 'always' },
      { id: 'again.0.1' },
    );
    const followed = first.run();
    await printed(first);
    const again = attempt({ command: 'unused', keep: 'always' }, { id: 'again.0.1' });
    const outcome = await again.reattach(first.checkpoints[0]!);
    expect(again.text).toBe('one\ntwo\n');
    expect(outcome).toEqual({ ok: true, outputs: { n: 1 } });
    await followed;
    await engine.docker.getContainer('again.0.1').remove();
  }, 30_000);

  it('an end is told once more to an agent that comes back, with its outputs, until it is forgotten', async () => {
    const first = attempt({ command: 'echo said; echo "n:=1" > "$GANTRY_OUTPUT"' });
    expect(codeOf(await first.run())).toBe('ok');
    const again = attempt({ command: 'unused' }, { id: first.id });
    expect(await again.reattach(plugin.handleOf!(first.id))).toEqual({ ok: true, outputs: { n: 1 } });
    expect(again.text).toBe('said\n');
    await harness.forget(first);
    expect(codeOf(await again.reattach(first.checkpoints[0]!))).toBe('UNKNOWN CONTAINER_GONE');
    // By its name only what never had a handle is asked for: that was never started.
    expect(codeOf(await again.reattach(plugin.handleOf!(first.id)))).toBe('REJECTED NOT_STARTED');
  }, 30_000);

  it('a container that was made and not started is removed, and was never started', async () => {
    const first = attempt({ command: 'echo begun; exec sleep 60' });
    first.checkpoint = () => new Promise(() => undefined);
    void first.run();
    while (!(await containers()).some(({ Names }) => Names.includes(`/${first.id}`)))
      await new Promise((resolve) => setTimeout(resolve, 5));
    const again = attempt({ command: 'unused' }, { id: first.id });
    expect(codeOf(await again.reattach(plugin.handleOf!(first.id)))).toBe('REJECTED NOT_STARTED');
    expect((await containers()).some(({ Names }) => Names.includes(`/${first.id}`))).toBe(false);
  }, 30_000);

  it('a container that had ended before it was told to stop says so; one that ends well after it does not', async () => {
    const late = attempt({ command: 'echo begun' });
    const ended = late.run();
    await printed(late);
    const name = `/${late.id}`;
    while ((await containers()).find(({ Names }) => Names.includes(name))?.State === 'running')
      await new Promise((resolve) => setTimeout(resolve, 1));
    late.requestStop();
    const outcome = await ended;
    // It may have been heard of first: then there is nothing to say.
    expect(outcome).toMatchObject({ ok: true });
    const graceful = attempt({ command: "trap 'exit 0' TERM; echo begun; while :; do sleep 0.1; done" });
    const stopped = graceful.run();
    await printed(graceful);
    graceful.requestStop();
    expect(await stopped).toEqual({ ok: true, outputs: {} });
  }, 30_000);

  it('a container that somebody removes is a failure of the node', async () => {
    const removed = attempt({ command: 'echo begun; exec sleep 60' });
    const ended = removed.run();
    await removed.untilStarted();
    await engine.docker.getContainer(removed.id).remove({ force: true });
    expect(await ended).toMatchObject({ ok: false, kind: expect.stringMatching(/INFRASTRUCTURE|APPLICATION|UNKNOWN/) });
    const gone = attempt({ command: 'x' });
    expect(codeOf(await gone.reattach({ container: 'gone' }))).toBe('UNKNOWN CONTAINER_GONE');
  }, 30_000);

  it('an engine that is not there is a failure of the node', async () => {
    const nowhere = new AttemptHarness(plugin, { host: 'unix:///nonexistent/docker.sock' });
    expect(codeOf(await nowhere.attempt({ image: IMAGE, command: 'x' }).run())).toBe(
      'INFRASTRUCTURE ENGINE_UNREACHABLE',
    );
    expect(await plugin.detect!(new AbortController().signal, nowhere.node)).toMatchObject({ health: 'ABSENT' });
    await nowhere.close();
  });

  it('an engine that hangs does not hold up what is to end, and ends it as soon as it answers again', async () => {
    const held = attempt({ command: 'echo begun; exec sleep 1000' });
    const ended = held.run();
    await printed(held);
    engine.freeze();
    held.requestKill();
    expect(codeOf(await ended)).toBe('UNKNOWN STOP_UNCONFIRMED');
    engine.thaw();
    await harness.forgetAll();
    while ((await containers()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }, 30_000);

  it('settings that cannot be used are told before anything is asked, with what is wrong', async () => {
    const wrong = new AttemptHarness(plugin, { host: 'ssh://elsewhere', mount: [] });
    const reason = {
      code: 'BAD_SETTINGS',
      message: expect.stringMatching(/host: must be unix:\/\/\/path or tcp.*"mount"/),
    };
    expect(await wrong.attempt({ image: IMAGE }).run()).toMatchObject({ kind: 'REJECTED', reason });
    const detection = await plugin.detect!(new AbortController().signal, wrong.node);
    expect(detection).toMatchObject({ health: 'UNHEALTHY', reason });
    await wrong.close();
  });

  it('an engine that crashes and comes back is waited for, and what has become of the work is told', async () => {
    const survivor = attempt({ command: 'echo begun; sleep 4; echo ended' });
    const ended = survivor.run();
    await printed(survivor);
    await engine.crash();
    await engine.start();
    const outcome = await ended;
    // It ended its containers, or let them run on: both are told as they are.
    if (outcome.ok) expect(survivor.text).toBe('begun\nended\n');
    else expect(codeOf(outcome)).toBe('INFRASTRUCTURE ENGINE_RESTARTED');
    expect(codeOf(await attempt({ command: 'true' }).run())).toBe('ok');
  }, 60_000);
});
