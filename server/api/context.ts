import type { Json, JsonObject, Problem, Progress, Reason } from '@gantry/plugin-kit/vocabulary';
import type { Viewer } from '../auth/viewer.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { Clock } from '../clock.ts';
import type { Commands } from '../commands/submit.ts';
import type { PipelineProblem } from '../definition/problem.ts';
import type { StoredDecision } from '../domain/decision.ts';
import type { AttemptId, RunId, TaskRunId } from '../domain/ids.ts';
import type { Node } from '../domain/node.ts';
import type { SchedulerChoice } from '../domain/pool.ts';
import type { PipelineDefinition } from '../domain/pipeline.ts';
import type { RetentionPreview, RetentionStatus } from '../domain/retention.ts';
import type { Summary } from '../simulation/summary.ts';
import type { Workload } from '../simulation/workload.ts';
import type { Changes, WhatIf } from '../placement/what-if.ts';
import type { Events } from '../events/follow.ts';
import type { PlacementExplanation, QueueReason } from '../placement/explain.ts';
import type { QueueFilter, QueueOverview } from '../placement/queue-inspection.ts';
import type { QueuePage, QueueRange } from '../placement/queue-page.ts';
import type { NamedCandidate, Rerun } from '../placement/rerun.ts';
import type { HeldNode, SchedulerStatus } from '../placement/scheduler.ts';
import type { ShadowReport } from '../placement/shadow.ts';
import type { StoreUsage } from '../store/retention-store.ts';
import type { Store } from '../store/store.ts';
import { createLoaders, type Loaders } from './loaders.ts';

/** Everything that the API asks of the rest of the server: handed in by `main.ts`. */
export interface ApiPorts {
  readonly store: Store;
  readonly commands: Commands;
  readonly events: Events;
  readonly tokens: Tokens;
  readonly pipelines: PipelineReader;
  readonly plugins: PluginList;
  readonly placement: PlacementReader;
  readonly decisions: DecisionReader;
  readonly schedulers: SchedulerList;
  /** Why no new run is taken in; null while the database has room. */
  readonly storage: { readonly problem: string | null };
  readonly simulation: SimulationReader;
  readonly progress: ProgressReader;
  readonly history: PoolHistoryReader;
  readonly retention: RetentionPort;
  readonly health: Health;
  readonly maintenance: Maintenance;
  readonly clock: Clock;
  /** A fresh UUIDv7. */
  newRunId(): RunId;
  /** Told what an operator should know, above all unexpected faults with their incident id. */
  readonly log: ApiLog;
}

/** A backup in the data folder. */
export interface KeptBackup {
  readonly name: string;
  readonly bytes: number;
  /** In milliseconds since the epoch. */
  readonly writtenAt: number;
}

/** What one check of the data folder or the database found. */
export interface Finding {
  readonly check: string;
  readonly status: 'OK' | 'WARNING' | 'FAILURE';
  readonly message: string;
  readonly remedy: string | null;
}

/** A server's own backups and examinations. One job at a time: null while another is under way. */
export interface Maintenance {
  /** Newest first. */
  backups(): Promise<readonly KeptBackup[]>;
  /** Rejects with what kept the backup from being written. */
  backUp(): Promise<KeptBackup | null>;
  examine(): Promise<readonly Finding[] | null>;
}

/** Where the API's notes for the operator go. `details` are structured, never spliced into the message. */
export type ApiLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  details: Readonly<Record<string, unknown>>,
) => void;

/** Reads and checks pipelines. */
export interface PipelineReader {
  parse(input: { readonly yaml: string } | { readonly definition: unknown }): ParsedPipeline;
}
export type ParsedPipeline =
  | {
      readonly ok: true;
      readonly definition: PipelineDefinition;
      /** SHA-256 of the canonical definition, in hex. */
      readonly hash: string;
      /** The text as it was written; null for a definition that came as data. */
      readonly source: string | null;
    }
  | { readonly ok: false; readonly problems: readonly PipelineProblem[] };

/** The plugins that this server knows. */
export interface PluginList {
  list(): readonly PluginFacts[];
}
export interface PluginFacts {
  /** Null when it failed before it could say. */
  readonly kind: 'SCHEDULER' | 'RUNNER' | null;
  readonly name: string;
  readonly version: string;
  /** The plugin contract that it was built with. */
  readonly contract: string;
  readonly summary: string;
  /** JSON Schema 2020-12 of its config; null when it could not be loaded. */
  readonly configSchema: Json;
  readonly state: 'LOADED' | 'FAILED' | 'INCOMPATIBLE';
  /** Why it is not LOADED. */
  readonly reason: Reason | null;
}

