import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../server/clock.ts';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Outcome, RunnerPlugin } from '@gantry/plugin-kit/runner';
import mock from '@gantry/runner-mock';
import type { Agent } from '../../server/agent/agent.ts';
import { SETTLE_MS } from '../../server/agent/attempt-ledger.ts';
import { agentUnderTest, runnerThat } from './agent-under-test.ts';
import { FakeClock } from './fake-clock.ts';
import { ScriptedGateway } from './scripted-gateway.ts';
import { specOf } from './specs.ts';

let folder: string;
let clock: FakeClock;
let gateway: ScriptedGateway;
let runners: Map<string, RunnerPlugin>;
let agent: Agent;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gantry-agent-'));
  clock = new FakeClock();
  gateway = new ScriptedGateway();
  runners = new Map([['mock', mock as unknown as RunnerPlugin]]);
  agent = makeAgent();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await clock.pass(agent.stop());
  rmSync(folder, { recursive: true, force: true });
});

const makeAgent = () => agentUnderTest({ gateway, runners, clock, folder });
/** What was told in the last sync. */
const known = () => gateway.syncs.at(-1)!.known;
/** Has the agent say everything that it knows. */
async function sync(): Promise<void> {
  const count = gateway.syncs.length;
  gateway.hint({ type: 'SYNC_NOW' });
  await gateway.until(() => gateway.syncs.length > count);
  await clock.advance(0);
}

