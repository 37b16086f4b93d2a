import type { RunId } from '../domain/ids.ts';
import type { RunState } from '../domain/run.ts';
import type { LogChunk } from '../store/store.ts';
import type { FollowedNodeRecord } from './node-records.ts';

/** One thing that has become true, as a subscriber sees it. */
export type FollowedEvent =
  | {
      readonly type: string;
      readonly cursor: string;
      readonly at: number;
      readonly run: RunId;
      readonly taskRun: { readonly run: RunId; readonly ordinal: number } | null;
    }
  | { readonly type: string; readonly cursor: string; readonly at: number; readonly node: string }
  /** Some events were dropped because the subscriber did not read: fetch anew, then go on from this cursor. */
  | { readonly type: 'RESYNC'; readonly cursor: string; readonly at: number };

export type RunScope =
  | { readonly kind: 'RUN'; readonly run: RunId }
  | {
      readonly kind: 'RUNS';
      readonly pipeline?: string;
      readonly pool?: string;
      readonly states?: readonly RunState[];
    };

/** Replays what came after a cursor, then goes live, without gap or duplicate. Without a cursor: live from now. */
export interface Events {
  /**
   * The events of one run and its task runs, or of runs. Of one run: ends after the event that made it terminal.
   * Rejects with StaleCursor for a cursor that this server did not make or whose events are gone.
   */
  followRuns(scope: RunScope, after: string | undefined, signal: AbortSignal): AsyncIterable<FollowedEvent>;
  /**
   * The names of the nodes that hold more or less than before, collected for a second; each as often as that happens to
   * it. Begins now, and with every node that changes while the reader does something else.
   */
  followLoads(pool: string | undefined, signal: AbortSignal): AsyncIterable<readonly string[]>;
  /** What happens to a node, behind a record of its history or from now on; oldest first. Rejects with InvalidCursor. */
  followNodeRecords(node: string, after: string | undefined, signal: AbortSignal): AsyncIterable<FollowedNodeRecord>;
  followNodes(pool: string | undefined, after: string | undefined, signal: AbortSignal): AsyncIterable<FollowedEvent>;
  /** Log chunks of all attempts; with `follow` it goes on until the task run has ended, otherwise until it has caught up. */
  followLogs(
    taskRun: { readonly run: RunId; readonly ordinal: number },
    after: string | undefined,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<LogChunk & { readonly cursor: string }>;
}

/** A cursor that cannot be resumed from. */
export class StaleCursor extends Error {
  override readonly name = 'StaleCursor';
}
