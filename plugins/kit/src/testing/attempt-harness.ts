import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { progressOf } from '../progress.ts';
import type { Attempt, Outcome, ProgressCount, RunnerNode, RunnerPlugin, StopReason } from '../runner.ts';
import type { Json, JsonObject, Progress, Resources } from '../vocabulary.ts';

/** What an attempt in a test may differ in from the plainest one. */
export interface AttemptOptions {
  /** Default: a new one of the harness. */
  readonly id?: string;
  /** Which try it is. Default 1. */
  readonly number?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly inputs?: JsonObject;
  readonly resources?: Resources;
  /** Which GPUs of the node it has. Default none. */
  readonly gpus?: readonly number[];
  /** What an attempt before this one saved. Default null. */
  readonly previousState?: Json;
}

/**
 * A node for one runner, in a temporary folder: it makes attempts as the agent does, with streams, signals and working
 * folders, and remembers what the runner did with them.
 */
export class AttemptHarness {
  readonly plugin: RunnerPlugin;
  readonly node: RunnerNode;
  /** Of every attempt that it has made. */
  readonly attemptIds = new Set<string>();
  /** Those that are not forgotten. */
  readonly #known = new Set<string>();
  readonly #folder: string;
  readonly #run = randomUUID();
  #count = 0;