describe('an agent', () => {
  it('runs a batch to its end, and knows nothing of it once it is told to forget', async () => {
    await agent.start();
    const specs = Array.from({ length: 500 }, (_, ordinal) => specOf(ordinal));
    gateway.assign(...specs);
    const ends = await Promise.all(specs.map((spec) => gateway.ended(spec)));
    expect(ends.every(({ state }) => state === 'SUCCEEDED')).toBe(true);
    expect(gateway.reports).toHaveLength(500);
    await sync();
    expect(known()).toHaveLength(500);
    gateway.hint(...specs.map(({ attempt }) => ({ type: 'FORGET' as const, attempt })));
    await sync();
    expect(known()).toEqual([]);
    await agent.stop();
    agent = makeAgent();
    await agent.start();
    expect(gateway.hellos.at(-1)!.known).toEqual([]);
  });

  it('takes on what an answer to a sync assigns, once, however often it is assigned', async () => {
    await agent.start();
    const spec = specOf(0, { outputs: { a: 1 } });
    for (let time = 0; time < 3; time++) gateway.answers.push({ assign: [spec] });
    await sync();
    expect(await gateway.ended(spec)).toMatchObject({ state: 'SUCCEEDED', outputs: { a: 1 } });
    gateway.hint({ type: 'FORGET', attempt: spec.attempt });
    gateway.assign(spec);
    await sync();
    gateway.assign(spec);
    await sync();
    expect(gateway.reports.filter(({ state }) => state === 'SUCCEEDED')).toHaveLength(1);
  });

  it('stops an attempt that is to be cancelled', async () => {
    await agent.start();
    const spec = specOf(0, { outcome: 'hang' });
    gateway.assign(spec);
    await gateway.running(spec);
    gateway.hint({ type: 'STOP', attempt: spec.attempt, cause: 'CANCELLED' });
    expect(await gateway.ended(spec)).toMatchObject({ state: 'CANCELLED', failure: { kind: 'CANCELLED' } });
  });

  it('does not begin what is cancelled in the same breath', async () => {
    await agent.start();
    const run = jest.spyOn(mock, 'run');
    const spec = specOf(0, { outcome: 'hang' });
    gateway.hint({ type: 'ASSIGN', spec }, { type: 'STOP', attempt: spec.attempt, cause: 'CANCELLED' });
    expect((await gateway.ended(spec)).state).toBe('CANCELLED');
    expect(run).not.toHaveBeenCalled();
  });

  it('stops an attempt that runs longer than its timeout, and not before', async () => {
    await agent.start();
    const spec = specOf(0, { outcome: 'hang' }, { timeoutMs: 3_000 });
    gateway.assign(spec);
    await gateway.running(spec);
    await clock.advance(2_999);
    expect(gateway.reports.map(({ state }) => state)).toEqual(['RUNNING']);
    await clock.advance(1);
    expect(await gateway.ended(spec)).toMatchObject({ state: 'TIMED_OUT', failure: { kind: 'TIMEOUT' } });
  });

  it('kills what does not stop, after its grace', async () => {
    await agent.start();
    const spec = specOf(0, { outcome: 'hang', ignoreStop: true }, { killGraceMs: 2_000 });
    gateway.assign(spec);
    await gateway.running(spec);
    gateway.hint({ type: 'STOP', attempt: spec.attempt, cause: 'PREEMPTED' });
    await clock.advance(1_999);
    expect(gateway.reports).toHaveLength(1);
    await clock.advance(1);
    expect(await gateway.ended(spec)).toMatchObject({ state: 'CANCELLED', failure: { kind: 'PREEMPTED' } });
  });

  it('gives up a runner that does not even settle then, and names it', async () => {
    await agent.start();
    const spec = specOf(0, { outcome: 'forget' });
    gateway.assign(spec);
    await gateway.running(spec);
    gateway.hint({ type: 'STOP', attempt: spec.attempt, cause: 'CANCELLED' });
    await clock.advance(spec.killGraceMs + SETTLE_MS);
    expect(await gateway.ended(spec)).toMatchObject({
      state: 'FAILED',
      failure: {
        kind: 'UNKNOWN',
        reason: { code: 'RUNNER_DID_NOT_SETTLE', message: expect.stringContaining('mock') as unknown },
      },
    });
  });

  it.each([
    ['throw', { state: 'FAILED', failure: { kind: 'UNKNOWN', reason: { code: 'RUNNER_THREW' } } }],
    ['nonsense', { state: 'FAILED', failure: { kind: 'UNKNOWN', reason: { code: 'OUTCOME_MALFORMED' } } }],
    ['fail', { state: 'FAILED', failure: { kind: 'APPLICATION', exitCode: 1 } }],
    ['oom', { state: 'FAILED', failure: { kind: 'OOM', exitCode: 137 } }],
    ['lose', { state: 'FAILED', failure: { kind: 'INFRASTRUCTURE' } }],
    ['reject', { state: 'REJECTED', failure: { kind: 'INFRASTRUCTURE' } }],
  ])('tells truthfully how it ended: %s', async (outcome, end) => {
    await agent.start();
    const spec = specOf(0, { outcome });
    gateway.assign(spec);
    const report = await gateway.ended(spec);
    expect(report).toMatchObject(end);
    if (report.failure!.kind === 'UNKNOWN') expect(report.failure!.reason.message).toContain('The runner mock');
  });

  it.each([
    [
      'a config that its values have spoilt',
      specOf(0, { durationMs: 'soon' }),
      'FAILED',
      'BAD_CONFIG',
      'with.durationMs',
    ],
    ['a runner that is not there', specOf(0, {}, { runner: 'docker' }), 'REJECTED', 'RUNNER_MISSING', 'docker'],
    [
      'outputs that are too large',
      specOf(0, { outputs: { text: 'é'.repeat(700_000) } }),
      'FAILED',
      'OUTPUTS_TOO_LARGE',
      '1048576 bytes',
    ],
  ])('refuses %s', async (_, spec, state, code, words) => {
    await agent.start();
    gateway.assign(spec);
    const message = expect.stringContaining(words) as unknown;
    expect(await gateway.ended(spec)).toMatchObject({ state, failure: { reason: { code, message } } });
  });

  it('stores the output of an attempt, in order and without gaps, before it tells the end', async () => {
    await agent.start();
    const spec = specOf(0, { logLines: 5_000, logLine: 'é€😀' });
    gateway.assign(spec);
    await clock.pass(gateway.ended(spec));
    const lines = Array.from({ length: 5_000 }, (_, index) => `${index + 1} é€😀\n`);
    expect(gateway.chunks.map(({ text }) => text).join('')).toBe(lines.join(''));
    expect(gateway.chunks.map(({ seq }) => seq)).toEqual(gateway.chunks.map((_, index) => index + 1));
    expect(gateway.story.at(-1)).toBe(`report ${spec.attempt} SUCCEEDED`);
  });

  it('tells the end all the same when the log store does not answer', async () => {
    gateway.storing = new Promise(() => undefined);
    await agent.start();
    const spec = specOf(0, { logLines: 3 });
    gateway.assign(spec);
    await gateway.running(spec);
    await clock.advance(5_000);
    expect(gateway.reports.map(({ state }) => state)).toEqual(['RUNNING']);
    await clock.advance(10_000);
    expect((await gateway.ended(spec)).state).toBe('SUCCEEDED');
  });

  it('tells what was lost on the way with the next sync', async () => {
    await agent.start();
    gateway.losesReports = true;
    const spec = specOf(0, { outcome: 'fail' });
    gateway.assign(spec);
    await gateway.heard(`lost ${spec.attempt} FAILED`);
    await clock.advance(6_000);
    await gateway.until(() => known().length > 0);
    expect(known()).toMatchObject([{ attempt: spec.attempt, state: 'FAILED', failure: { exitCode: 1 } }]);
  });

  it('falls silent when another agent speaks for its node, and can still be stopped', async () => {
    const close = jest.fn(() => Promise.resolve());
    runners.set('mock', { ...runners.get('mock')!, close });
    await agent.start();
    const spec = specOf(0, { outcome: 'hang', checkpoint: true });
    gateway.assign(spec);
    await gateway.running(spec);
    gateway.answers.push({ status: 'SUPERSEDED' });
    await sync();
    const syncs = gateway.syncs.length;
    gateway.assign(specOf(1));
    await clock.advance(60_000);
    expect(gateway.syncs).toHaveLength(syncs);
    expect(gateway.reports.some(({ attempt }) => attempt === specOf(1).attempt)).toBe(false);
    await clock.pass(agent.stop());
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('says hello again to a server that does not know it, with all that it knows', async () => {
    await agent.start();
    const spec = specOf(0, { outcome: 'hang' });
    gateway.assign(spec);
    await gateway.running(spec);
    gateway.answers.push({ status: 'UNKNOWN' });
    await sync();
    await gateway.until(() => gateway.hellos.length === 2);
    expect(gateway.hellos[1]!.known).toEqual([spec.attempt]);
    await sync();
    expect(gateway.syncs.at(-1)).toMatchObject({
      incarnation: 2,
      known: [{ attempt: spec.attempt, state: 'RUNNING' }],
    });
  });

  it('says hello until it is heard', async () => {
    gateway.refusedHellos = 5;
    await clock.pass(agent.start());
    expect(gateway.story.filter((word) => word === 'hello')).toHaveLength(6);
    expect(gateway.hellos[0]!.facts).toMatchObject({ name: 'node', runners: [{ name: 'mock', health: 'HEALTHY' }] });
  });

  it('rejects work that its journal cannot hold, and takes on more when it can again', async () => {
    await agent.start();
    const run = jest.spyOn(mock, 'run');
    jest.spyOn(await handles(), 'datasync').mockRejectedValueOnce(new Error('ENOSPC: no space left on device'));
    gateway.assign(specOf(0));
    expect(await gateway.ended(specOf(0))).toMatchObject({
      state: 'REJECTED',
      failure: { reason: { code: 'JOURNAL_UNWRITABLE', message: expect.stringContaining('ENOSPC') as unknown } },
    });
    expect(run).not.toHaveBeenCalled();
    gateway.assign(specOf(1));
    expect((await gateway.ended(specOf(1))).state).toBe('SUCCEEDED');
  });

  it('stops its work when it is stopped, tells so, and says goodbye last', async () => {
    await agent.start();
    const spec = specOf(0, { outcome: 'hang' });
    gateway.assign(spec);
    await gateway.running(spec);
    await agent.stop();
    expect(gateway.reports.at(-1)).toMatchObject({
      state: 'FAILED',
      failure: { kind: 'INFRASTRUCTURE', reason: { code: 'AGENT_STOPPED' } },
    });
    expect(gateway.story.at(-1)).toBe('goodbye');
  });

  it('tells an end again after a restart, until it is told to forget', async () => {
    await agent.start();
    gateway.assign(specOf(0, { outputs: { a: 1 } }));
    await gateway.ended(specOf(0));
    await agent.stop();
    agent = makeAgent();
    await agent.start();
    expect(gateway.hellos[1]!.known).toEqual([specOf(0).attempt]);
    expect(known()).toMatchObject([{ attempt: specOf(0).attempt, state: 'SUCCEEDED', outputs: { a: 1 } }]);
  });

  it('keeps working folders until the server holds the ends, and removes those that nobody knows', async () => {
    runners.set(
      'worker',
      runnerThat(({ workdir }) => {
        expect(readdirSync(workdir)).toEqual([]);
        return Promise.resolve({ ok: true, outputs: {} });
      }),
    );
    const work = join(folder, 'work');
    mkdirSync(join(work, 'nobody-knows-me'), { recursive: true });
    await agent.start();
    const spec = specOf(0, {}, { runner: 'worker' });
    gateway.assign(spec);
    expect((await gateway.ended(spec)).state).toBe('SUCCEEDED');
    // They go in the background; Jest's own limit ends the wait if they never do.
    while (readdirSync(work).length > 1) await systemClock.sleep(5);
    expect(readdirSync(work)).toEqual([spec.attempt]);
    gateway.hint({ type: 'FORGET', attempt: spec.attempt });
    await clock.advance(6_000);
    while (readdirSync(work).length > 0) {
      await clock.advance(6_000);
      await systemClock.sleep(5);
    }
  });
});

describe('a plugin that does what it must not', () => {
  const hostile: [string, () => unknown][] = [
    ['throws at once', () => { throw new Error('broken'); }],
    ['returns nothing', () => undefined],
    ['returns a value instead of a promise', () => ({ ok: false })],
    ['rejects with something that cannot be shown', () => Promise.reject(Object.create(null) as Error)],
    ['returns an outcome that throws when it is read', () => Promise.resolve({ get ok() { throw new Error('trap'); } })],
    ['returns outputs that refer to themselves', () => {
      const outputs: Record<string, unknown> = {};
      outputs['self'] = outputs;
      return Promise.resolve({ ok: true, outputs });
    }],
    ['returns outputs that are a list', () => Promise.resolve({ ok: true, outputs: [1] })],
    ['returns outputs that are no JSON', () => Promise.resolve({ ok: true, outputs: { big: 1n } })],
    ['returns an unknown kind of failure', () => Promise.resolve({ ok: false, kind: 'CANCELLED', reason: { code: 'X', message: 'x' } })],
  ]; // prettier-ignore

  it.each(hostile)('fails its attempt and nothing else: %s', async (_, run) => {
    runners.set('hostile', runnerThat(run as () => Promise<Outcome>));
    await agent.start();
    gateway.assign(specOf(0, {}, { runner: 'hostile' }), specOf(1));
    expect(await gateway.ended(specOf(0))).toMatchObject({
      state: 'FAILED',
      failure: { reason: { message: expect.any(String) } },
    });
    expect((await gateway.ended(specOf(1))).state).toBe('SUCCEEDED');
  });

  it('cannot print after its end, nor take the process down by trying', async () => {
    let late: () => void = () => undefined;
    runners.set(
      'late',
      runnerThat((attempt) => {
        late = () => attempt.stdout.write('too late\n');
        attempt.stdout.end('in time\n');
        return Promise.resolve({ ok: true, outputs: {} });
      }),
    );
    await agent.start();
    gateway.assign(specOf(0, {}, { runner: 'late' }));
    const ended = gateway.ended(specOf(0));
    await clock.advance(100);
    await ended;
    late();
    await clock.advance(1_000);
    expect(gateway.chunks.map(({ text }) => text)).toEqual(['in time\n']);
  });
});

/** What all file handles share. */
async function handles(): Promise<FileHandle> {
  const file = await open(folder);
  await file.close();
  return Object.getPrototypeOf(file) as FileHandle;
}
