import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, hostname, platform, release, totalmem } from 'node:os';
import type { RunnerNode, RunnerPlugin } from '@gantry/plugin-kit/runner';
import type { Resources } from '@gantry/plugin-kit/vocabulary';
import type { NodeFacts, NodeRunner, Taint } from '../domain/node.ts';

/** How long a runner may take to look around. Milliseconds. */
const DETECT_MS = 5_000;

export interface FingerprintOptions {
  readonly name: string;
  readonly pool: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Replaces what was found, by resource. */
  readonly capacity: Resources;
  readonly taints: readonly Taint[];
  readonly dataDirectory: string;
  readonly agentVersion: string;
  readonly runners: readonly RunnerPlugin[];
  /** What a runner is told of this node. */
  nodeOf(runner: RunnerPlugin): RunnerNode;
  /** Bytes to offer as disk; null to look how many are free. */
  readonly disk: number | null;
}

/** What this machine is and what it offers, its runners asked. */
export async function fingerprint(options: FingerprintOptions): Promise<NodeFacts> {
  const detected = await Promise.all(options.runners.map((runner) => detect(runner, options)));
  const disk = options.disk ?? (await freeBytes(options.dataDirectory));
  const cores = availableParallelism();
  const found: Record<string, number> = {
    cpu: cores * 1_000,
    memory: totalmem(),
    disk,
    // A default that leaves room for many small tasks; what a task really needs it says as cpu and memory.
    slots: Math.max(64, cores * 16),
  };
  const labels: Record<string, string> = { os: platform(), arch: arch(), hostname: hostname(), kernel: release() };
  for (const { attributes, capacity, runner } of detected) {
    for (const [key, value] of Object.entries(attributes)) labels[`runner.${runner.name}.${key}`] = value;
    for (const [key, amount] of Object.entries(capacity)) found[key] = (found[key] ?? 0) + amount;
  }
  return {
    name: options.name,
    pool: options.pool,
    capacity: { ...found, ...options.capacity },
    labels: { ...labels, ...options.labels },
    taints: options.taints,
    runners: detected.map(({ runner }) => runner),
    agentVersion: options.agentVersion,
  };
}

const freeBytes = (folder: string): Promise<number> =>
  statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );

async function detect(
  plugin: RunnerPlugin,
  { nodeOf }: Pick<FingerprintOptions, 'nodeOf'>,
): Promise<{
  readonly runner: NodeRunner;
  readonly attributes: Readonly<Record<string, string>>;
  readonly capacity: Resources;
}> {
  const header = { name: plugin.name, version: plugin.version };
  if (!plugin.detect) return { runner: { ...header, health: 'HEALTHY' }, attributes: {}, capacity: {} };
  try {
    const {
      health,
      reason,
      attributes = {},
      capacity = {},
      enforces,
    } = await plugin.detect(AbortSignal.timeout(DETECT_MS), nodeOf(plugin));
    return {
      runner: { ...header, health, ...(reason ? { message: reason.message } : {}), ...(enforces ? { enforces } : {}) },
      attributes,
      capacity,
    };
  } catch (error) {
    return {
      runner: { ...header, health: 'UNHEALTHY', message: `It failed to look around: ${(error as Error).message}` },
      attributes: {},
      capacity: {},
    };
  }
}
