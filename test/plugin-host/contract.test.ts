import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Outcome, ProgressCount, RunnerPlugin } from '@gantry/plugin-kit/runner';
import type { PlacementInput, SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { agentUnderTest } from '../agent/agent-under-test.ts';
import { FakeClock } from '../agent/fake-clock.ts';
import { ScriptedGateway } from '../agent/scripted-gateway.ts';
import { specOf } from '../agent/specs.ts';
import { aNode, aPlacement, aScheduler, addTasks, aShape, BUILT_IN } from '../placement/cluster.ts';
import { ContractReader, type ContractMember } from './contract-members.ts';
import { saysIdempotent } from '../../server/plugin-host/registry.ts';

// What a plugin may implement or is promised, and nobody uses, is worse than nothing: handleOf was such a member.

const ROOT = join(import.meta.dirname, '../..');
const CONTRACTS = ['plugin', 'config', 'runner', 'scheduler', 'progress', 'vocabulary'].map(
  (name) => `plugins/kit/src/${name}.ts`,
);
/** Of these, it is not enough that the host mentions a method: it has to call it. */
const PLUGINS = ['RunnerPlugin', 'SchedulerPlugin', 'ConfigSchema'];

let reader: ContractReader;
beforeAll(() => {
  reader = new ContractReader(ROOT);
}, 120_000);
afterAll(() => reader.close());

/** What has been seen at work, as `Type.member`. */
type Seen = Set<string>;

/** Writes down what is read of an object, or called on it. */
function watched<Watched extends object>(seen: Seen, owner: string, object: Watched, isCalled = false): Watched {
  return new Proxy(object, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof key === 'symbol') return value;
      if (typeof value !== 'function') {
        seen.add(`${owner}.${key}`);
        return value;
      }
      if (!isCalled) seen.add(`${owner}.${key}`);
      return (...given: unknown[]) => {
        seen.add(`${owner}.${key}`);
        return (value as (...all: unknown[]) => unknown).apply(target, given);
      };
    },
  });
}
/** Writes down what an object brings. */
const brought = (seen: Seen, owner: string, object: object | undefined): void => {
  for (const key in object) seen.add(`${owner}.${key}`);
};

/** A node agent with a runner that is watched: it starts, fails, prepares, is restarted, finds again and forgets. */
async function runAgent(seen: Seen): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-contract-'));
  const clock = new FakeClock();
  const gateway = new ScriptedGateway();
  const count: ProgressCount = { done: 1, total: 2, message: 'half' };
  const fails: Outcome = {
    ok: false,
    kind: 'APPLICATION',
    reason: { code: 'X', message: 'x' },
    exitCode: 1,
    signal: 'SIGTERM',
    usage: { cpuMs: 1, peakMemoryBytes: 1 },
    endedBeforeStop: false,
  };
  const runner: RunnerPlugin = {
    kind: 'runner',
    contract: '1.0',
    name: 'watched',
    version: '1.0.0',
    summary: 'Is watched.',
    config: watched(seen, 'ConfigSchema', {
      check: (config: unknown) => ({ ok: true as const, config }),
      jsonSchema: {},
    }),
    run(attempt) {
      attempt.progress(watched(seen, 'ProgressCount', count));
      if (attempt.taskKey === 'task-1') return new Promise(() => undefined);
      const outcome: Outcome = attempt.taskKey === 'task-0' ? { ok: true, outputs: { a: 1 } } : fails;
      return Promise.resolve(watched(seen, 'OutcomeFacts', watched(seen, 'Outcome', outcome)));
    },
    reattach: () => Promise.resolve({ ok: true, outputs: {} }),
    handleOf: (attempt) => attempt,
    forget: () => undefined,
    isIdempotent: () => true,
    detect: () => Promise.resolve({ health: 'HEALTHY' }),
    close: () => Promise.resolve(),
  };
  const runners = new Map([['watched', watched(seen, 'RunnerPlugin', runner, true)]]);
  saysIdempotent(runners.get('watched')!, {});
  const makeAgent = () => agentUnderTest({ gateway, runners, clock, folder });
  let agent = makeAgent();
  await agent.start();
  const specs = [0, 1, 2].map((ordinal) => specOf(ordinal, {}, { runner: 'watched' }));
  gateway.assign(...specs);
  await Promise.all([gateway.ended(specs[0]!), gateway.ended(specs[2]!)]);
  gateway.hint({ type: 'FORGET', attempt: specs[0]!.attempt });
  await clock.advance(1_000);
  for (const { progress } of gateway.progressed.flat()) brought(seen, 'Progress', progress);
  await clock.pass(agent.stop());
  agent = makeAgent();
  await agent.start();
  await gateway.ended(specs[1]!);
  await clock.pass(agent.stop());
  rmSync(folder, { recursive: true, force: true });
}

