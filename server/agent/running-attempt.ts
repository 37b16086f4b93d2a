import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { progressOf } from '@gantry/plugin-kit/progress';
import {
  MAX_STATE_BYTES,
  type Attempt,
  type Json,
  type JsonObject,
  type Progress,
  type ProgressCount,
  type Resources,
} from '@gantry/plugin-kit/runner';
import { copyJson } from '../domain/json.ts';
import type { AttemptSpec } from '../domain/effect.ts';
import type { StopReason } from './attempt-end.ts';
import type { Unsealed } from './put-secrets.ts';
import type { SecretMask } from './secret-mask.ts';
import type { AttemptLog } from './attempt-log.ts';

/** What an attempt needs of its executor. */
export interface AttemptHost {
  /** Where attempts have their working folders. */
  readonly workRoot: string;
  makeLog(attempt: RunningAttempt): AttemptLog;
  /** The wall clock. Milliseconds. */
  now(): number;
  /** The work proper has begun: told once. */
  running(attempt: RunningAttempt): void;
  /** What precedes the work has begun. */
  preparing(attempt: RunningAttempt): void;
  checkpoint(attempt: RunningAttempt, handle: Json): Promise<void>;
  saveState(attempt: RunningAttempt, state: Json): Promise<void>;
  progress(attempt: RunningAttempt, progress: Progress): void;
}

const STATE_LIMITS = { depth: 64, values: MAX_STATE_BYTES, characters: MAX_STATE_BYTES };

/** The node, not the task and not the plugin, is at fault. */
export class NodeFault extends Error {
  override readonly name = 'NodeFault';
}

/** The attempt as its runner sees it. Whatever costs something is made when first asked for: a no-op asks for nothing. */
export class RunningAttempt implements Attempt {
  readonly spec: AttemptSpec;
  readonly config: unknown;
  /** When it was handed to its runner; after a restart, when its work began or an agent before accepted it. */
  readonly acceptedAt: number;
  /** Hides its secrets in all that it says; null where it has none. */
  readonly mask: SecretMask | null;
  readonly #env: Readonly<Record<string, string>>;
  readonly #host: AttemptHost;
  #stopReason: StopReason | null = null;
  #isKilled = false;
  #isRunning = false;
  #isPreparing = false;
  #startedAt: number;
  #isResumed = false;
  #stop: AbortController | null = null;
  #kill: AbortController | null = null;
  #log: AttemptLog | null = null;
  #workdir: string | null = null;

  /** @param spec As the server sent it: secrets are in `config` and `unsealed` only. */
  constructor(
    spec: AttemptSpec,
    config: unknown,
    host: AttemptHost,
    acceptedAt: number,
    unsealed: Pick<Unsealed, 'env' | 'mask'> | null,
  ) {
    this.spec = spec;
    this.config = config;
    this.#host = host;
    this.acceptedAt = acceptedAt;
    this.#startedAt = acceptedAt;
    this.#env = unsealed?.env ?? spec.env;
    this.mask = unsealed?.mask ?? null;
  }

  get id(): string {
    return this.spec.attempt;
  }
  get number(): number {
    return this.spec.number;
  }
  get runId(): string {
    return this.spec.run;
  }
  get taskKey(): string {
    return this.spec.taskKey;
  }
  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }
  get inputs(): JsonObject {
    return this.spec.inputs;
  }
  get resources(): Resources {
    return this.spec.resources;
  }
  get gpus(): readonly number[] {
    return this.spec.gpus;
  }
  get deadline(): number | null {
    return this.spec.timeoutMs === null ? null : this.#startedAt + this.spec.timeoutMs;
  }
  get stop(): AbortSignal {
    if (this.#stop === null) {
      this.#stop = new AbortController();
      if (this.#stopReason !== null) this.#stop.abort(this.#stopReason);
    }
    return this.#stop.signal;
  }
  get kill(): AbortSignal {
    if (this.#kill === null) {
      this.#kill = new AbortController();
      if (this.#isKilled) this.#kill.abort(this.#stopReason);
    }
    return this.#kill.signal;
  }
  get workdir(): string {
    if (this.#workdir === null) {
      const path = join(this.#host.workRoot, this.spec.attempt);
      try {
        mkdirSync(path, { recursive: true, mode: 0o700 });
      } catch (error) {
        throw new NodeFault(`Its working folder cannot be made: ${(error as Error).message}`, { cause: error });
      }
      this.#workdir = path;
    }
    return this.#workdir;
  }
  get stdout(): Writable {
    return this.log.stdout;
  }
  get stderr(): Writable {
    return this.log.stderr;
  }
  get log(): AttemptLog {
    this.#log ??= this.#host.makeLog(this);
    return this.#log;
  }
  /** Whether anything was printed that is to be seen to at the end. */
  get hasLog(): boolean {
    return this.#log !== null;
  }
  /** Whether a working folder is to be removed at the end. */
  get hasWorkdir(): boolean {
    return this.#workdir !== null;
  }
  /** Whether it was begun by an agent before. */
  get isResumed(): boolean {
    return this.#isResumed;
  }
  get isStopped(): boolean {
    return this.#stopReason !== null;
  }

  /** When the work began; before that, when the attempt was handed to its runner. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** Whether something of it may have been at work, whatever its runner finds. */
  mayHaveBegun = false;

  /** What it goes on from; set before its runner is asked to run it. */
  previousState: Json = null;

  saveState(state: Json): Promise<void> {
    const copied = copyJson(state, STATE_LIMITS);
    // Text counts as it is, and not as JSON writes it: it may be a file's.
    const text = typeof state === 'string' ? state : copied.ok ? JSON.stringify(copied.value) : '';
    if (copied.ok && Buffer.byteLength(text) <= MAX_STATE_BYTES)
      return this.#host.saveState(this, this.mask?.json(copied.value) ?? copied.value);
    const why = copied.ok ? `It takes more than ${MAX_STATE_BYTES} bytes.` : copied.fault.message;
    return Promise.reject(new TypeError(`The state cannot be saved. ${why}`));
  }
  async checkpoint(handle: Json): Promise<void> {
    this.started();
    await this.#host.checkpoint(this, handle);
  }
  /** Whether anything has begun that must not be begun twice. */
  get hasBegun(): boolean {
    return this.#isRunning || this.#isResumed;
  }
  started(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#isPreparing = false;
    this.mayHaveBegun = true;
    if (!this.#isResumed) this.#startedAt = this.#host.now();
    this.#host.running(this);
  }
  preparing(): void {
    if (this.#isRunning) return;
    this.#isPreparing = true;
    this.#host.preparing(this);
  }
  /** Something of it was seen: it has begun, unless that is still being prepared. */
  shown(): void {
    if (!this.#isPreparing) this.started();
  }
  progress(at: number | ProgressCount, message?: string): void {
    this.shown();
    this.#host.progress(
      this,
      progressOf(at, message, (text) => this.mask?.text(text) ?? text),
    );
  }

  /** It is followed after a restart. @param isRunning Whether it is known that the work had begun. */
  resume(isRunning: boolean): void {
    this.#isResumed = true;
    this.#isRunning = isRunning;
    this.#workdir = join(this.#host.workRoot, this.spec.attempt);
  }
  /** Asks the runner to end in good order. */
  requestStop(reason: StopReason): void {
    if (this.#stopReason !== null) return;
    this.#stopReason = reason;
    this.#stop?.abort(reason);
  }
  /** Asks it to end at once. */
  requestKill(): void {
    this.#isKilled = true;
    this.#kill?.abort(this.#stopReason);
  }
}
