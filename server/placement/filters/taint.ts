import { DISK_FULL_TAINT, type Taint } from '../../domain/node.ts';
import type { Filter } from '../filter.ts';

/** The task tolerates every taint of the node that keeps new work away; that of a full disk is no matter of taste. */
export const taint: Filter = {
  code: 'TAINT_NOT_TOLERATED',
  tier: 'CONSTRAINT',
  undoneBy: ['NODE_JOINED', 'TAINTS_CHANGED'],
  refuse({ tolerations }, { name, taints }) {
    const unbearable = taints.find(
      ({ key, value }) =>
        key !== DISK_FULL_TAINT &&
        !tolerations.some((each) => each.key === key && (each.value === undefined || each.value === (value ?? ''))),
    );
    if (unbearable === undefined) return null;
    return {
      code: taint.code,
      message: `Node ${name} has the taint ${written(unbearable)}, which the task does not tolerate.`,
      remedy: `Add a toleration for ${written(unbearable)} to the task, or take the taint off ${name}.`,
      relief: `tolerate ${written(unbearable)}`,
    };
  },
};

const written = ({ key, value }: Taint): string => (value === undefined ? key : `${key}=${value}`);
