/** What may happen to a node, as its history tells it. */
export const nodeRecordTypes = {
  REGISTERED: 'It came for the first time.',
  RETURNED: 'Its agent said hello under a new incarnation: the agent was restarted, or the server was.',
  SUSPECTED: 'Nothing was heard of it for a while: it got no new work.',
  LOST: 'Nothing was heard of it for so long that its attempts were given up.',
  HEARD_AGAIN: 'It was heard again, with what it was running.',
  CORDONED: 'Somebody kept new work away from it.',
  UNCORDONED: 'Somebody let new work go there again.',
  CHANGED: 'Its pool, capacity, labels, taints, runners or version became others.',
  RUNNER_FAILED: 'One of its runners could not be used any more.',
  RUNNER_RECOVERED: 'One of its runners could be used again.',
} as const;
export type NodeRecordType = keyof typeof nodeRecordTypes;

/** Something that has happened to a node. Kept in the order in which it did; the newest of each node. */
export interface NodeRecord {
  readonly node: string;
  readonly at: number;
  readonly type: NodeRecordType;
  /** The incarnation that the node had from then on. */
  readonly incarnation: number;
  /** Who did it; null for what nobody did. */
  readonly actor: string | null;
  /** Why, or what exactly; null where the type says it all. */
  readonly message: string | null;
}

/** A message that is longer is cut: it may be a plugin's or somebody's. Characters. */
export const MAX_RECORD_MESSAGE = 1_000;
