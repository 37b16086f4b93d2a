import type { JsonObject, Resources } from '@gantry/plugin-kit/vocabulary';
import { transitions } from './transitions.ts';

/** Whether the server hears from a node. Orthogonal to its eligibility. */
export const connectionTransitions = {
  READY: ['SUSPECT'],
  SUSPECT: ['READY', 'LOST'],
  LOST: ['READY'],
} as const satisfies Record<string, readonly string[]>;
export type NodeConnection = keyof typeof connectionTransitions;

/** Whether new work may go to a node. */
export const eligibilityTransitions = transitions({
  ELIGIBLE: ['CORDONED'],
  CORDONED: ['ELIGIBLE'],
});
export type NodeEligibility = keyof typeof eligibilityTransitions;

export interface Taint {
  readonly key: string;
  readonly value?: string;
  /** NO_SCHEDULE keeps new work away that does not tolerate it. */
  readonly effect: 'NO_SCHEDULE';
}

/** The taint of a node whose disk is full, which its agent sets and takes off: no toleration helps. Its value says how full. */
export const DISK_FULL_TAINT = 'gantry/disk-full';

/** How full the disk of a node is that takes no work for it; null for one that has room. */
export const diskFullOf = ({ taints }: Pick<NodeFacts, 'taints'>): string | null =>
  taints.find(({ key }) => key === DISK_FULL_TAINT)?.value ?? null;

/** A runner that a node offers. */
export interface NodeRunner {
  readonly name: string;
  readonly version: string;
  readonly health: 'HEALTHY' | 'UNHEALTHY' | 'ABSENT';
  readonly message?: string;
  readonly enforces?: readonly string[];
}

/** What an agent says of its node when it connects. */
export interface NodeFacts {
  readonly name: string;
  readonly pool: string;
  readonly capacity: Resources;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly runners: readonly NodeRunner[];
  readonly agentVersion: string;
}

/** A machine that executes attempts. */
export interface Node extends NodeFacts {
  readonly connection: NodeConnection;
  readonly eligibility: NodeEligibility;
  /** Bumped at every start of its agent; messages of a lower one are answered SUPERSEDED. */
  readonly incarnation: number;
  /** What its live attempts hold; never more than its capacity unless that has shrunk since (I4). */
  readonly reserved: Resources;
  readonly runningCount: number;
  readonly registeredAt: number;
  readonly heardAt: number;
  readonly revision: number;
}

/** A node's own settings per runner, read by its agent: never sent by the server. */
export type RunnerSettings = Readonly<Record<string, JsonObject>>;
