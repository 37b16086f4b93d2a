import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Attempt, Json, JsonObject, Resources, StopReason } from '@gantry/plugin-kit/runner';
import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptLog } from './attempt-log.ts';

/** What an attempt needs of its executor. */
export interface AttemptHost {
  /** Where attempts have their working folders. */
  readonly workRoot: string;
  makeLog(attempt: RunningAttempt): AttemptLog;
  started(attempt: RunningAttempt): void;
  checkpoint(attempt: RunningAttempt, handle: Json): Promise<void>;
}

/** The attempt as its runner sees it. Whatever costs something is made when first asked for: a no-op asks for nothing. */
export class RunningAttempt implements Attempt {
  readonly spec: AttemptSpec;
  readonly config: unknown;
  readonly acceptedAt: number;
  startedAt: number | null = null;
  hasCheckpoint = false;
  stopReason: StopReason | null = null;
  readonly #host: AttemptHost;
  #stop: AbortController | null = null;
  #kill: AbortController | null = null;
  #isKilled = false;
  #log: AttemptLog | null = null;
  #workdir: string | null = null;

  constructor(spec: AttemptSpec, config: unknown, host: AttemptHost, acceptedAt: number) {
    this.spec = spec;
    this.config = config;
    this.#host = host;
    this.acceptedAt = acceptedAt;
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
    return this.spec.env;
  }
  get inputs(): JsonObject {
    return this.spec.inputs;
  }
  get resources(): Resources {
    return this.spec.resources;
  }
  get deadline(): number | null {
    return this.spec.timeoutMs === null ? null : this.acceptedAt + this.spec.timeoutMs;
  }
  get stop(): AbortSignal {
    this.#stop ??= new AbortController();
    if (this.stopReason) this.#stop.abort(this.stopReason);
    return this.#stop.signal;
  }
  get kill(): AbortSignal {
    this.#kill ??= new AbortController();
    if (this.#isKilled) this.#kill.abort(this.stopReason);
    return this.#kill.signal;
  }
  get workdir(): string {
    if (this.#workdir === null) {
      this.#workdir = join(this.#host.workRoot, this.spec.attempt);
      mkdirSync(this.#workdir, { recursive: true, mode: 0o700 });
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
  /** Whether anything was printed, or a working folder made, that is to be seen to at the end. */
  get hasLog(): boolean {
    return this.#log !== null;
  }
  get hasWorkdir(): boolean {
    return this.#workdir !== null;
  }

  checkpoint(handle: Json): Promise<void> {
    this.hasCheckpoint = true;
    this.started();
    return this.#host.checkpoint(this, handle);
  }
  started(): void {
    if (this.startedAt === null) this.#host.started(this);
  }
  progress(fraction: number, message?: string): void {
    this.started();
    this.log.note(`${Math.round(fraction * 100)} %${message === undefined ? '' : ` ${message}`}`);
  }

  /** Asks the runner to end in good order. False when it was asked before. */
  requestStop(reason: StopReason): boolean {
    if (this.stopReason !== null) return false;
    this.stopReason = reason;
    this.#stop?.abort(reason);
    return true;
  }
  requestKill(): void {
    this.#isKilled = true;
    this.#kill?.abort(this.stopReason);
  }
}
