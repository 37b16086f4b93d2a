import { greedy } from '@gantry/plugin-kit/greedy';

/** The host's own rule for when a scheduler has failed: the first node with room, in the usual order. */
export const placeFirstFit = greedy<unknown>(() => ({ score: (_shape, node) => -node }));
