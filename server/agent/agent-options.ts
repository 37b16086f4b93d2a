import type { RunnerPlugin } from '@gantry/plugin-kit/runner';
import type { Resources } from '@gantry/plugin-kit/vocabulary';
import type { Clock } from '../clock.ts';
import type { RunnerSettings, Taint } from '../domain/node.ts';
import type { Logger } from '../log.ts';
import type { NodeGateway } from '../protocol/gateway.ts';
import type { SecretSource } from './secret-source.ts';

/** Where an agent finds its runners. */
export interface AgentRunners {
  runner(name: string): RunnerPlugin | null;
  names(kind: 'runner'): readonly string[];
}

/** What an agent is made of. */
export interface AgentOptions {
  readonly gateway: NodeGateway;
  readonly registry: AgentRunners;
  readonly clock: Clock;
  readonly log: Logger;
  /** For jitter: at least 0, less than 1. */
  random(): number;
  readonly name: string;
  readonly pool: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly taints?: readonly Taint[];
  readonly capacity: Resources;
  readonly settings: RunnerSettings;
  readonly secrets: SecretSource;
  /** Percent of the disk below which the node takes no work; 0, or absent, for never. */
  readonly diskReserve?: number;
  readonly dataDirectory: string;
  readonly version: string;
}
