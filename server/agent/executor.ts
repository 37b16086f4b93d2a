import { mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome, RunnerNode, RunnerPlugin } from '@gantry/plugin-kit/runner';
import type { Json, JsonObject, Progress, Reason } from '@gantry/plugin-kit/vocabulary';
import type { Clock } from '../clock.ts';
import type { AttemptSpec } from '../domain/effect.ts';
import { parseAttemptId, type AttemptId } from '../domain/ids.ts';
import { copyJson } from '../domain/json.ts';
import type { RunnerSettings } from '../domain/node.ts';
import type { Logger } from '../log.ts';
import { nodeFault, outcomeUnknown, pluginFault, type End, type StopReason } from './attempt-end.ts';
import type { JournaledAttempt } from './journaled-attempt.ts';
import { AttemptLog } from './attempt-log.ts';
import type { LogShipper } from './log-shipper.ts';
import { endOf, messageOf } from './outcome.ts';
import type { StateKeeper } from './state-keeper.ts';
import { putSecrets, putSecretsAgain } from './put-secrets.ts';
import type { SecretSource } from './secret-source.ts';
import { RingMemory } from './output-ring.ts';
import { isNoSpace } from './disk-watch.ts';
import { NodeFault, RunningAttempt, type AttemptHost } from './running-attempt.ts';

/** The largest handle: it is written into the journal, with every flush that it needs. */
const HANDLE_LIMITS = { depth: 32, values: 10_000, characters: 65_536 };

export interface ExecutorOptions {
  readonly nodeName: string;
  readonly dataDirectory: string;
  readonly settings: RunnerSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly shipper: LogShipper;
  readonly states: StateKeeper;
  readonly secrets: SecretSource;
  findRunner(name: string): RunnerPlugin | null;
  /** Higher than every number that agents before this one have given (first-number.ts). */
  firstNumber(): number;
  /** The work proper of an attempt has begun. */
  running(attempt: AttemptId): void;
  /** What precedes the work of an attempt has begun. */
  preparing(attempt: AttemptId): void;
  /** A runner has settled; the end follows when its output is stored. */
  settled(attempt: AttemptId): void;
  /** An attempt has ended; its output is stored, unless the store is away. Told once. */
  ended(attempt: AttemptId, end: End): void;
  progress(attempt: AttemptId, progress: Progress): void;
  /** Resolves when the handle is durable. */
  checkpoint(spec: AttemptSpec, handle: Json, startedAt: number): Promise<void>;
}

type Checked = { readonly runner: string; readonly config: unknown; readonly problem?: Reason };

/**
 * Hands attempts to their runners and passes on signals. When is none of its business: the ledger says what to start,
 * to stop and to kill. Whatever a plugin does, it ends as a value: nothing that it throws leaves this file.
 */
