import { DISK_FULL_TAINT, type Taint } from '../../domain/node.ts';
import { taintText } from '../change.ts';
import type { Filter } from '../filter.ts';
import type { TaskShape } from '../shape.ts';

/** The task tolerates every taint of the node that keeps new work away; that of a full disk is no matter of taste. */
export const taint: Filter = {
  code: 'TAINT_NOT_TOLERATED',
  tier: 'CONSTRAINT',
  undoneBy: ['NODE_JOINED', 'TAINTS_CHANGED'],
  passes: (shape, { taints }) => taints.every((each) => isTolerated(shape, each)),
  refuse(shape, { name, taints }) {
    return taints
      .filter((each) => !isTolerated(shape, each))
      .map((each) => ({
        code: taint.code,
        message: `Node ${name} has the taint ${taintText(each)}, which the task does not tolerate.`,
        ways: [
          { kind: 'TOLERATE', taint: each },
          { kind: 'UNTAINT', taint: each },
        ],
      }));
  },
};

const isTolerated = ({ tolerations }: TaskShape, { key, value }: Taint): boolean =>
  key === DISK_FULL_TAINT ||
  tolerations.some((each) => each.key === key && (each.value === undefined || each.value === (value ?? '')));
