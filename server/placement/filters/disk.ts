import { diskFullOf } from '../../domain/node.ts';
import type { Filter } from '../filter.ts';

/** New work goes only to a node whose disk has room for what it writes; the agent says when it has not. */
export const disk: Filter = {
  code: 'DISK_FULL',
  tier: 'HEALTH',
  undoneBy: ['NODE_JOINED', 'ELIGIBILITY_CHANGED'],
  passes: (_shape, node) => diskFullOf(node) === null,
  refuse(_shape, node) {
    const full = diskFullOf(node);
    if (full === null) return [];
    const message = `The disk of node ${node.name} is full: ${full}. It takes work again by itself when there is room.`;
    return [{ code: disk.code, message, ways: [{ kind: 'FREE_DISK' }] }];
  },
};
