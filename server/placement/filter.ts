import type { Reason } from '@gantry/plugin-kit/vocabulary';
import type { Node } from '../domain/node.ts';
import type { Change } from './change.ts';
import type { Tier } from './obstacle.ts';
import type { TaskShape } from './shape.ts';

/** What placement knows of a node, besides what is free on it. */
export type ClusterNode = Pick<
  Node,
  'name' | 'labels' | 'taints' | 'runners' | 'capacity' | 'eligibility' | 'connection'
>;

/** What can happen to a node that may make it fit for a task. */
export type ClusterEvent =
  | 'NODE_JOINED'
  /** It is heard again, or no longer cordoned; or the contrary. */
  | 'ELIGIBILITY_CHANGED'
  | 'LABELS_CHANGED'
  | 'TAINTS_CHANGED'
  | 'RUNNERS_CHANGED'
  | 'CAPACITY_CHANGED'
  /** An attempt has ended there. */
  | 'CAPACITY_FREED';

/** One rule about which node may take which task. */
export interface Filter {
  /** The code of its refusals. */
  readonly code: string;
  /** Of what its refusals speak. */
  readonly tier: Tier;
  /** Whether the node will do. Looks at one shape and one node, so the answer can be kept until the node changes. */
  passes(shape: TaskShape, node: ClusterNode): boolean;
  /** Everything for which it refuses; nothing exactly if the node passes. */
  refuse(shape: TaskShape, node: ClusterNode): readonly Refusal[];
  /** What may undo such a refusal; nothing else makes the task be tried again. */
  readonly undoneBy: readonly ClusterEvent[];
}

/** One thing for which a node will not do. */
export interface Refusal extends Omit<Reason, 'remedy'> {
  /** What would undo it there, each on its own; the first is the usual one. */
  readonly ways: readonly Change[];
  /** The resource of which the node has too little. */
  readonly resource?: string;
}
