import { defineRunner, type RunnerPlugin } from '@gantry/plugin-kit/runner';
import { pino } from 'pino';
import { nodeSecrets } from '../../server/agent/secret-source.ts';
import { Agent } from '../../server/agent/agent.ts';
import type { FakeClock } from './fake-clock.ts';
import type { ScriptedGateway } from './scripted-gateway.ts';

/** What a test holds of its agent. */
export interface AgentSurroundings {
  readonly gateway: ScriptedGateway;
  /** By name; may change while the agent is at work. */
  readonly runners: ReadonlyMap<string, RunnerPlugin>;
  readonly clock: FakeClock;
  /** Its data. */
  readonly folder: string;
  /** By name. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** An agent that has not been started. */
export function agentUnderTest({ gateway, runners, clock, folder, secrets = {} }: AgentSurroundings): Agent {
  return new Agent({
    gateway,
    registry: {
      runner: (name) => runners.get(name) ?? null,
      names: () => [...runners.keys()].sort(),
    },
    clock,
    log: pino({ level: 'silent' }),
    random: () => 0.5,
    name: 'node',
    pool: 'default',
    labels: {},
    capacity: {},
    settings: {},
    secrets: nodeSecrets(
      null,
      Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`GANTRY_SECRET_${name}`, value])),
    ),
    dataDirectory: folder,
    version: '1.0.0',
  });
}

/** A runner that accepts any config. */
export function runnerThat(run: RunnerPlugin['run']): RunnerPlugin {
  return defineRunner({
    name: 'test',
    version: '1.0.0',
    summary: 'Does what a test wants.',
    config: { check: (config: unknown) => ({ ok: true, config }), jsonSchema: {} },
    run,
  });
}
