import { formatQuantity, roundedQuantity } from '../../domain/resources.ts';
import type { Filter } from '../filter.ts';

/** The node could hold the task if nothing else ran there. What is free right now is not a filter's business. */
export const resources: Filter = {
  code: 'INSUFFICIENT_CAPACITY',
  tier: 'CAPACITY',
  undoneBy: ['NODE_JOINED', 'CAPACITY_CHANGED'],
  refuse(shape, { name, capacity }) {
    for (const resource in shape.resources) {
      const need = shape.resources[resource]!;
      const there = Object.hasOwn(capacity, resource) ? capacity[resource]! : 0;
      if (need <= there) continue;
      const amount = formatQuantity(resource, need);
      const most = roundedQuantity(resource, there, 'down');
      return {
        code: resources.code,
        message:
          there === 0
            ? `Node ${name} has no ${resource}; the task needs ${amount}.`
            : `Node ${name} has ${most} of ${resource} in all; the task needs ${amount}.`,
        remedy: `Ask for less ${resource}, or add a node with at least ${amount}.`,
        relief: there === 0 ? `do without ${resource}` : `ask for ${most} of ${resource} at most`,
      };
    }
    return null;
  },
};
