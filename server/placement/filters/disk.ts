import { diskFullOf } from '../../domain/node.ts';
import type { Filter } from '../filter.ts';

/** New work goes only to a node whose disk has room for what it writes; the agent says when it has not. */
export const disk: Filter = {
  code: 'DISK_FULL',
  tier: 'HEALTH',
  undoneBy: ['NODE_JOINED', 'ELIGIBILITY_CHANGED'],
  refuse(_shape, node) {
    const full = diskFullOf(node);
    if (full === null) return null;
    return {
      code: disk.code,
      message: `The disk of node ${node.name} is full: ${full}.`,
      remedy: `Free space on the disk of ${node.name}: it takes work again by itself.`,
      relief: 'free space on the disk',
    };
  },
};
