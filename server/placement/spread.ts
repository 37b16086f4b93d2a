/** The nodes that have the same value of a label, for tasks that are spread over it. */
export interface Domain {
  /** The value; null for nodes without the label. */
  readonly value: string | null;
  /** Indexes of the feasible nodes, ascending. */
  readonly nodes: number[];
  /** How many of the scope are there already. */
  count: number;
  /** How many more fit right now. */
  room: number;
}

/**
 * To which domain each of `taskCount` tasks goes: always to the one that has the fewest, ties to the first. One that is
 * full is passed over, unless the spread is required: then what is left waits (−1).
 */
export function assignDomains(domains: readonly Domain[], taskCount: number, isRequired: boolean): readonly number[] {
  const counts = domains.map(({ count }) => count);
  const rooms = domains.map(({ room }) => room);
  const assigned: number[] = [];
  for (let task = 0; task < taskCount; task++) {
    let fewest = -1;
    for (let at = 0; at < domains.length; at++) {
      if (!isRequired && rooms[at]! <= 0) continue;
      if (fewest < 0 || counts[at]! < counts[fewest]!) fewest = at;
    }
    if (fewest < 0 || rooms[fewest]! <= 0) {
      assigned.push(-1);
      continue;
    }
    counts[fewest]!++;
    rooms[fewest]!--;
    assigned.push(fewest);
  }
  return assigned;
}