  /**
   * @param settings What the node's operator would write for this runner.
   * @param parent Where its temporary folder is made. Default: where the system has such folders.
   */
  constructor(plugin: RunnerPlugin, settings: JsonObject = {}, parent = tmpdir()) {
    this.plugin = plugin;
    this.#folder = mkdtempSync(join(parent, `gantry-${plugin.name}-`));
    const stateDirectory = join(this.#folder, 'state');
    mkdirSync(stateDirectory, { mode: 0o700 });
    this.node = { name: 'test', stateDirectory, settings };
  }

  /** An attempt of a task with such a `with:`. Throws when the plugin's schema refuses it. */
  attempt(config: JsonObject, options: AttemptOptions = {}): TestAttempt {
    const checked = this.plugin.config.check(config);
    if (!checked.ok) throw new Error(`The config is refused: ${JSON.stringify(checked.problems)}`);
    const number = options.number ?? 1;
    const id = options.id ?? `${this.#run}.${this.#count++}.${number}`;
    this.attemptIds.add(id);
    this.#known.add(id);
    return new TestAttempt(this.plugin, this.node, join(this.#folder, 'work'), checked.config, {
      ...options,
      id,
      number,
    });
  }

  /** The server holds the end of an attempt: nobody asks for it any more. */
  async forget({ id }: Pick<TestAttempt, 'id'>): Promise<void> {
    this.#known.delete(id);
    await this.plugin.forget?.(id, this.node);
  }

  /** The server holds the ends of all attempts. */
  async forgetAll(): Promise<void> {
    for (const id of this.#known) await this.forget({ id });
  }

  /** Has all attempts forgotten, closes the plugin and removes the folder with everything in it. */
  async close(): Promise<void> {
    await this.forgetAll();
    await this.plugin.close?.();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** An attempt whose agent is a test. */
export class TestAttempt implements Attempt {
  readonly id: string;
  readonly number: number;
  readonly runId: string;
  readonly taskKey = 'task';
  readonly config: unknown;
  readonly env: Readonly<Record<string, string>>;
  readonly inputs: JsonObject;
  readonly resources: Resources;
  readonly gpus: readonly number[];
  readonly deadline = null;
  readonly previousState: Json;
  /** Every state that was saved for the next attempt, oldest first. */
  readonly saved: Json[] = [];
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** What was printed so far, as bytes. */
  readonly printed: { readonly stdout: Buffer[]; readonly stderr: Buffer[] } = { stdout: [], stderr: [] };
  /** Every handle that the runner asked to be kept, oldest first. */
  readonly checkpoints: Json[] = [];
  /** What was told of its progress, oldest first. */
  readonly progressed: Progress[] = [];
  /** Whether the runner has said, or shown, that the work proper has begun. */
  hasStarted = false;
  /** Whether the runner has said that something precedes the work. */
  hasPrepared = false;
  readonly #plugin: RunnerPlugin;
  readonly #node: RunnerNode;
  readonly #workRoot: string;
  readonly #stop = new AbortController();
  readonly #kill = new AbortController();
  readonly #startedWaiters: (() => void)[] = [];
  readonly #waiters: { readonly isThere: () => boolean; readonly resolve: () => void }[] = [];
  #workdir: string | null = null;

  constructor(
    plugin: RunnerPlugin,
    node: RunnerNode,
    workRoot: string,
    config: unknown,
    {
      id,
      number,
      env = {},
      inputs = {},
      resources = {},
      gpus = [],
      previousState = null,
    }: AttemptOptions & { readonly id: string; readonly number: number },
  ) {
    this.#plugin = plugin;
    this.#node = node;
    this.#workRoot = workRoot;
    this.config = config;
    this.id = id;
    this.number = number;
    this.runId = id.slice(0, id.indexOf('.'));
    this.env = env;
    this.inputs = inputs;
    this.resources = resources;
    this.gpus = gpus;
    this.previousState = previousState;
    this.stdout = this.#collector('stdout');
    this.stderr = this.#collector('stderr');
  }

  get workdir(): string {
    if (this.#workdir === null) {
      this.#workdir = join(this.#workRoot, this.id);
      mkdirSync(this.#workdir, { recursive: true, mode: 0o700 });
    }
    return this.#workdir;
  }
  get stop(): AbortSignal {
    return this.#stop.signal;
  }
  get kill(): AbortSignal {
    return this.#kill.signal;
  }
  /** What was printed on stdout so far, as text. */
  get text(): string {
    return Buffer.concat(this.printed.stdout).toString();
  }

  checkpoint(handle: Json): Promise<void> {
    // A handle crosses a file: whatever JSON does not keep is lost here as well.
    this.checkpoints.push(JSON.parse(JSON.stringify(handle)) as Json);
    this.started();
    return Promise.resolve();
  }
  saveState(state: Json): Promise<void> {
    this.saved.push(JSON.parse(JSON.stringify(state)) as Json);
    this.#look();
    return Promise.resolve();
  }
  preparing(): void {
    this.hasPrepared = true;
  }
  started(): void {
    this.hasStarted = true;
    for (const resolve of this.#startedWaiters.splice(0)) resolve();
  }
  progress(at: number | ProgressCount, message?: string): void {
    this.progressed.push(progressOf(at, message));
    this.started();
    this.#look();
  }

  /** Resolves when the work has begun. */
  untilStarted(): Promise<void> {
    if (this.hasStarted) return Promise.resolve();
    return new Promise((resolve) => this.#startedWaiters.push(resolve));
  }
  /** Resolves when so much was told of its progress. */
  untilProgressed(count: number): Promise<void> {
    return this.#until(() => this.progressed.length >= count);
  }
  /** Resolves when so many states were saved. */
  untilSaved(count: number): Promise<void> {
    return this.#until(() => this.saved.length >= count);
  }
  /** The soft stop. */
  requestStop(reason: StopReason = 'CANCELLED'): void {
    this.#stop.abort(reason);
  }
  /** The hard stop, which comes only after the soft one. */
  requestKill(reason: StopReason = 'CANCELLED'): void {
    this.requestStop(reason);
    this.#kill.abort(reason);
  }

  run(): Promise<Outcome> {
    return this.#plugin.run(this, this.#node);
  }
  /** Throws when the runner cannot reattach. */
  reattach(handle: Json): Promise<Outcome> {
    if (!this.#plugin.reattach) throw new Error(`The runner ${this.#plugin.name} has no reattach.`);
    return this.#plugin.reattach(this, handle, this.#node);
  }

  #until(isThere: () => boolean): Promise<void> {
    if (isThere()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isThere, resolve }));
  }
  #look(): void {
    for (const { isThere, resolve } of this.#waiters) if (isThere()) resolve();
  }
  #collector(stream: 'stdout' | 'stderr'): Writable {
    return new Writable({
      write: (piece: Buffer, _encoding, done) => {
        this.printed[stream].push(piece);
        this.started();
        done();
      },
    });
  }
}
