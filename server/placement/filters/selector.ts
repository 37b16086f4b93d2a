import type { Filter } from '../filter.ts';

/** The node has every label that the task's selector names, with its value. */
export const selector: Filter = {
  code: 'SELECTOR_MISMATCH',
  tier: 'CONSTRAINT',
  undoneBy: ['NODE_JOINED', 'LABELS_CHANGED'],
  refuse({ nodeSelector }, { name, labels }) {
    for (const key in nodeSelector) {
      const wanted = nodeSelector[key]!;
      const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
      if (value === wanted) continue;
      return {
        code: selector.code,
        message:
          value === undefined
            ? `Node ${name} has no label ${key}; the task wants ${key}=${wanted}.`
            : `Node ${name} has ${key}=${value}; the task wants ${key}=${wanted}.`,
        remedy: `Drop ${key}=${wanted} from the task’s nodeSelector, or give ${name} the label.`,
        relief: `drop ${key}=${wanted}`,
      };
    }
    return null;
  },
};