/** A placement with a scheduler that is watched: it sees all that it may wish for, and has a victim end. */
function runPlacement(seen: Seen): void {
  const record = (input: PlacementInput): void => {
    brought(seen, 'PlacementInput', input);
    for (const node of input.nodes) brought(seen, 'NodeView', node);
    for (const task of input.tasks) brought(seen, 'PendingTask', task);
    for (const attempt of input.running) brought(seen, 'RunningAttempt', attempt);
    for (const task of input.upcoming ?? []) brought(seen, 'UpcomingTask', task);
  };
  const plugin: SchedulerPlugin = {
    ...aScheduler((input) => {
      record(input);
      const isFirst = input.tasks.some(({ key }) => key === 'r.0');
      return { decisions: isFirst ? [{ task: 'r.0', node: 0, preempt: ['r.9'] }] : [], memory: null };
    }),
    config: watched(seen, 'ConfigSchema', BUILT_IN[0]!.config, true),
    wants: () => ['running', 'upcoming', 'preempt', 'tenants', 'forecast'],
    reserves: () => null,
  };
  const placement = aPlacement([aNode('a', { capacity: { slots: 1 } })], {
    plugin: watched(seen, 'SchedulerPlugin', plugin, true),
  });
  const forecast = { durationMs: 20, rankMs: 30 };
  placement.upcoming = () => [{ key: 'r.1', shape: aShape(), priority: 4, after: ['r.0'], forecast }];
  placement.running = () => [{ key: 'r.9', node: 'a', shape: aShape(), gpus: [], priority: 0, startedAt: 5, forecast }];
  placement.reserve(aShape(), 'a');
  placement.add({ key: 'r.0', shape: aShape(), priority: 9, readySince: 0, tenant: 'work' });
  placement.place(0);
  addTasks(placement, aShape(), 'r.2');
  placement.place(1);
}

const unused = (members: readonly ContractMember[], seen: Seen): readonly string[] =>
  members
    .filter(({ name, isMethod, isReferred }) => {
      const mustBeCalled = isMethod && PLUGINS.includes(name.split('.')[0]!);
      return !seen.has(name) && (mustBeCalled || !isReferred());
    })
    .map(({ name }) => name);

describe('a contract with plugins', () => {
  it('has no member that the host does not use, and no method of a plugin that it does not call', async () => {
    const seen: Seen = new Set();
    await runAgent(seen);
    runPlacement(seen);
    const members = CONTRACTS.flatMap((path) => reader.membersOf(path, 'server'));
    expect(members.map(({ name }) => name)).toEqual(expect.arrayContaining(['RunnerPlugin.handleOf', 'Outcome.ok']));
    expect(unused(members, seen)).toEqual([]);
  }, 300_000);

  it('would be found out if it had one', () => {
    const folder = 'test/plugin-host/contract-fixture';
    const members = reader.membersOf(`${folder}/contract.ts`, `${folder}/host`);
    expect(unused(members, new Set())).toEqual(['HalfUsed.promised', 'HalfUsed.unseen']);
    const called = members.map((member) => ({ ...member, name: member.name.replace('HalfUsed', 'RunnerPlugin') }));
    expect(unused(called, new Set(['RunnerPlugin.promised']))).toEqual(['RunnerPlugin.used', 'RunnerPlugin.unseen']);
  }, 120_000);
});
