import type { Node } from '../domain/node.ts';
import type { TaskShape } from '../placement/shape.ts';

/** What is to be done, and on what: recorded, or made up. Times in milliseconds from the beginning. */
export interface Workload {
  /** For people. */
  readonly name: string;
  readonly nodes: readonly SimulatedNode[];
  /** By index, which `needs` name. */
  readonly tasks: readonly SimulatedTask[];
}

export interface SimulatedNode {
  readonly node: Node;
  readonly joinsAt: number;
  /** When it is gone for new work; what runs there goes on. Null for never. */
  readonly leavesAt: number | null;
}

export interface SimulatedTask {
  readonly key: string;
  readonly shape: TaskShape;
  readonly priority: number;
  readonly tenant: string;
  /** It is not READY before, and not before what it needs has ended. */
  readonly arrivesAt: number;
  readonly durationMs: number;
  /** Indexes of the tasks that it needs. */
  readonly needs: readonly number[];
  /** When it should have ended; null for whenever. */
  readonly deadlineAt: number | null;
}

/** A node that has these amounts and nothing else of its own. */
export function plainNode(name: string, capacity: Node['capacity'], labels: Node['labels'], runner: string): Node {
  return {
    name,
    pool: 'simulated',
    capacity,
    labels,
    taints: [],
    runners: [{ name: runner, version: '0.0.0', health: 'HEALTHY' }],
    agentVersion: '0.0.0',
    connection: 'READY',
    eligibility: 'ELIGIBLE',
    incarnation: 1,
    reserved: {},
    runningCount: 0,
    registeredAt: 0,
    heardAt: 0,
    revision: 0,
  };
}

/** The runner that simulated tasks name where their trace knows none. */
export const SIMULATED_RUNNER = 'simulated';
