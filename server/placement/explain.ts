import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { formatQuantity } from '../domain/resources.ts';
import type { ClusterModel, ClusterNode } from './cluster-model.ts';
import type { Waiting } from './queue.ts';
import type { TaskShape } from './shape.ts';

/** Why a task run waits. */
export interface PlacementExplanation {
  /** How many go before it. */
  readonly position: number;
  /** How many wait in all. */
  readonly pending: number;
  /** What keeps it, in short: never empty. */
  readonly reasons: readonly Reason[];
  readonly nodes: readonly NodeExplanation[];
}

/** FITS: it would have room now. FULL: it will do, but what is free is too little. REFUSED: it will not do. */
export interface NodeExplanation {
  readonly node: string;
  readonly verdict: 'FITS' | 'FULL' | 'REFUSED';
  readonly reasons: readonly Reason[];
}

/** Looks at every node: for people who ask, not for the path on which tasks are placed. */
export function explain(
  { request }: Waiting,
  position: number,
  pending: number,
  cluster: ClusterModel,
): PlacementExplanation {
  const nodes = cluster.nodes.map((node) => explainNode(request.shape, node, cluster));
  return { position, pending, nodes, reasons: summary(nodes) };
}

function explainNode(shape: TaskShape, node: ClusterNode, cluster: ClusterModel): NodeExplanation {
  const { name } = node.node;
  const refusals = cluster.refusals(shape, node);
  if (refusals.length > 0) return { node: name, verdict: 'REFUSED', reasons: refusals };
  const needs = cluster.needsOf(shape);
  const shortfalls = needs.flatMap((needed, column): Reason[] => {
    const free = Math.max(node.free[column]!, 0);
    if (needed <= free) return [];
    const resource = cluster.resources[column]!;
    const missing = formatQuantity(resource, needed - free);
    return [
      {
        code: 'CAPACITY',
        message: `Node ${name} has ${formatQuantity(resource, free)} ${resource} free; ${formatQuantity(resource, needed)} are needed.`,
        remedy: `${missing} ${resource} more on ${name}.`,
      },
    ];
  });
  return { node: name, verdict: shortfalls.length > 0 ? 'FULL' : 'FITS', reasons: shortfalls };
}

function summary(nodes: readonly NodeExplanation[]): readonly Reason[] {
  if (nodes.length === 0)
    return [{ code: 'NO_NODES', message: 'The pool has no node.', remedy: 'Start a node agent.' }];
  const count = (verdict: NodeExplanation['verdict']) => nodes.filter((node) => node.verdict === verdict).length;
  if (count('FITS') > 0) return [{ code: 'QUEUED', message: 'A node has room: it is placed when its turn comes.' }];
  if (count('FULL') > 0) {
    return [
      {
        code: 'CAPACITY',
        message: `${count('FULL')} of ${nodes.length} nodes will do, and none has room now.`,
        remedy: 'Wait until running work ends, or add a node.',
      },
    ];
  }
  const remedies = nodes.flatMap(({ reasons }) => reasons.slice(0, 1));
  return [
    {
      code: 'NO_FEASIBLE_NODE',
      message: `None of ${nodes.length} nodes will do.`,
      ...(remedies[0]?.remedy === undefined ? {} : { remedy: remedies[0].remedy }),
    },
  ];
}
