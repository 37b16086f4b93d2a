import type { RunId } from '../domain/ids.ts';
import type { KeptRun, KeptRuns, RetentionSetting } from '../domain/retention.ts';

/* What the store does for retention: compressing logs, deleting for ever, saying what it holds. */

/** An attempt, by its run's key. */
export interface LogPlace {
  readonly runKey: number;
  readonly ordinal: number;
  readonly number: number;
}
/** An attempt with chunks that are not packed. */
export interface UnpackedLog extends LogPlace {
  /** When the attempt ended; null while it has not, 0 when a later one has taken its place. */
  readonly endedAt: number | null;
}
export interface LogPackingStore {
  /** Attempts of which chunks are stored one by one, in the order of their places, behind the given one. */
  unpacked(after: LogPlace | null, limit: number): Promise<readonly UnpackedLog[]>;
  /**
   * Compresses chunks of these attempts into segments, in one transaction: about 1 MiB of text, so that an attempt may
   * have to be named again. Readers see the same chunks before and after.
   */
  pack(places: readonly LogPlace[]): Promise<{ readonly hasMore: boolean }>;
}

/** What is kept of the log of a pool's events. */
export interface EventLimits {
  /** Older ones go. */
  readonly before: number;
  /** So many of the newest at most. */
  readonly batches: number;
}

/**
 * Deleting for ever. A run is removed in two steps: first its own row goes, in one transaction, and with it the run
 * from every list; then the rows of its task runs, logs and so on, in pieces. A crash in between leaves rows that no
 * query reaches, and the next call goes on with them.
 */
export interface RetentionStore {
  settings(): Promise<readonly RetentionSetting[]>;
  /** Sets what is kept of a pool's or pipeline's runs, with an audit record; with both null the setting is taken off. */
  set(scope: 'POOL' | 'PIPELINE', name: string, kept: KeptRuns, actor: string, at: number): Promise<void>;
  /** The names of pipelines that may have runs, deleted ones among them. */
  pipelines(after: string, limit: number): Promise<readonly string[]>;
  /** Runs of a pipeline, the oldest first, behind the one with this key. */
  oldestRuns(pipeline: string, afterKey: number, limit: number): Promise<readonly KeptRun[]>;
  /** The key of the newest run of a pipeline that is not among its newest `kept`; null when there are no more than those. */
  newestBeyond(pipeline: string, kept: number): Promise<number | null>;
  /** Removes those of these runs that have ended from all lists; answers with them. */
  remove(keys: readonly number[]): Promise<readonly { readonly key: number; readonly id: RunId }[]>;
  /** As `remove`, for one run that somebody names, with the audit record. Null: there is none. */
  removeByHand(id: RunId, actor: string, at: number): Promise<'REMOVED' | 'NOT_FINISHED' | null>;
  /** Deletes about so many rows of removed runs in one transaction. Answers how many, and whether any are left. */
  purge(rows: number): Promise<{ readonly rows: number; readonly hasMore: boolean }>;
  /** Deletes the oldest events, about so many; never those that a reload needs. Answers how many went. */
  trimEvents(pool: string, limits: EventLimits, limit: number): Promise<number>;
  /** Commands that have their receipt, the oldest first, behind the one with this id. */
  settledCommands(
    after: number,
    limit: number,
  ): Promise<readonly { readonly id: number; readonly at: number; readonly isKeyed: boolean }[]>;
  /** Deletes commands; their idempotency keys are free then. Answers how many went. */
  deleteCommands(ids: readonly number[]): Promise<number>;
  /** Deletes audit records from before a moment, about so many. Answers how many went. */
  trimAudit(before: number, limit: number): Promise<number>;
  /** When the oldest run that is kept was created; null without any. */
  oldestRunAt(): Promise<number | null>;
  /** Deletes decisions from before a moment but for the newest 200, about so many of each pool. Answers how many went. */
  trimDecisions(before: number, limit: number): Promise<number>;
  /** Versions of a pipeline that no run pins and that a later one replaced before a moment; never its latest. */
  replacedVersions(pipeline: string, before: number): Promise<readonly number[]>;
  /** Deletes those of these versions that no run pins. Answers how many went. */
  deleteVersions(pipeline: string, numbers: readonly number[]): Promise<number>;
  /**
   * How long deleting and packing have kept other writers of this process waiting since the store was opened, all
   * together; the time that they waited themselves is not in it. Milliseconds.
   */
  asideMs(): number;
  /** What the database holds, by kind. May take seconds on a large one, beside everything else. */
  usage(): Promise<StoreUsage>;
}

/** What rows are of, as an operator thinks of them. */
export type StoredKind =
  'RUNS' | 'LOGS' | 'EVENTS' | 'COMMANDS' | 'DECISIONS' | 'AUDIT' | 'PIPELINES' | 'NODES' | 'OTHER';
export interface StoreUsage {
  readonly kinds: readonly { readonly kind: StoredKind; readonly rows: number; readonly bytes: number }[];
  /** Whether the database estimates the rows and bytes instead of counting them. */
  readonly isEstimate: boolean;
  /** All of the database, with what it writes ahead. */
  readonly totalBytes: number;
  /** Within it, what deleted rows have left and new ones will use. */
  readonly reusableBytes: number;
  /** When the oldest run that is kept was created; null without any. */
  readonly oldestRunAt: number | null;
  /** Removed runs whose other rows are still to be deleted. */
  readonly removalCount: number;
}
