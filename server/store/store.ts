import type { Json, JsonObject, Reason, Usage } from '@gantry/plugin-kit/vocabulary';
import type { Attempt } from '../domain/attempt.ts';
import type { Change, Evidence, HeldGpus } from '../domain/change.ts';
import type { Command, Receipt, StoredCommand } from '../domain/command.ts';
import type { StoredDecision } from '../domain/decision.ts';
import type { EventBatch } from '../domain/event.ts';
import type { AttemptId, RunId } from '../domain/ids.ts';
import type { DamagedRun, LoggedAssignment, RecoveredRun } from '../domain/input.ts';
import type { Node } from '../domain/node.ts';
import type { NodeRecord } from '../domain/node-record.ts';
import type { Pipeline, PipelineDefinition, PipelineVersion } from '../domain/pipeline.ts';
import type { Pool } from '../domain/pool.ts';
import type { Run, RunState, Trigger } from '../domain/run.ts';
import type { Duration, TaskRun } from '../domain/task-run.ts';
import type { CorruptRow } from './columns.ts';
import type { IdentityStore } from './identity.ts';
import type { LogPackingStore, RetentionStore } from './retention-store.ts';

export type { DatabaseIdentity } from './identity.ts';

/** Everything durable, behind one face. Two implementations of the dialect, one set of tables and queries. */
export interface Store {
  readonly pipelines: PipelineStore;
  readonly runs: RunStore;
  readonly taskRuns: TaskRunStore;
  readonly nodes: NodeStore;
  readonly nodeRecords: NodeRecordStore;
  readonly pools: PoolStore;
  readonly decisions: DecisionStore;
  readonly commands: CommandStore;
  readonly events: EventStore;
  readonly logs: LogStore;
  readonly logPacking: LogPackingStore;
  readonly retention: RetentionStore;
  readonly states: StateStore;
  readonly leases: LeaseStore;
  readonly tokens: TokenStore;
  readonly audit: AuditStore;
  readonly identity: IdentityStore;
  /**
   * Turns a change into plain parameters at once, so that the engine may go on while it is written, and writes it in
   * one transaction that begins with the guard on the lease: `UPDATE lease SET seq = seq + 1 WHERE name = ? AND
   * epoch = ?`, which must leave seq at `seq`. Rejects with LeaseLost when it does not; nothing is written then.
   * Ends with the batch's row in the event log.
   */
  commit(lease: HeldLease, seq: number, change: Change): Promise<void>;
  /** Gives back what the database keeps and needs no longer: SQLite's log. Nothing for a database elsewhere. */
  makeRoom(): Promise<void>;
  /** The file of the database; null for one that is elsewhere, or in memory. */
  readonly file: string | null;
  /** Whether a trivial statement is answered within `timeoutMs`. */
  ping(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** A stale owner tried to commit (I8). */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** The database cannot be reached, or a statement took too long. The caller may try again. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** One page in a stable order. `after` and `endCursor` are opaque to everyone but the store. */
export interface PageArgs {
  readonly first: number;
  readonly after?: string;
}
export interface Page<Row> {
  readonly rows: readonly { readonly row: Row; readonly cursor: string }[];
  readonly hasNextPage: boolean;
  /** Where the next page begins, when that is not behind the last row: the rows of a short page end before it does. */
  readonly endCursor?: string;
}

/** A cursor that this store did not make. */
export class InvalidCursor extends Error {
  override readonly name = 'InvalidCursor';
}

export interface PipelineStore {
  /** Stores a version unless the latest has the same hash; writes the audit record in the same transaction. */
  apply(
    definition: PipelineDefinition,
    facts: { readonly source: string | null; readonly hash: string; readonly actor: string; readonly at: number },
  ): Promise<{ readonly version: PipelineVersion; readonly created: boolean }>;
  /** Runs stay; false when there is no such pipeline. A pipeline of the same name may be applied again and counts on. */
  delete(name: string, actor: string, at: number): Promise<boolean>;
  setPaused(name: string, paused: boolean, actor: string, at: number): Promise<boolean>;
  byNames(names: readonly string[]): Promise<readonly (Pipeline | null)[]>;
  /** By name. `search` is a substring of the name, case-insensitive. */
  page(args: PageArgs, filter: { readonly search?: string }): Promise<Page<Pipeline>>;
  count(filter: { readonly search?: string }): Promise<number>;
  /** What has been applied, paused, resumed or deleted since a moment, that moment included; the oldest change first. */
  changedSince(at: number): Promise<readonly { readonly name: string; readonly at: number }[]>;
  versions(
    keys: readonly { readonly pipeline: string; readonly number: number }[],
    /** Told of those that cannot be read, which are null then; without it they come with an empty definition. */
    onDamaged?: (version: PipelineVersion, damage: CorruptRow) => void,
  ): Promise<readonly (PipelineVersion | null)[]>;
  /** Newest first. */
  versionPage(pipeline: string, args: PageArgs): Promise<Page<PipelineVersion>>;
}

export interface RunFilter {
  readonly pipeline?: string;
  readonly pool?: string;
  readonly states?: readonly RunState[];
  readonly trigger?: Trigger;
  readonly createdAfter?: number;
  readonly createdBefore?: number;
}

export interface RunStore {
  /** In the order of the ids; null for an unknown one. */
  byIds(ids: readonly RunId[]): Promise<readonly (Run | null)[]>;
  /** Newest first. */
  page(args: PageArgs, filter: RunFilter): Promise<Page<Run>>;
  count(filter: RunFilter): Promise<number>;
  /** Every run of the pool that has not ended, whole: what a reload starts from. */
  unfinished(
    pool: string,
    /** Told of those that cannot be recovered, which are left out then; without it, CorruptRow is thrown for one. */
    onDamaged?: (damaged: DamagedRun) => void,
  ): Promise<readonly RecoveredRun[]>;
  /** Ends runs that cannot be recovered: FAILED, with the reason, and nothing of them alive. May reject with LeaseLost. */
  setAside(lease: HeldLease, runs: readonly DamagedRun[], at: number): Promise<void>;
  /** These runs, whole, in their order; without those that cannot be read. */
  withTaskRuns(runs: readonly Run[]): Promise<readonly RecoveredRun[]>;
  /** One run, whole, ended or not. Rejects with CorruptRow when something of it cannot be read. */
  whole(id: RunId): Promise<RecoveredRun | null>;
}

/** An attempt that has ended, and what it was of. */
export interface EndedAttempt {
  readonly run: RunId;
  readonly ordinal: number;
  readonly attempt: Attempt;
}

export interface TaskRunStore {
  byIds(ids: readonly { readonly run: RunId; readonly ordinal: number }[]): Promise<readonly (TaskRun | null)[]>;
  /** By ordinal, one page per run, for several runs at once. `states` narrows. */
  pagesOfRuns(
    runs: readonly RunId[],
    args: PageArgs,
    filter: { readonly states?: readonly string[] },
  ): Promise<readonly Page<TaskRun>[]>;
  /** Oldest first, the latest (alive or not) last. */
  attempts(ids: readonly { readonly run: RunId; readonly ordinal: number }[]): Promise<readonly (readonly Attempt[])[]>;
  /** What attempts used up; null where nobody told. */
  usages(
    attempts: readonly { readonly run: RunId; readonly ordinal: number; readonly number: number }[],
  ): Promise<readonly (Usage | null)[]>;
  /** Why task runs ended as they did, where that was kept: where state, attempt and run do not tell. */
  reasons(ids: readonly { readonly run: RunId; readonly ordinal: number }[]): Promise<readonly (Reason | null)[]>;
  evidence(id: { readonly run: RunId; readonly ordinal: number }): Promise<readonly Evidence[]>;
  /** Task runs with a live attempt on the node, oldest assignment first. */
  onNode(node: string, limit: number): Promise<readonly TaskRun[]>;
  /** Attempts that have ended on the node, of the newest run first. A page may be short: its `endCursor` goes on. */
  endedOnNode(node: string, args: PageArgs): Promise<Page<EndedAttempt>>;
  /** Which GPUs attempts of the pool's unfinished runs have or had. */
  heldGpus(pool: string): Promise<readonly HeldGpus[]>;
  /** How long the successes of the pool's last successful runs took, oldest run first; a sample where there are very many. */
  durations(pool: string): Promise<readonly Duration[]>;
}

export interface NodeStore {
  byNames(names: readonly string[]): Promise<readonly (Node | null)[]>;
  page(args: PageArgs, filter: { readonly pool?: string }): Promise<Page<Node>>;
  count(filter: { readonly pool?: string }): Promise<number>;
  ofPool(pool: string): Promise<readonly Node[]>;
  /** Bumps and returns the incarnation of a node's agent, from 1. Committed before it is told. */
  nextIncarnation(name: string): Promise<number>;
  /** The incarnation that was handed out last; 0 when there has been none. */
  incarnation(name: string): Promise<number>;
}

/** What has happened to nodes; of each the newest are kept. */
export interface NodeRecordStore {
  /** Newest first. */
  page(node: string, args: PageArgs): Promise<Page<NodeRecord>>;
  /** What was written after the record with this cursor, or at all; oldest first, at most `limit`. */
  after(node: string, cursor: string | undefined, limit: number): Promise<Page<NodeRecord>['rows']>;
  /** Forgets all but the newest `kept` of each of these nodes. */
  trim(nodes: Iterable<string>, kept: number): Promise<void>;
}

export interface PoolStore {
  all(): Promise<readonly Pool[]>;
  byName(name: string): Promise<Pool | null>;
  /** Makes the pool if it is missing. */
  ensure(pool: Pool): Promise<void>;
}

/** How placements were decided; the newest are kept. */
export interface DecisionStore {
  bySeq(pool: string, seq: number): Promise<StoredDecision | null>;
  /** Those of one millisecond, oldest first. */
  madeAt(pool: string, at: number): Promise<readonly StoredDecision[]>;
  /** The newest that hold their whole call, newest first. */
  latest(pool: string, limit: number): Promise<readonly StoredDecision[]>;
  /** Forgets the oldest beyond so many decisions, and beyond so many characters of packed calls. */
  trim(pool: string, limits: { readonly decisions: number; readonly characters: number }): Promise<void>;
}

export interface CommandStore {
  /**
   * Appends commands in one transaction, with an audit record each. A command whose (actor, idempotencyKey) is known
   * is not stored again: the answer is the earlier one, with its receipt when it has one (I9).
   */
  append(
    commands: readonly {
      readonly pool: string;
      readonly command: Command;
      readonly actor: string;
      readonly at: number;
      readonly idempotencyKey?: string;
    }[],
  ): Promise<
    readonly {
      readonly id: number;
      readonly command: Command;
      readonly receipt: Receipt | null;
      readonly repeated: boolean;
    }[]
  >;
  /** Those without a receipt and with a greater id, oldest first. */
  pending(
    pool: string,
    after: number,
    limit: number,
    /** Told of those that cannot be read, which are left out then; without it, CorruptRow is thrown for one. */
    onUnreadable?: (id: number, message: string) => void,
  ): Promise<readonly StoredCommand[]>;
  receipt(id: number): Promise<Receipt | null>;
  /** Whether this actor has used the idempotency key before. */
  isKnown(actor: string, idempotencyKey: string): Promise<boolean>;
}

export interface EventStore {
  /** Batches with a greater sequence, in order. */
  after(pool: string, seq: number, limit: number): Promise<readonly EventBatch[]>;
  /** The assignments that batches with a greater sequence logged, oldest first. */
  assignedAfter(pool: string, seq: number): Promise<readonly LoggedAssignment[]>;
  /** The last sequence; 0 before the first event. */
  last(pool: string): Promise<number>;
  /** The oldest sequence that is still kept; 1 unless events were deleted. */
  first(pool: string): Promise<number>;
}

export interface LogChunk {
  readonly attempt: AttemptId;
  /** From 1, gap-free per attempt over both streams: the order in which the agent read them. */
  readonly seq: number;
  readonly stream: 'STDOUT' | 'STDERR' | 'SYSTEM';
  readonly at: number;
  /** UTF-8; what the task printed that is none became U+FFFD. */
  readonly text: string;
}

/** What an attempt hands to those of the same task run that come after it. */
export interface SavedState {
  readonly attempt: AttemptId;
  /** Grows with each that the attempt saves: what comes late or twice changes nothing. */
  readonly seq: number;
  readonly state: Json;
}

export interface StateStore {
  /** Keeps the latest of the latest attempt. Of an unknown run: nothing. */
  save(state: SavedState): Promise<void>;
  /** What attempts before this one saved last; null for nothing. */
  before(attempt: AttemptId): Promise<Json | null>;
}

export interface LogStore {
  /** Stores each chunk once (I13); a repeated (attempt, seq) is ignored. */
  append(chunks: readonly LogChunk[]): Promise<void>;
  /** In order of attempt number and seq, after the given place. At most `limit` chunks. */
  read(
    taskRun: { readonly run: RunId; readonly ordinal: number },
    after: { readonly number: number; readonly seq: number },
    limit: number,
  ): Promise<readonly LogChunk[]>;
}

/** Ownership of a pool. `epoch` only grows (I8). Times are the database's. */
export interface HeldLease {
  readonly name: string;
  readonly holder: string;
  readonly epoch: number;
  /** The sequence of the last commit under any epoch. */
  readonly seq: number;
  /** Up to this sequence every logged assignment is in its row (Change.writtenSeq of the last commit). */
  readonly writtenSeq: number;
}
export interface LeaseStore {
  /**
   * Null when somebody else holds it and it has not expired. Takes it over with a higher epoch otherwise.
   *
   * @param dead Holders that are certain to have ended: their lease need not expire.
   */
  acquire(name: string, holder: string, ttlMs: number, dead?: readonly string[]): Promise<HeldLease | null>;
  /** Who holds it, and a mark that changes whenever it is taken or renewed; null when nobody does. */
  standing(name: string): Promise<{ readonly holder: string; readonly mark: string } | null>;
  /** False when it is no longer held under this epoch: step down. */
  renew(lease: HeldLease, ttlMs: number): Promise<boolean>;
  resign(lease: HeldLease): Promise<void>;
}

export type Role = 'VIEWER' | 'OPERATOR' | 'AUTHOR' | 'ADMIN' | 'NODE';
export interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** The first characters, to tell tokens apart. */
  readonly prefix: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}
export interface TokenStore {
  /** `hash` is the SHA-256 of the token in hex: the token itself is never stored. Replaces one of the same name. */
  put(token: Token, hash: string): Promise<void>;
  byHash(hash: string): Promise<Token | null>;
  all(): Promise<readonly Token[]>;
  revoke(id: string, at: number, actor: string): Promise<boolean>;
  touched(ids: readonly string[], at: number): Promise<void>;
}

export interface AuditRecord {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  /** What was done: `pipeline.apply`, `run.cancel`, … */
  readonly action: string;
  readonly subject: string;
  readonly details: JsonObject;
}
/** Which audit records: those that are exactly so. */
export type AuditFilter = Partial<Pick<AuditRecord, 'actor' | 'action' | 'subject'>>;
export interface AuditStore {
  append(record: Omit<AuditRecord, 'id'>): Promise<void>;
  /** Newest first. */
  page(args: PageArgs, filter?: AuditFilter): Promise<Page<AuditRecord>>;
  /** What was written after a record, oldest first. */
  after(id: number, limit: number): Promise<readonly AuditRecord[]>;
}

export type { Json };