/** What placement knows and the store does not. */
export interface PlacementReader {
  /** Null when this server does not run the pool, or the task run is not in its queue. */
  explain(pool: string, taskRun: TaskRunId): PlacementExplanation | null;
  /** Null when this server does not run the pool. */
  status(pool: string): PoolStatus | null;
  /** A part of the queue, the most urgent first; null when this server does not run the pool. */
  queuePage(pool: string, range: QueueRange, filter: QueueFilter): QueuePage | null;
  /** Why they wait, and whose they are, counted; null when this server does not run the pool. */
  queueOverview(pool: string): QueueOverview | null;
  /** Why a task run in the queue waits, in short; null when it is not in the queue (any more). */
  reasonOf(pool: string, taskRun: TaskRunId): QueueReason | null;
  /** Is another object whenever the queue, or why something waits in it, may have changed; null as for `status`. */
  queueMark(pool: string): object | null;
}
/** Decisions that have been made, in full. */
export interface DecisionReader {
  /** The decision that gave a task run its attempt; null when it is not known any more. */
  ofAttempt(pool: string, taskRun: TaskRunId, assignedAt: number): Promise<StoredDecision | null>;
  /** Where the task runs went; null when the call was not kept. */
  placements(decision: StoredDecision): readonly { readonly taskRun: string; readonly node: string }[] | null;
  /** The best nodes for a task run as the scheduler saw them; null when that cannot be worked out again. */
  candidates(decision: StoredDecision, taskRun: TaskRunId): readonly NamedCandidate[] | null;
  /** Decides again: by the same scheduler and config, unless others are named. */
  rerun(decision: StoredDecision, scheduler: string | null, config: JsonObject | null): RerunAnswer;
}
export type RerunAnswer =
  | ({ readonly ok: true; readonly version: string; readonly note: Reason | null } & Rerun)
  | { readonly ok: false; readonly reason: Reason };
/** Trying out what placement would come to, with no side effect. */
export interface SimulationReader {
  /** A node of the pool as it is now; null when this server does not run the pool, or has no such node. */
  node(pool: string, name: string): Node | null;
  /** Null when this server does not run the pool. */
  simulate(pool: string, choice: SchedulerChoice, changes: Changes): WhatIf | null;
  /**
   * What the pool did in a period, done again in the background; of a long period stretches of it. Times in milliseconds
   * since the epoch. Rejects with an error whose message is for people, and when the signal is aborted.
   */
  replay(
    pool: string,
    from: number,
    to: number,
    choices: readonly SchedulerChoice[],
    watcher: { readonly signal: AbortSignal; readonly onProgress: (progress: ReplayProgress) => void },
  ): Promise<Replay>;
}
/** How far a replay is: runs are read, then each scheduler does the work. `share` from 0 to 1, of the phase. */
export interface ReplayProgress {
  readonly phase: 'READING' | 'REPLAYING';
  readonly scheduler: string | null;
  readonly share: number;
}
export interface Replay {
  /** Those that were executed, and so are done again. */
  readonly taskRunCount: number;
  /** Of all ended runs of the period, and of those that were taken. */
  readonly recordedCount: number;
  readonly sampledCount: number;
  /** How many stretches of the period were taken; 1 when it is all of it. */
  readonly stretches: number;
  readonly workload: Workload;
  readonly results: readonly (SchedulerChoice & {
    readonly version: string;
    readonly faults: number;
    readonly summary: Summary;
  })[];
}

/** The schedulers that a pool may have. */
export interface SchedulerList {
  /** What is wrong with a choice, if anything; an unknown name is a problem, with a suggestion. */
  check(choice: SchedulerChoice): readonly Problem[];
}
export interface PoolStatus {
  /** The version of the scheduler that is at work. */
  readonly schedulerVersion: string;
  readonly schedulerState: 'HEALTHY' | 'FAULTY';
  /** Why it is FAULTY. */
  readonly schedulerReason: Reason | null;
  /** Since this server has run the pool. */
  readonly schedulerCounts: Pick<SchedulerStatus, 'calls' | 'decisions' | 'refusals' | 'faults'>;
  /** Task runs that are READY. */
  readonly queueLength: number;
  /** Attempts that hold a node. */
  readonly runningCount: number;
  /** By resource: what the nodes that take work have, and what is held of it. */
  readonly utilization: readonly { readonly resource: string; readonly capacity: number; readonly held: number }[];
  /** Null when the pool has no shadow. */
  readonly shadow: ShadowReport | null;
  /** What its scheduler holds for large task runs. */
  readonly heldNodes: readonly HeldNode[];
}

/** How pools have stood of late. */
export interface PoolHistoryReader {
  /** Oldest first; empty when this server does not run the pool. `from` in milliseconds since the epoch. */
  since(pool: string, from: number): readonly PoolSample[];
  /** The latest, and then each as it is taken. */
  follow(pool: string, signal: AbortSignal): AsyncIterable<PoolSample>;
}
export interface PoolSample extends Pick<PoolStatus, 'queueLength' | 'runningCount' | 'utilization'> {
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What is kept, and deleting it. */
export interface RetentionPort {
  status(): Promise<RetentionStatus>;
  /** What the next sweep would delete, by pipeline. */
  preview(): Promise<readonly RetentionPreview[]>;
  /** What the database and the data folder hold. May be some seconds old. */
  usage(): Promise<StoreUsage & { readonly folderBytes: number }>;
  /** Deletes a run that has ended; null when there is none. */
  deleteRun(id: RunId, actor: string): Promise<'REMOVED' | 'NOT_FINISHED' | null>;
}

/** How far attempts are that run on nodes of this server. */
export interface ProgressReader {
  /** Null where it has not said, and where another server speaks with its node. */
  of(attempt: AttemptId): Progress | null;
}

/** Whether this server can do its work. */
export interface Health {
  /** What keeps it from being ready; empty when it is. Sentences without any data of users. */
  reasons(): Promise<readonly string[]>;
}

/** What a resolver is given: who asks, whom it may ask, and the loaders of this one request. */
export interface ApiContext {
  readonly viewer: Viewer;
  readonly ports: ApiPorts;
  readonly loaders: Loaders;
  /** Aborted when a subscription ends. */
  readonly signal: AbortSignal | null;
}

/** A context for one request, or for one event of a subscription. */
export function createContext(ports: ApiPorts, viewer: Viewer, signal: AbortSignal | null = null): ApiContext {
  return { viewer, ports, loaders: createLoaders(ports.store), signal };
}
