import type { Json } from '@gantry/plugin-kit/vocabulary';
import type { NodeFacts } from '../../server/domain/node.ts';
import type { PipelineDefinition } from '../../server/domain/pipeline.ts';
import type { Task } from '../../server/domain/task.ts';

/** A task with every default; `overrides` says what matters to the test. */
export function aTask(key: string, overrides: Partial<Task> = {}): Task {
  return {
    key,
    description: '',
    runner: 'mock',
    with: {},
    env: {},
    needs: [],
    forEach: null,
    resources: { slots: 1 },
    nodeSelector: {},
    tolerations: [],
    placement: null,
    retry: { max: 0, backoff: 'exponential', delayMs: 1_000, maxDelayMs: 300_000 },
    timeoutMs: null,
    killGraceMs: 10_000,
    allowFailure: false,
    onNodeLost: 'RETRY',
    idempotent: null,
    ...overrides,
  };
}

/** A definition from its tasks. */
export function aDefinition(tasks: readonly Task[], overrides: Partial<PipelineDefinition> = {}): PipelineDefinition {
  return { name: 'work', description: '', pool: 'default', priority: 0, params: {}, tasks, ...overrides };
}

/** A node that says hello. */
export function someFacts(name: string, overrides: Partial<NodeFacts> = {}): NodeFacts {
  return {
    name,
    pool: 'default',
    capacity: { slots: 8 },
    labels: {},
    taints: [],
    runners: [{ name: 'mock', version: '1.0.0', health: 'HEALTHY' }],
    agentVersion: '1.0.0',
    ...overrides,
  };
}

export const noParams: Readonly<Record<string, Json>> = {};
