import { formatQuantity } from '../../domain/resources.ts';
import type { Filter } from './filter.ts';

/** The node must be large enough at all; what is free now is another question. */
export const resources: Filter = {
  code: 'INSUFFICIENT_CAPACITY',
  undoneBy: ['CAPACITY_CHANGED'],
  refuse(shape, { name, capacity }) {
    for (const resource in shape.resources) {
      const needed = shape.resources[resource]!;
      const whole = capacity[resource] ?? 0;
      if (needed <= whole) continue;
      return {
        code: resources.code,
        message: `Node ${name} has ${formatQuantity(resource, whole)} ${resource} in all; ${formatQuantity(resource, needed)} are needed.`,
        remedy: `A node with ${formatQuantity(resource, needed)} ${resource}, or a smaller request.`,
      };
    }
    return null;
  },
};
