import type { PlacementTier } from '../../client/operations.ts';

/** The layer that keeps a task run, as a word, and the colour that goes with it. */
export const TIERS: Readonly<Record<PlacementTier, { readonly word: string; readonly tone: string }>> = {
  NEEDS: { word: 'Needs', tone: 'idle' },
  PAUSE: { word: 'Pause', tone: 'idle' },
  BACKOFF: { word: 'Retry', tone: 'idle' },
  HEALTH: { word: 'Health', tone: 'bad' },
  CONSTRAINT: { word: 'Constraint', tone: 'bad' },
  CAPACITY: { word: 'Capacity', tone: 'warn' },
  LIMIT: { word: 'Limit', tone: 'held' },
  GANG: { word: 'Gang', tone: 'held' },
  SCHEDULER: { word: 'Scheduler', tone: 'busy' },
  QUEUE: { word: 'Queue', tone: 'good' },
};

const BY_CODE: Readonly<Record<string, string>> = {
  NO_NODES: 'There are no nodes',
  NO_ROOM: 'No room free',
  GANG_INCOMPLETE: 'Gang not complete',
  GANG_NO_ROOM: 'No room for all of a gang',
  HELD: 'Held back',
  NODE_HELD: 'Nodes are held for others',
  HOLDING_NODE: 'A node is held for it',
  NOT_CHOSEN: 'Not chosen yet',
  NEXT: 'Nearly its turn',
};

/** Of a reason that says which obstacle it is by its tier. */
const BY_TIER: Readonly<Partial<Record<PlacementTier, string>>> = {
  HEALTH: 'Nodes that do not work',
  CONSTRAINT: 'No node of the kind',
  CAPACITY: 'Larger than any node',
  LIMIT: 'At a limit',
};

/** What keeps them, in a few words. */
export const reasonWords = (tier: PlacementTier, code: string): string =>
  BY_CODE[code] ?? BY_TIER[tier] ?? TIERS[tier].word;
