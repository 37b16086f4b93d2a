import type { Filter } from './filter.ts';

/** A taint keeps away every task that does not tolerate it. */
export const taint: Filter = {
  code: 'TAINT_NOT_TOLERATED',
  undoneBy: ['TAINTS_CHANGED'],
  refuse({ tolerations }, { name, taints }) {
    const bad = taints.find(
      ({ key, value }) =>
        !tolerations.some(
          (toleration) => toleration.key === key && (toleration.value === undefined || toleration.value === value),
        ),
    );
    if (!bad) return null;
    const text = bad.value === undefined ? bad.key : `${bad.key}=${bad.value}`;
    return {
      code: taint.code,
      message: `Node ${name} has the taint ${text}.`,
      remedy: `Let the task tolerate ${bad.key}, or take the taint away.`,
    };
  },
};
