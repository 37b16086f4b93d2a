import type { Filter } from '../filter.ts';

/** The node has every label that the task's selector names, with its value. */
export const selector: Filter = {
  code: 'SELECTOR_MISMATCH',
  tier: 'CONSTRAINT',
  undoneBy: ['NODE_JOINED', 'LABELS_CHANGED'],
  passes({ nodeSelector }, { labels }) {
    for (const key in nodeSelector) if (valueOf(labels, key) !== nodeSelector[key]) return false;
    return true;
  },
  refuse({ nodeSelector }, { name, labels }) {
    return Object.entries(nodeSelector).flatMap(([label, value]) => {
      const found = valueOf(labels, label);
      if (found === value) return [];
      return {
        code: selector.code,
        message:
          found === undefined
            ? `Node ${name} has no label ${label}; the task wants ${label}=${value}.`
            : `Node ${name} has ${label}=${found}; the task wants ${label}=${value}.`,
        ways: [
          { kind: 'DROP_LABEL', label, value },
          { kind: 'SET_LABEL', label, value },
        ],
      };
    });
  },
};

const valueOf = (labels: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;