export class Executor implements AttemptHost {
  readonly workRoot: string;
  readonly #options: ExecutorOptions;
  readonly #running = new Map<AttemptId, RunningAttempt>();
  readonly #ringMemory = new RingMemory();
  readonly #nodes = new Map<string, RunnerNode>();
  /** Checked configs: attempts of a task without expressions share one object. */
  readonly #configs = new WeakMap<JsonObject, Checked>();
  /** Attempts with a working folder that has to stay until nobody asks for their outputs any more. */
  readonly #folders = new Set<AttemptId>();
  /** Which start of the machine this is; null when it does not say. */
  boot: string | null = null;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.workRoot = join(options.dataDirectory, 'work');
  }

  /** Starts an attempt. That it may be started must be durable already (I5). */
  start(spec: AttemptSpec): void {
    const { clock } = this.#options;
    const runner = this.#options.findRunner(spec.runner);
    if (!runner) {
      this.#options.ended(
        spec.attempt,
        nodeFault('REJECTED', 'RUNNER_MISSING', `This node has no runner ${spec.runner}.`),
      );
      return;
    }
    const unsealed = spec.secrets.length === 0 ? null : putSecrets(spec, this.#options.secrets);
    if (unsealed && 'refusal' in unsealed) {
      // Another node may have it: whoever pays, it is not the user's tries.
      const failure = { kind: 'INFRASTRUCTURE' as const, reason: unsealed.refusal };
      this.#options.ended(spec.attempt, { state: 'REJECTED', failure });
      return;
    }
    const { config, problem } = this.#configOf(runner, unsealed?.with ?? spec.with);
    if (problem) {
      const reason = unsealed ? { ...problem, message: unsealed.mask.text(problem.message) } : problem;
      this.#options.ended(spec.attempt, { state: 'FAILED', failure: { kind: 'APPLICATION', reason } });
      return;
    }
    const attempt = new RunningAttempt(spec, config, this, clock.now(), unsealed);
    this.#running.set(spec.attempt, attempt);
    if (spec.number === 1) this.#follow(attempt, runner, null);
    else void this.#followFromState(attempt, runner);
  }

  /** Asks a runner for an attempt that an agent before has accepted: by its checkpoint, or by its id alone. */
  reattach(journaled: JournaledAttempt): void {
    const runner = this.#options.findRunner(journaled.runner)!;
    const { attempt: id, taskKey, timeoutMs, killGraceMs, acceptedAt, config = {}, resources = {} } = journaled;
    const { handle, startedAt, boot } = journaled;
    const { run, number } = parseAttemptId(id)!;
    const known = { attempt: id, number, run, runner: runner.name, taskKey, timeoutMs, killGraceMs, resources };
    const { secrets = [] } = journaled;
    const spec = { ...known, with: config, pipeline: '', mapIndex: null, env: {}, secrets, inputs: {}, gpus: [] };
    const unsealed = secrets.length === 0 ? null : putSecretsAgain(spec, this.#options.secrets);
    const written = unsealed?.with ?? config;
    const checked = this.#configOf(runner, written);
    // It was accepted once: what has changed since makes nobody give up work that may be running.
    const usable = checked.problem === undefined ? checked.config : written;
    const attempt = new RunningAttempt(spec, usable, this, startedAt ?? acceptedAt, unsealed);
    attempt.resume(handle !== undefined);
    // That there is no trace proves nothing when the machine may have lost it.
    attempt.mayHaveBegun = boot === null || boot !== this.boot;
    this.#running.set(id, attempt);
    this.#follow(attempt, runner, () => handle ?? runner.handleOf!(id));
  }

  /** Nobody asks for these any more: what was kept for that is removed. */
  forget(attempts: readonly JournaledAttempt[]): void {
    for (const { attempt, runner: name } of attempts) {
      if (this.#folders.delete(attempt)) void this.#remove(join(this.workRoot, attempt));
      const runner = this.#options.findRunner(name);
      if (runner?.forget) void this.#forgottenBy(runner, attempt);
    }
  }

  async #forgottenBy(runner: RunnerPlugin, attempt: AttemptId): Promise<void> {
    try {
      await runner.forget!(attempt, this.nodeOf(runner));
    } catch (error) {
      this.#options.log.warn({ err: error, runner: runner.name, attempt }, 'A runner could not forget an attempt.');
    }
  }

  /** The working folders of attempts that an agent before has left stay until these are forgotten. */
  keep(attempts: readonly JournaledAttempt[]): void {
    for (const { attempt } of attempts) this.#folders.add(attempt);
  }

  stop(id: AttemptId, reason: StopReason): void {
    this.#running.get(id)?.requestStop(reason);
  }

  kill(id: AttemptId): void {
    this.#running.get(id)?.requestKill();
  }

  /** Nobody waits for the attempt's runner any more. */
  abandon(id: AttemptId): void {
    const attempt = this.#running.get(id);
    if (!attempt) return;
    this.#options.log.error(
      { runner: attempt.spec.runner, attempt: id },
      'A runner did not settle after the hard stop.',
    );
    this.#running.delete(id);
    if (attempt.hasLog) void attempt.log.end();
  }

  /** Removes the working folders of attempts that nobody knows any more. */
  async removeLeftovers(isKnown: (attempt: string) => boolean): Promise<void> {
    const names = await readdir(this.workRoot).catch(() => []);
    for (const name of names) if (!isKnown(name)) await this.#remove(join(this.workRoot, name));
  }

  makeLog({ spec: { attempt }, mask, isResumed }: RunningAttempt): AttemptLog {
    const { shipper, clock } = this.#options;
    // Repeated numbers are ignored by the server: those of the agent before, which nobody counted, lie below this.
    const sentSeq = isResumed ? this.#options.firstNumber() : 0;
    const onOutput = () => this.#running.get(attempt)?.shown();
    const log = new AttemptLog({ attempt, sentSeq, shipper, memory: this.#ringMemory, clock, mask, onOutput });
    // Nobody knows how much of it has arrived (I13).
    if (isResumed) log.note('… the node’s agent was restarted: what was printed before may follow once more …');
    return log;
  }

  now(): number {
    return this.#options.clock.now();
  }

  running(attempt: RunningAttempt): void {
    this.#options.running(attempt.spec.attempt);
  }

  preparing(attempt: RunningAttempt): void {
    this.#options.preparing(attempt.spec.attempt);
  }

  checkpoint({ spec, startedAt }: RunningAttempt, handle: Json): Promise<void> {
    const copied = copyJson(handle, HANDLE_LIMITS);
    if (!copied.ok) throw new TypeError(`The handle of a checkpoint cannot be kept. ${copied.fault.message}`);
    return this.#options.checkpoint(spec, copied.value, startedAt);
  }

  saveState({ spec: { attempt } }: RunningAttempt, state: Json): Promise<void> {
    return this.#running.has(attempt) ? this.#options.states.save(attempt, state) : Promise.resolve();
  }

  progress({ spec: { attempt } }: RunningAttempt, progress: Progress): void {
    if (this.#running.has(attempt)) this.#options.progress(attempt, progress);
  }

  /** Runs what goes on from where an attempt before it was. */
  async #followFromState(attempt: RunningAttempt, runner: RunnerPlugin): Promise<void> {
    try {
      attempt.previousState = await this.#options.states.previous(attempt.spec.attempt, attempt.stop);
    } catch (error) {
      const message = `What the attempt before it saved cannot be fetched: ${messageOf(error)}`;
      this.#settled(attempt, nodeFault('REJECTED', 'STATE_UNREADABLE', message));
      return;
    }
    if (this.#running.get(attempt.spec.attempt) === attempt) this.#follow(attempt, runner, null);
  }

  /** @param handle What to find again; null to run. */
  #follow(attempt: RunningAttempt, runner: RunnerPlugin, handle: (() => Json) | null): void {
    let settled: Promise<Outcome>;
    try {
      const node = this.nodeOf(runner);
      settled = handle === null ? runner.run(attempt, node) : runner.reattach!(attempt, handle(), node);
      // A plugin in JavaScript may return anything.
      if (!(settled instanceof Promise)) settled = Promise.resolve(settled);
    } catch (error) {
      this.#threw(attempt, runner, error);
      return;
    }
    settled.then(
      (outcome) => this.#settled(attempt, endOf(runner.name, outcome, attempt.mask)),
      (error: unknown) => this.#threw(attempt, runner, error),
    );
  }

  #threw(attempt: RunningAttempt, runner: RunnerPlugin, thrown: unknown): void {
    const message = messageOf(thrown, attempt.mask);
    const isFull = isNoSpace(thrown);
    if (isFull || thrown instanceof NodeFault) {
      // What never began costs nothing: another node may have it, or this one later.
      const end = attempt.mayHaveBegun
        ? outcomeUnknown(message)
        : nodeFault('REJECTED', isFull ? 'DISK_FULL' : 'NODE_FAULT', message);
      this.#settled(attempt, end);
      return;
    }
    // Who rejects because it was stopped is careless, not faulty.
    if (!attempt.isStopped)
      // Of an attempt with secrets its words only: nobody knows what else the error carries.
      this.#options.log.error(
        { err: attempt.mask ? message : thrown, runner: runner.name, attempt: attempt.id },
        'A runner threw.',
      );
    this.#settled(attempt, pluginFault(runner.name, 'RUNNER_THREW', `threw: ${message}`));
  }

  #settled(attempt: RunningAttempt, told: End): void {
    const id = attempt.spec.attempt;
    // A runner that settles after it was given up changes nothing any more.
    if (this.#running.get(id) !== attempt) return;
    const end = this.#believable(attempt, told);
    const printed = attempt.hasLog ? attempt.log.end() : null;
    const saved = this.#options.states.drained(id);
    if (printed === null && saved === null) {
      this.#end(attempt, end);
      return;
    }
    this.#options.settled(id);
    void Promise.all([printed, saved]).then(() => this.#end(attempt, end));
  }

  /** That there is no trace of an attempt is no proof where the machine may have lost it, or it was seen at work. */
  #believable({ spec, isResumed, mayHaveBegun }: RunningAttempt, end: End): End {
    if (end.state !== 'REJECTED' || !isResumed || !mayHaveBegun) return end;
    const why = end.failure?.reason.message ?? '';
    return outcomeUnknown(`The runner ${spec.runner} has no trace of it, and it may have been at work. ${why}`);
  }

  #end(attempt: RunningAttempt, end: End): void {
    const id = attempt.spec.attempt;
    if (!this.#running.delete(id)) return;
    if (attempt.hasWorkdir) this.#folders.add(id);
    this.#options.ended(id, end);
  }

  async #remove(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch((error: unknown) => {
      this.#options.log.warn({ err: error, folder }, 'A working folder could not be removed.');
    });
  }

  #configOf(runner: RunnerPlugin, config: JsonObject): Checked {
    const known = this.#configs.get(config);
    if (known?.runner === runner.name) return known;
    const entry = check(runner, config);
    this.#configs.set(config, entry);
    return entry;
  }

  /** What a runner is told of this node. Throws NodeFault when it cannot have a folder of its own. */
  nodeOf(runner: RunnerPlugin): RunnerNode {
    let node = this.#nodes.get(runner.name);
    if (!node) {
      const { nodeName, dataDirectory, settings } = this.#options;
      const stateDirectory = join(dataDirectory, 'runners', runner.name);
      try {
        mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
      } catch (error) {
        throw new NodeFault(`The runner’s folder ${stateDirectory} cannot be made: ${(error as Error).message}`, {
          cause: error,
        });
      }
      node = { name: nodeName, stateDirectory, settings: settings[runner.name] ?? {} };
      this.#nodes.set(runner.name, node);
    }
    return node;
  }
}

/** The rendered config, checked by its runner. What was right with expressions may be wrong with their values. */
function check({ name, config: schema }: RunnerPlugin, config: JsonObject): Checked {
  try {
    const checked = schema.check(config);
    if (checked.ok) return { runner: name, config: checked.config };
    const [problem] = checked.problems;
    const path = ['with', ...(problem?.path ?? [])].join('.');
    const reason = { code: 'BAD_CONFIG', message: `${path}: ${problem?.message ?? 'is not valid'}` };
    return { runner: name, config: null, problem: reason };
  } catch (error) {
    const message = `The runner ${name} failed to check the config: ${messageOf(error)}`;
    return { runner: name, config: null, problem: { code: 'PLUGIN_FAULT', message } };
  }
}
