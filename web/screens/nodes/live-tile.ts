import type { NodeLoad, NodeTile } from '../../client/operations.ts';
import { newest } from '../../client/newest.ts';

/** A node, and the revision of what it holds, which is told apart from the rest of it and more often. */
export interface LiveTile extends NodeTile {
  readonly loadRevision: number;
}

/** A node as an answer or an event tells it; what it holds stays as it is known where that is newer. */
export function withTile(known: LiveTile | undefined, tile: NodeTile): LiveTile {
  const given: LiveTile = { ...tile, loadRevision: tile.revision };
  // Revisions count by pool.
  if (known === undefined || known.poolName !== tile.poolName) return given;
  if (newest(known, given) === known) return known;
  if (known.loadRevision <= tile.revision) return given;
  const { reserved, runningCount, loadRevision } = known;
  return { ...given, reserved, runningCount, loadRevision };
}

/** A node with what it holds now. */
export function withLoad(known: LiveTile, { reserved, runningCount, revision }: NodeLoad): LiveTile {
  return known.loadRevision > revision ? known : { ...known, reserved, runningCount, loadRevision: revision };
}
