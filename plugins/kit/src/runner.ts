import type { Writable } from 'node:stream';
import type { PluginHeader } from './plugin.ts';
import type { ProgressCount } from './progress.ts';
import {
  CONTRACT,
  type Instant,
  type Json,
  type JsonObject,
  type Reason,
  type Resources,
  type Usage,
} from './vocabulary.ts';

export * from './vocabulary.ts';
export * from './config.ts';
export type { ProgressCount } from './progress.ts';

/** Executes attempts on a node. `Config` is what a task writes under `with:`. */
export interface RunnerPlugin<Config = unknown, Handle extends Json = Json> extends PluginHeader<'runner', Config> {
  /** Does the work and resolves when it has ended, one way or the other. To throw, or to settle later than
   *  `attempt.kill` plus five seconds, is a fault of the plugin: the attempt fails with kind UNKNOWN and names it. */
  run(attempt: Attempt<Config, Handle>, node: RunnerNode): Promise<Outcome>;
  /** The agent was restarted: follow the work that `handle` names and resolve as `run` would have. Never start it a
   *  second time; if it cannot be found, INFRASTRUCTURE. Without this method the work ends with the agent. */
  reattach?(attempt: Attempt<Config, Handle>, handle: Handle, node: RunnerNode): Promise<Outcome>;
  /** For a runner that finds its work by the attempt's id alone: the handle to `reattach` to of an attempt whose agent
   *  died before a checkpoint was durable. Without it such an attempt fails, for nobody knows whether it was started. */
  handleOf?(attempt: string): Handle;
  /** Can this node run it, and what does it offer? Asked at start and every minute. Default: healthy, nothing. */
  detect?(signal: AbortSignal, node: RunnerNode): Promise<Detection>;
  /** Lets go of what it keeps between attempts (connections, helper processes). Running work is not ended by it. */
  close?(): Promise<void>;
}

/** What the node's operator lets a runner do, and where it may keep things. */
export interface RunnerNode {
  readonly name: string;
  /** Of the runner's own; survives a restart of the agent. Absolute. */
  readonly stateDirectory: string;
  /** The node's configuration for this runner, for example `{ allow: ['127.0.0.0/8'] }` for `http`. */
  readonly settings: JsonObject;
}

/** Everything an attempt is, and everything it may do. */
export interface Attempt<Config = unknown, Handle extends Json = Json> {
  /** Unique for ever: container name, idempotency key. */
  readonly id: string;
  /** 1 for the first try. */
  readonly number: number;
  readonly runId: string;
  readonly taskKey: string;
  readonly config: Config;
  /** Params, upstream outputs, secrets; never spliced into a shell line. */
  readonly env: Readonly<Record<string, string>>;
  /** What the task may read: `{ params, tasks: { <key>: { outputs } }, item, index }`. */
  readonly inputs: JsonObject;
  /** Absolute, empty, of this attempt alone, mode 0700. Made when first asked for. */
  readonly workdir: string;
  /** Reserved; enforce what you can and say so in Detection.enforces. */
  readonly resources: Resources;
  /** Which of the node’s GPUs it has, by index; also in its environment as CUDA_VISIBLE_DEVICES. */
  readonly gpus: readonly number[];
  readonly deadline: Instant | null;
  /** What an attempt of the same task run before this one saved last; null for none. */
  readonly previousState: Json;
  /** End in good order; `stop.reason` is a StopReason; then comes `kill`. */
  readonly stop: AbortSignal;
  /** End it now, with everything that it started. */
  readonly kill: AbortSignal;
  /** As it prints; back-pressure: `child.stdout.pipe(attempt.stdout)` is right. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Durable on this node; await it before what a restart must find again. */
  checkpoint(handle: Handle): Promise<void>;
  /** Keeps a state of the work itself for the next attempt, should there be one; of several the last. At most
   *  MAX_STATE_BYTES. Resolves when the server holds it; rejects when it cannot be kept. */
  saveState(state: Json): Promise<void>;
  /** Tells that the work proper has begun (the attempt is RUNNING). Implied by the first output or checkpoint. */
  started(): void;
  /** Shows how far it is, live: a fraction from 0 to 1, or so many of so many. Cheap; say it as often as it changes. */
  progress(at: number | ProgressCount, message?: string): void;
}

export type StopReason = 'CANCELLED' | 'TIMED_OUT' | 'PREEMPTED' | 'SHUTDOWN';

/** Only what the runner itself can know: that it was cancelled or timed out is known to who stopped it. */
export type Outcome =
  | { readonly ok: true; readonly outputs: Readonly<Record<string, Json>>; readonly usage?: Usage }
  | {
      readonly ok: false;
      readonly kind: 'APPLICATION' | 'OOM' | 'INFRASTRUCTURE' | 'REJECTED';
      readonly reason: Reason;
      readonly exitCode?: number;
      readonly signal?: string;
      readonly usage?: Usage;
    };

export interface Detection {
  readonly health: 'HEALTHY' | 'UNHEALTHY' | 'ABSENT';
  readonly reason?: Reason;
  /** Become labels `runner.<name>.<key>`, usable in selectors. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** What it adds to the node: a cluster behind it, licences. */
  readonly capacity?: Resources;
  /** Resources whose limits it really enforces. */
  readonly enforces?: readonly string[];
}

/** Stamps the contract version into a runner. */
export function defineRunner<Config, Handle extends Json = Json>(
  plugin: Omit<RunnerPlugin<Config, Handle>, 'kind' | 'contract'>,
): RunnerPlugin<Config, Handle> {
  return { ...plugin, kind: 'runner', contract: CONTRACT };
}
