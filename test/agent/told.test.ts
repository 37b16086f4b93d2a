import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Attempt, RunnerPlugin } from '@gantry/plugin-kit/runner';
import mock from '@gantry/runner-mock';
import type { Agent } from '../../server/agent/agent.ts';
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
  agent = agentUnderTest({ gateway, runners, clock, folder });
});
afterEach(async () => {
  await clock.pass(agent.stop());
  rmSync(folder, { recursive: true, force: true });
});

describe('an agent', () => {
  it('tells what an attempt used up, also when it was stopped, and leaves out what makes no sense', async () => {
    const usage = { peakMemoryBytes: -1, cpuMs: 7.4 };
    runners.set(
      'measured',
      runnerThat(() => Promise.resolve({ ok: true, outputs: {}, usage })),
    );
    await agent.start();
    const stopped = specOf(1, { outcome: 'hang', usage: { peakMemoryBytes: 1_000 } });
    gateway.assign(specOf(0, {}, { runner: 'measured' }), stopped);
    expect(await gateway.ended(specOf(0))).toMatchObject({ state: 'SUCCEEDED', usage: { cpuMs: 7 } });
    await gateway.running(stopped);
    gateway.hint({ type: 'STOP', attempt: stopped.attempt, cause: 'CANCELLED' });
    expect(await gateway.ended(stopped)).toMatchObject({ state: 'CANCELLED', usage: { peakMemoryBytes: 1_000 } });
  });

  it('tells the progress of attempts at most four times a second, of each its last word', async () => {
    await agent.start();
    const specs = [0, 1].map((ordinal) => specOf(ordinal, { outcome: 'hang' }));
    const attempts: Attempt[] = [];
    runners.set('slow', runnerThat((attempt) => {
      attempts.push(attempt);
      return new Promise((resolve) => attempt.stop.addEventListener('abort', () => resolve({ ok: true, outputs: {} })));
    })); // prettier-ignore
    gateway.assign(...specs.map((spec) => ({ ...spec, runner: 'slow', with: {} })));
    await gateway.until(() => attempts.length === 2);
    for (let done = 0; done <= 1_000; done++) for (const attempt of attempts) attempt.progress({ done, total: 1_000 });
    await gateway.until(() => gateway.progressed.length === 1);
    for (const attempt of attempts) attempt.progress(0.5, 'half');
    for (const attempt of attempts) attempt.progress(0.6, 'more');
    await clock.advance(249);
    expect(gateway.progressed).toHaveLength(1);
    await clock.advance(1);
    const told = gateway.progressed.map((list) => list.map(({ progress }) => [progress.done, progress.message]));
    expect(told).toEqual([[[1_000, null], [1_000, null]], [[null, 'more'], [null, 'more']]]); // prettier-ignore
  });

  it('hands a further try what the one before saved, and what it saves is kept before its end is told', async () => {
    gateway.previous = () => Promise.resolve({ page: 3 });
    let keep: () => void = () => undefined;
    gateway.storing = new Promise((resolve) => (keep = resolve));
    runners.set('paged', runnerThat(async (attempt) => {
      const { page } = attempt.previousState as { page: number };
      void attempt.saveState({ page: page + 1 });
      await expect(attempt.saveState('x'.repeat(65_537))).rejects.toThrow('65536');
      await expect(attempt.saveState(['\n'.repeat(40_000)])).rejects.toThrow('65536');
      void attempt.saveState('\n'.repeat(65_536));
      void attempt.saveState({ page: page + 1 });
      return { ok: true, outputs: { page } };
    })); // prettier-ignore
    await agent.start();
    const spec = specOf(0, {}, { runner: 'paged', number: 2 });
    gateway.assign(spec);
    await gateway.heard(`state ${spec.attempt}`);
    await clock.advance(0);
    expect(gateway.reports.map(({ state }) => state)).not.toContain('SUCCEEDED');
    keep();
    expect(await gateway.ended(spec)).toMatchObject({ state: 'SUCCEEDED', outputs: { page: 3 } });
    expect(gateway.states.at(-1)).toMatchObject({ attempt: spec.attempt, state: { page: 4 } });
  });

  it('asks nobody what was saved before a first try', async () => {
    await agent.start();
    gateway.assign(specOf(0));
    await gateway.ended(specOf(0));
    expect(gateway.story).not.toContain(`asked ${specOf(0).attempt}`);
  });
});
