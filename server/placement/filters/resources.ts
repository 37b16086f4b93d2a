import { formatQuantity, roundedQuantity } from '../../domain/resources.ts';
import type { ClusterNode, Filter, Refusal } from '../filter.ts';

/** The node could hold the task if nothing else ran there. What is free right now is not a filter's business. */
export const resources: Filter = {
  code: 'INSUFFICIENT_CAPACITY',
  tier: 'CAPACITY',
  undoneBy: ['NODE_JOINED', 'CAPACITY_CHANGED'],
  passes(shape, node) {
    for (const resource in shape.resources) if (shape.resources[resource]! > sizeOf(node, resource)) return false;
    return true;
  },
  refuse(shape, node) {
    const refusals: Refusal[] = [];
    for (const resource in shape.resources) {
      const need = shape.resources[resource]!;
      const size = sizeOf(node, resource);
      if (need <= size) continue;
      const amount = formatQuantity(resource, need);
      const most = roundedQuantity(resource, size, 'down');
      refusals.push({
        code: resources.code,
        message:
          size === 0
            ? `Node ${node.name} has no ${resource}; the task needs ${amount}.`
            : `Node ${node.name} has ${most} of ${resource} in all; the task needs ${amount}.`,
        // How much less would do depends on what is free.
        ways: [],
        resource,
      });
    }
    return refusals;
  },
};

const sizeOf = ({ capacity }: ClusterNode, resource: string): number =>
  Object.hasOwn(capacity, resource) ? capacity[resource]! : 0;
