import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Attempt, Outcome, RunnerPlugin } from '@gantry/plugin-kit/runner';
import type { Agent } from '../../server/agent/agent.ts';
import { bootId } from '../../server/agent/boot-id.ts';
import { Journal } from '../../server/agent/journal.ts';
import type { AttemptSpec } from '../../server/domain/effect.ts';
import { agentUnderTest, runnerThat } from './agent-under-test.ts';
import { FakeClock } from './fake-clock.ts';
import { ScriptedGateway } from './scripted-gateway.ts';
import { specOf } from './specs.ts';

let folder: string;
let clock: FakeClock;
let gateway: ScriptedGateway;
let agent: Agent | null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gantry-recovery-'));
  clock = new FakeClock();
  gateway = new ScriptedGateway();
  agent = null;
});
afterEach(async () => {
  if (agent) await clock.pass(agent.stop());
  rmSync(folder, { recursive: true, force: true });
});

const done: Outcome = { ok: true, outputs: { found: 1 } };
const neverBegan: Outcome = { ok: false, kind: 'REJECTED', reason: { code: 'NONE', message: 'There is none.' } };
const refused: Outcome = { ok: false, kind: 'INFRASTRUCTURE', reason: { code: 'RUN', message: 'It was run.' } };

/** A runner that finds its work by the attempt's id, and answers so. */
function finder(reattach: (attempt: Attempt, handle: unknown) => Promise<Outcome>, rest: Partial<RunnerPlugin> = {}) {
  const run = jest.fn(() => Promise.resolve(refused));
  return { ...runnerThat(run), handleOf: (id: string) => ({ name: id }), reattach, ...rest, run };
}

/** An agent whose forerunner accepted these and was killed. */
async function successor(
  specs: readonly AttemptSpec[],
  runner: RunnerPlugin,
  boot: string | null,
  secrets: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { journal } = await Journal.open(join(folder, 'journal'), { boot, finds: () => runner.handleOf !== undefined });
  await journal.accept(specs, clock.now());
  await journal.close();
  agent = agentUnderTest({ gateway, runners: new Map([['finder', runner]]), clock, folder, secrets });
  await agent.start();
}
const specs = (count = 1, order = {}, rest: Partial<AttemptSpec> = {}) =>
  Array.from({ length: count }, (_, ordinal) => specOf(ordinal, order, { runner: 'finder', ...rest }));

describe('an agent that finds attempts without an end in its journal', () => {
  it('asks their runner by their ids, and runs nothing', async () => {
    const handles: unknown[] = [];
    const runner = finder((_, handle) => {
      handles.push(handle);
      return Promise.resolve(done);
    });
    const open = specs(3);
    await successor(open, runner, await bootId());
    for (const spec of open)
      expect(await gateway.ended(spec)).toMatchObject({ state: 'SUCCEEDED', outputs: { found: 1 } });
    expect(handles).toEqual(open.map(({ attempt }) => ({ name: attempt })));
    expect(runner.run).not.toHaveBeenCalled();
  });

  it('reports what never began as rejected, and does not say that it had started', async () => {
    const [open] = specs() as [AttemptSpec];
    await successor(
      [open],
      finder(() => Promise.resolve(neverBegan)),
      await bootId(),
    );
    const report = await gateway.ended(open);
    expect(report).toMatchObject({ state: 'REJECTED', failure: { reason: { code: 'NONE' } } });
    expect(report.startedAt).toBeUndefined();
  });

  it.each(['another start of the machine', null])('does not believe that after %s', async (boot) => {
    const [open] = specs() as [AttemptSpec];
    await successor(
      [open],
      finder(() => Promise.resolve(neverBegan)),
      boot,
    );
    expect(await gateway.ended(open)).toMatchObject({
      state: 'FAILED',
      failure: { kind: 'UNKNOWN', reason: { code: 'OUTCOME_UNKNOWN' } },
    });
  });

  it('says that it does not know when the runner throws, or cannot make a handle', async () => {
    const broken = (): never => {
      throw new Error('broken');
    };
    const [one] = specs() as [AttemptSpec];
    await successor(
      [one],
      finder(() => Promise.resolve(done), { handleOf: broken }),
      await bootId(),
    );
    expect(await gateway.ended(one)).toMatchObject({ state: 'FAILED', failure: { kind: 'UNKNOWN' } });
  });

  it('hands in what it was given, with secrets that are hidden in what it prints, and a deadline', async () => {
    let given: Attempt | null = null;
    const runner = finder((attempt) => {
      given = attempt;
      attempt.stdout.write(`it is ${(attempt.config as { token: string }).token}\n`);
      return Promise.resolve(done);
    });
    const secrets = [{ at: ['with', 'token'], offset: 0, name: 'TOKEN' }];
    const open = specs(1, { token: '' }, { secrets, resources: { cpu: 500 }, timeoutMs: 60_000 });
    mkdirSync(join(folder, 'work', open[0]!.attempt), { recursive: true });
    writeFileSync(join(folder, 'work', open[0]!.attempt, 'kept'), '');
    const at = clock.now();
    await successor(open, runner, await bootId(), { TOKEN: 'canary-0123456789' });
    await clock.pass(gateway.ended(open[0]!));
    expect(given!).toMatchObject({
      config: { token: 'canary-0123456789' },
      resources: { cpu: 500 },
      env: {},
      inputs: {},
    });
    expect(given!.deadline).toBe(at + 60_000);
    expect(given!.workdir).toBe(join(folder, 'work', open[0]!.attempt));
    const text = gateway.chunks.map((chunk) => chunk.text).join('');
    expect(text).toContain('it is ***');
    expect(text).not.toContain('canary');
  });
});

describe('an agent', () => {
  it('has its runner forget an attempt when the server holds its end and the journal has forgotten it', async () => {
    const forget = jest.fn<(attempt: string) => void>();
    const runner = { ...runnerThat(() => Promise.resolve(done)), forget };
    agent = agentUnderTest({ gateway, runners: new Map([['finder', runner]]), clock, folder });
    await agent.start();
    const [spec] = specs() as [AttemptSpec];
    gateway.assign(spec);
    await gateway.ended(spec);
    await clock.advance(20_000);
    expect(forget).not.toHaveBeenCalled();
    gateway.hint({ type: 'FORGET', attempt: spec.attempt });
    const syncs = gateway.syncs.length;
    await clock.advance(10_000);
    await gateway.until(() => gateway.syncs.length > syncs);
    expect(forget.mock.calls.map(([attempt]) => attempt)).toEqual([spec.attempt]);
  });

  it('rejects what has no place for its working folder: it was not begun', async () => {
    const runner = runnerThat((attempt) => Promise.resolve({ ok: true, outputs: { in: attempt.workdir } }));
    agent = agentUnderTest({ gateway, runners: new Map([['finder', runner]]), clock, folder });
    await agent.start();
    writeFileSync(join(folder, 'work'), 'in the way');
    const [spec] = specs() as [AttemptSpec];
    gateway.assign(spec);
    expect(await gateway.ended(spec)).toMatchObject({ state: 'REJECTED', failure: { reason: { code: 'NODE_FAULT' } } });
    rmSync(join(folder, 'work'));
  });
});
