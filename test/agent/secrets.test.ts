import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defineRunner, type Attempt, type Outcome, type RunnerPlugin } from '@gantry/plugin-kit/runner';
import type { Agent } from '../../server/agent/agent.ts';
import type { AttemptSpec } from '../../server/domain/effect.ts';
import { agentUnderTest, runnerThat } from './agent-under-test.ts';
import { FakeClock } from './fake-clock.ts';
import { ScriptedGateway } from './scripted-gateway.ts';
import { specOf } from './specs.ts';

const CANARY = 'canary-7f3a"ü\\ 91';
let folder: string;
let clock: FakeClock;
let gateway: ScriptedGateway;
let runners: Map<string, RunnerPlugin>;
let agent: Agent;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gantry-agent-'));
  clock = new FakeClock();
  gateway = new ScriptedGateway();
  runners = new Map();
  agent = makeAgent({ TOKEN: CANARY, OTHER: 'other-secret' });
});
afterEach(async () => {
  await clock.pass(agent.stop());
  rmSync(folder, { recursive: true, force: true });
});

const makeAgent = (secrets: Record<string, string>) => agentUnderTest({ gateway, runners, clock, folder, secrets });
const SEALED = {
  runner: 'test',
  env: { A: 'Bearer ', B: 'plain' },
  secrets: [
    { at: ['with', 'list', 0, 'text'], offset: 1, name: 'TOKEN' },
    { at: ['with', 'list', 0, 'text'], offset: 1, name: 'OTHER' },
    { at: ['with', 'list', 0, 'text'], offset: 2, name: 'TOKEN' },
    { at: ['env', 'A'], offset: 7, name: 'TOKEN' },
  ],
} satisfies Partial<AttemptSpec>;
const CONFIG = { list: [{ text: '<>' }], other: '***' };
const spec = specOf(0, CONFIG, SEALED);
async function run(behaviour: (attempt: Attempt) => Promise<Outcome>) {
  runners.set('test', runnerThat(behaviour));
  await agent.start();
  gateway.assign(spec);
  return gateway.ended(spec);
}
/** Everything in a folder, as one text. */
function contentOf(place: string): string {
  if (!statSync(place).isDirectory()) return readFileSync(place, 'latin1');
  return readdirSync(place)
    .map((name) => contentOf(join(place, name)))
    .join('\n');
}
/** All that the server was told, with the texts of the log one after the other. */
const told = () =>
  JSON.stringify([gateway.reports, gateway.syncs, gateway.progressed, gateway.states]) +
  gateway.chunks.map(({ text }) => text).join('');

describe('an attempt with secrets', () => {
  it('has them where the server said, in its config and its environment', async () => {
    let given: unknown;
    await run(({ config, env }) => {
      given = { config, env };
      return Promise.resolve({ ok: true, outputs: {} });
    });
    expect(given).toEqual({
      config: { list: [{ text: `<${CANARY}other-secret>${CANARY}` }], other: '***' },
      env: { A: `Bearer ${CANARY}`, B: 'plain' },
    });
    expect(spec.with).toEqual(CONFIG);
  });

  it('tells them to nobody: not in output, outputs, progress, states, and files of the agent', async () => {
    const end = await run(async (attempt) => {
      attempt.stdout.write(`out ${CANARY.slice(0, 8)}`);
      attempt.stdout.write(`${CANARY.slice(8)}\n`);
      attempt.stderr.write(`err ${Buffer.from(CANARY).toString('base64')} ${CANARY.slice(0, 5)}`);
      await attempt.checkpoint({ pid: 1 });
      attempt.progress({ done: 1, total: 2, message: `${'x'.repeat(190)} ${CANARY}` });
      await gateway.until(() => gateway.progressed.length > 0);
      await attempt.saveState({ [CANARY]: encodeURIComponent(CANARY) });
      return { ok: true, outputs: { token: CANARY, [CANARY]: [CANARY], fine: 1 } };
    });
    expect(end).toMatchObject({ state: 'SUCCEEDED', outputs: { token: '***', '***': ['***'], fine: 1 } });
    for (const place of [told(), contentOf(folder)]) {
      for (const form of [CANARY, CANARY.slice(0, 10), encodeURIComponent(CANARY), 'Y2FuYXJ5LTdmM2Ei'])
        expect(place).not.toContain(form);
    }
    expect(gateway.chunks.map(({ text }) => text).join('')).toContain('out ***\n');
  });

  it.each<[string, () => Promise<Outcome>]>([
    [
      'fails',
      () =>
        Promise.resolve({
          ok: false,
          kind: 'APPLICATION',
          reason: { code: 'X', message: `${'x'.repeat(4_090)}${CANARY}`, remedy: CANARY },
        }),
    ],
    ['throws', () => Promise.reject(new Error(`GET /?token=${encodeURIComponent(CANARY)} ${CANARY}`))],
    ['throws what is no error', () => Promise.reject(CANARY as unknown as Error)],
  ])('tells them to nobody when its runner %s', async (_, behaviour) => {
    const { failure } = await run(behaviour);
    expect(JSON.stringify(failure)).not.toContain('canary');
    expect(JSON.stringify(failure)).not.toContain('canar');
  });

  it('whose config is refused because of one does not tell it', async () => {
    const config = {
      check: (value: unknown) => ({
        ok: false as const,
        problems: [{ code: 'X', message: `no: ${JSON.stringify(value)}`, path: ['list'] }],
      }),
      jsonSchema: {},
    };
    runners.set('test', defineRunner({ ...runnerThat(() => Promise.resolve({ ok: true, outputs: {} })), config }));
    await agent.start();
    gateway.assign(spec);
    const { failure } = await gateway.ended(spec);
    expect(failure).toMatchObject({
      kind: 'APPLICATION',
      reason: { message: expect.stringContaining('***') },
    });
    expect(JSON.stringify(failure)).not.toContain('canary');
  });

  it('is rejected where one is missing, before anything has begun', async () => {
    await agent.stop();
    agent = makeAgent({ OTHER: 'other-secret' });
    let hasBegun = false;
    const end = await run(() => {
      hasBegun = true;
      return Promise.resolve({ ok: true, outputs: {} });
    });
    expect(end).toMatchObject({
      state: 'REJECTED',
      failure: {
        kind: 'INFRASTRUCTURE',
        reason: {
          code: 'SECRET_MISSING',
          message: expect.stringContaining('TOKEN'),
          remedy: expect.stringContaining('GANTRY_SECRET_TOKEN'),
        },
      },
    });
    expect(hasBegun).toBe(false);
  });

  it('has them again after a restart, and they are hidden again', async () => {
    const seen: unknown[] = [];
    const kept = Promise.withResolvers<void>();
    const following = (name: string): RunnerPlugin => ({
      ...runnerThat(async (attempt) => {
        await attempt.checkpoint({ pid: 1 });
        kept.resolve();
        return new Promise(() => undefined);
      }),
      name,
      reattach: (attempt) => {
        seen.push(attempt.config);
        attempt.stdout.write(`after ${CANARY}\n`);
        return Promise.resolve({ ok: true, outputs: {} });
      },
    });
    runners.set('test', following('test'));
    await agent.start();
    gateway.assign(spec);
    await kept.promise;
    await clock.pass(agent.stop());
    agent = makeAgent({ TOKEN: CANARY, OTHER: 'other-secret' });
    await agent.start();
    await gateway.ended(spec);
    expect(seen).toEqual([{ list: [{ text: `<${CANARY}other-secret>${CANARY}` }], other: '***' }]);
    expect(told()).toContain('after ***');
    expect(told() + contentOf(folder)).not.toContain('canary');
  });
});
