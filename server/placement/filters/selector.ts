import type { Filter } from './filter.ts';

/** The node must have every label that the task selects by. */
export const selector: Filter = {
  code: 'SELECTOR_MISMATCH',
  undoneBy: ['LABELS_CHANGED'],
  refuse({ nodeSelector }, { name, labels }) {
    for (const key in nodeSelector) {
      const wanted = nodeSelector[key]!;
      const found = Object.hasOwn(labels, key) ? labels[key] : undefined;
      if (found === wanted) continue;
      const message =
        found === undefined ? `Node ${name} has no label ${key}.` : `Node ${name} has ${key}=${found}, not ${wanted}.`;
      return { code: selector.code, message, remedy: `Label a node ${key}=${wanted}, or drop it from nodeSelector.` };
    }
    return null;
  },
};
