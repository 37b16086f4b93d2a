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
  /**
   * The agent was restarted: follow the work that `handle` names and resolve as `run` would have. Work that has ended
   * meanwhile is reported as it ended, with its outputs. Never start anything under an attempt's id a second time (I5).
   * Without this method the work ends with the agent.
   *
   * Answer REJECTED only for what you can prove was never started: a record that you make before the start does not
   * exist. Everything else that cannot be found, or whose end nobody has learnt, is UNKNOWN. The agent takes REJECTED for
   * UNKNOWN when the attempt was accepted before the machine was last started: what was not flushed may be missing then.
   *
   * The attempt is given again with its id, number, run, task, resources, deadline, streams and signals; `workdir` is
   * the folder of before, with its content. `config` has its secrets put in again, where the node still has them; should
   * the schema refuse it now, it is what the task says, unchecked. `env` and `inputs` are empty, `gpus` is empty and
   * `previousState` is null: only the work itself needed them. A stop that was requested before is requested again.
   */
  reattach?(attempt: Attempt<Config, Handle>, handle: Handle, node: RunnerNode): Promise<Outcome>;
  /** For a runner that finds its work by the attempt's id alone: the handle to `reattach` to of an attempt whose agent
   *  died before a checkpoint was durable, whether it was started or not. The agent asks for it before it decides
   *  anything else. Without it the outcome of such an attempt is UNKNOWN. Needs `reattach`. */
  handleOf?(attempt: string): Handle;
  /** The server holds the end of this attempt: nobody will ask for it any more. What was kept so that `reattach` could
   *  report it (a container, files, a record) can be removed. Called once per attempt, also for one that never began,
   *  and some time after its end; not at all when the agent dies before, so whatever is old may be removed, too. */
  forget?(attempt: string, node: RunnerNode): void | Promise<void>;
  /** Whether work may be done again when nobody knows what an attempt has done: its node was lost, an answer never
   *  came. Where neither the task, its pipeline nor its pool says so (`idempotent`), this does. Asked by the server, of
   *  the config as the attempt got it, but for secrets, which are left out. Pure. Default: false. */
  isIdempotent?(config: Config): boolean;
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
  /** When its timeout ends, which counts from `started()`; until then, from the call of `run`. Null without a timeout. */
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
  /** Tells that something precedes the work that may take long, such as the pull of an image. The timeout of the task
   *  does not count before `started()` or a checkpoint then; the agent has a limit of its own (30 minutes). */
  preparing(): void;
  /** Tells that the work proper has begun (the attempt is RUNNING): the timeout of the task counts from here. Implied by
   *  a checkpoint, and by the first output or progress of what was not said to be `preparing()`. */
  started(): void;
  /** Shows how far it is, live: a fraction from 0 to 1, or so many of so many. Cheap; say it as often as it changes. */
  progress(at: number | ProgressCount, message?: string): void;
}

export type StopReason = 'CANCELLED' | 'TIMED_OUT' | 'PREEMPTED' | 'SHUTDOWN';

/**
 * Why work did not succeed, as its runner knows it. That it was cancelled or timed out is known to who stopped it.
 *
 * - APPLICATION: it ended by itself, and not well. OOM: it needed more memory than it was given.
 * - INFRASTRUCTURE: it had begun, the platform ended it, and it is known to be over.
 * - REJECTED: it certainly never began. Another node may try, and nobody's retries are spent.
 * - UNKNOWN: it began or may have begun, and nobody can say how it ended.
 */
export type OutcomeFailureKind = 'APPLICATION' | 'OOM' | 'INFRASTRUCTURE' | 'REJECTED' | 'UNKNOWN';

interface OutcomeFacts {
  readonly usage?: Usage;
  /** The work had ended by itself before the stop reached it. Without it, what ends after `attempt.stop` was aborted was
   *  stopped, whatever its exit code. */
  readonly endedBeforeStop?: boolean;
}

/** How an attempt ended. */
export type Outcome =
  | ({ readonly ok: true; readonly outputs: Readonly<Record<string, Json>> } & OutcomeFacts)
  | ({
      readonly ok: false;
      readonly kind: OutcomeFailureKind;
      readonly reason: Reason;
      readonly exitCode?: number;
      readonly signal?: string;
    } & OutcomeFacts);

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
