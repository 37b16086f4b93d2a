import type { Reason } from '@gantry/plugin-kit/vocabulary';
import type { Node } from '../../domain/node.ts';
import type { TaskShape } from '../shape.ts';

/** What may happen to a cluster that could undo a refusal. */
export type ClusterEvent =
  'CAPACITY_CHANGED' | 'LABELS_CHANGED' | 'TAINTS_CHANGED' | 'RUNNERS_CHANGED' | 'ELIGIBILITY_CHANGED';

/** One rule about one node (after kube-scheduler's filters and their EnqueueExtensions). */
export interface Filter {
  readonly code: string;
  /** Null if the node will do. Looks at one shape and one node, so the answer holds until the node changes. */
  refuse(shape: TaskShape, node: Node): Reason | null;
  /** What may undo such a refusal; nothing else makes the task be tried again. */
  readonly undoneBy: readonly ClusterEvent[];
}
