import type { Json, Progress } from '@gantry/plugin-kit/vocabulary';
import type { AttemptSpec, StopCause } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';
import type { NodeFacts } from '../domain/node.ts';

/**
 * What a node agent may say to the server. Dispatch implements it; the in-process link calls it directly, and the
 * remote transport will carry the same messages. Truth moves only through `sync`, which is complete and idempotent;
 * `report` and the hints only make it faster. Lost, doubled and reordered messages cost latency, never correctness.
 */
export interface NodeGateway {
  /** Once at each start of an agent, before anything else. `known` are the attempts that its journal holds. */
  hello(facts: NodeFacts, known: readonly AttemptId[]): Promise<HelloAnswer>;
  /** Every few seconds and after changes: the node's whole known set. */
  sync(message: SyncMessage): Promise<SyncAnswer>;
  /** At once when attempts change state. Resolves when it has been taken in; acknowledgement comes as a FORGET hint or in a sync. */
  report(node: string, incarnation: number, reports: readonly AttemptReport[]): Promise<void>;
  /** Output of attempts; resolves when it is durable. A repeated (attempt, seq) is ignored. */
  log(node: string, incarnation: number, chunks: readonly NodeLogChunk[]): Promise<void>;
  /** How far attempts are; shown while they run, and kept nowhere. */
  progress(node: string, incarnation: number, progress: readonly AttemptProgress[]): Promise<void>;
  /** Keeps a state for the attempts that come after this one; resolves when it is durable. What comes late changes nothing. */
  saveState(node: string, incarnation: number, state: AttemptSavedState): Promise<void>;
  /** What attempts before this one saved last; null for nothing. */
  previousState(node: string, incarnation: number, attempt: AttemptId): Promise<Json | null>;
  /** Hints, as they happen. The returned function ends them. */
  listen(node: string, incarnation: number, listener: (hints: readonly Hint[]) => void): () => void;
  /** The agent stops in good order: it takes no more work. */
  goodbye(node: string, incarnation: number): Promise<void>;
}

export interface HelloAnswer {
  readonly incarnation: number;
  readonly timers: ProtocolTimers;
}

/** How often an agent syncs, and when its silence counts. Milliseconds. */
export interface ProtocolTimers {
  readonly syncMs: number;
  readonly suspectMs: number;
  readonly lostMs: number;
}
export const DEFAULT_TIMERS: ProtocolTimers = { syncMs: 5_000, suspectMs: 15_000, lostMs: 45_000 };

export interface SyncMessage {
  readonly node: string;
  readonly incarnation: number;
  /** Only grows within an incarnation; an answer to an older one is discarded by the agent. */
  readonly seq: number;
  /** The latest report of every attempt that the agent knows and the server has not told it to forget. */
  readonly known: readonly AttemptReport[];
  /** When the node's facts have changed. */
  readonly facts?: NodeFacts;
}

export interface SyncAnswer {
  /** SUPERSEDED: an agent with a higher incarnation speaks for this node; this one must stop. UNKNOWN: say hello again. */
  readonly status: 'OK' | 'SUPERSEDED' | 'UNKNOWN';
  readonly seq: number;
  /** What the node should run and the agent did not name. */
  readonly assign: readonly AttemptSpec[];
  readonly stop: readonly { readonly attempt: AttemptId; readonly cause: StopCause }[];
  /** Their end is durable. */
  readonly forget: readonly AttemptId[];
}

export type Hint =
  | { readonly type: 'ASSIGN'; readonly spec: AttemptSpec }
  | { readonly type: 'STOP'; readonly attempt: AttemptId; readonly cause: StopCause }
  | { readonly type: 'FORGET'; readonly attempt: AttemptId }
  | { readonly type: 'SYNC_NOW' };

export interface AttemptSavedState {
  readonly attempt: AttemptId;
  /** Only grows. */
  readonly seq: number;
  readonly state: Json;
}

export interface AttemptProgress {
  readonly attempt: AttemptId;
  readonly progress: Progress;
}

export interface NodeLogChunk {
  readonly attempt: AttemptId;
  /** From 1, gap-free per attempt over all its streams. */
  readonly seq: number;
  readonly stream: 'STDOUT' | 'STDERR' | 'SYSTEM';
  readonly at: number;
  readonly text: string;
}
