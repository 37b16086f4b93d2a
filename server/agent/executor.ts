import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome, RunnerNode, RunnerPlugin, StopReason } from '@gantry/plugin-kit/runner';
import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { AttemptSpec } from '../domain/effect.ts';
import { parseAttemptId, type AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';
import type { RunnerSettings } from '../domain/node.ts';
import { AttemptLog } from './attempt-log.ts';
import type { JournaledAttempt } from './journal.ts';
import type { LogShipper } from './log-shipper.ts';
import { endOf, fault, stopped, type End } from './outcome.ts';
import { RunningAttempt, type AttemptHost } from './running-attempt.ts';

/** After the hard stop a runner has this long to settle. Milliseconds. */
const SETTLE_MS = 5_000;

export interface ExecutorOptions {
  readonly nodeName: string;
  readonly dataDirectory: string;
  readonly settings: RunnerSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly shipper: LogShipper;
  findRunner(name: string): RunnerPlugin | null;
  /** Told of every change of an attempt's state; ends are told once. */
  report(report: AttemptReport): void;
  /** Resolves when the handle is durable. */
  checkpoint(attempt: AttemptId, handle: Json): Promise<void>;
}

/** Runs attempts: hands them to their runners, stops them, and tells how they ended. */
export class Executor implements AttemptHost {
  readonly workRoot: string;
  readonly #options: ExecutorOptions;
  readonly #running = new Map<AttemptId, { readonly attempt: RunningAttempt; readonly runner: RunnerPlugin }>();
  readonly #nodes = new Map<string, RunnerNode>();
  /** Checked configs: attempts of a task without expressions share one object. */
  readonly #configs = new WeakMap<JsonObject, { readonly runner: string; readonly config: unknown }>();
  #idle: (() => void)[] = [];

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.workRoot = join(options.dataDirectory, 'work');
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Starts an attempt. That it may be started must be durable already (I5). */
  start(spec: AttemptSpec): void {
    const runner = this.#options.findRunner(spec.runner);
    if (!runner) {
      this.#end(new RunningAttempt(spec, null, this, this.#options.clock.now()), {
        state: 'REJECTED',
        failure: {
          kind: 'INFRASTRUCTURE',
          reason: { code: 'RUNNER_MISSING', message: `This node has no runner ${spec.runner}.` },
        },
      });
      return;
    }
    const checked = this.#configOf(runner, spec);
    const attempt = new RunningAttempt(spec, checked.config, this, this.#options.clock.now());
    if (checked.problem) {
      this.#end(attempt, { state: 'FAILED', failure: { kind: 'APPLICATION', reason: checked.problem } });
      return;
    }
    this.#follow(attempt, runner, () => runner.run(attempt, this.#nodeOf(runner)));
  }

  /** Follows work that was begun before a restart. False when its runner cannot find it again. */
  reattach(journaled: JournaledAttempt): boolean {
    const runner = this.#options.findRunner(journaled.runner);
    if (!runner?.reattach || journaled.handle === undefined) return false;
    const { attempt: id, taskKey, timeoutMs, killGraceMs, acceptedAt } = journaled;
    const { run, number } = parseAttemptId(id)!;
    const spec: AttemptSpec = {
      attempt: id,
      number,
      run,
      pipeline: '',
      taskKey,
      mapIndex: null,
      runner: runner.name,
      with: {},
      env: {},
      inputs: {},
      resources: {},
      timeoutMs,
      killGraceMs,
    };
    const attempt = new RunningAttempt(spec, null, this, acceptedAt);
    attempt.hasCheckpoint = true;
    attempt.startedAt = acceptedAt;
    this.#options.report({ attempt: id, state: 'RUNNING', at: this.#options.clock.now(), startedAt: acceptedAt });
    this.#follow(attempt, runner, () => runner.reattach!(attempt, journaled.handle!, this.#nodeOf(runner)));
    return true;
  }

  /** Soft stop, then after the grace the hard one. Repeats change nothing. */
  stop(id: AttemptId, reason: StopReason): void {
    const running = this.#running.get(id);
    if (!running?.attempt.requestStop(reason)) return;
    void this.#climbLadder(running.attempt, running.runner);
  }

  /** Ends what a restart could not find again, and leaves the rest to it. Resolves when nothing is left to wait for. */
  async shutDown(): Promise<void> {
    for (const [id, { attempt, runner }] of this.#running) {
      if (runner.reattach && attempt.hasCheckpoint) this.#running.delete(id);
      else this.stop(id, 'SHUTDOWN');
    }
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  makeLog(attempt: RunningAttempt): AttemptLog {
    return new AttemptLog(attempt.spec.attempt, this.#options.shipper, this.#options.clock, () => attempt.started());
  }

  started(attempt: RunningAttempt): void {
    const now = this.#options.clock.now();
    attempt.startedAt = now;
    if (this.#running.has(attempt.spec.attempt))
      this.#options.report({ attempt: attempt.spec.attempt, state: 'RUNNING', at: now, startedAt: now });
  }

  checkpoint(attempt: RunningAttempt, handle: Json): Promise<void> {
    return this.#options.checkpoint(attempt.spec.attempt, handle);
  }

  #follow(attempt: RunningAttempt, runner: RunnerPlugin, begin: () => Promise<Outcome>): void {
    const id = attempt.spec.attempt;
    this.#running.set(id, { attempt, runner });
    if (attempt.spec.timeoutMs !== null) void this.#watchDeadline(attempt);
    let settled: Promise<Outcome>;
    try {
      settled = begin();
    } catch (error) {
      settled = Promise.reject(error as Error);
    }
    settled.then(
      (outcome) => this.#settled(attempt, endOf(runner.name, outcome, attempt.stopReason)),
      (error: unknown) => {
        this.#options.log.error({ err: error, runner: runner.name, attempt: id }, 'A runner threw.');
        this.#settled(
          attempt,
          fault(runner.name, 'RUNNER_THREW', `threw: ${error instanceof Error ? error.message : String(error)}`),
        );
      },
    );
  }

  #settled(attempt: RunningAttempt, end: End): void {
    const id = attempt.spec.attempt;
    // A runner that settles after it was given up changes nothing any more.
    if (this.#running.get(id)?.attempt !== attempt) return;
    if (!attempt.hasLog) {
      this.#end(attempt, end);
      return;
    }
    attempt.log.end();
    const drained = this.#options.shipper.drained(id);
    if (drained) void drained.then(() => this.#end(attempt, end));
    else this.#end(attempt, end);
  }

  #end(attempt: RunningAttempt, { state, failure, outputs }: End): void {
    const at = this.#options.clock.now();
    const id = attempt.spec.attempt;
    this.#running.delete(id);
    if (attempt.hasWorkdir) void rm(attempt.workdir, { recursive: true, force: true }).catch(() => undefined);
    this.#options.report({
      attempt: id,
      state,
      at,
      startedAt: attempt.startedAt ?? attempt.acceptedAt,
      ...(failure ? { failure } : {}),
      ...(outputs ? { outputs } : {}),
    });
    if (this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #watchDeadline(attempt: RunningAttempt): Promise<void> {
    const id = attempt.spec.attempt;
    const left = attempt.deadline! - this.#options.clock.now();
    await this.#options.clock.sleep(Math.max(left, 0));
    if (this.#running.get(id)?.attempt === attempt) this.stop(id, 'TIMED_OUT');
  }

  async #climbLadder(attempt: RunningAttempt, runner: RunnerPlugin): Promise<void> {
    const { clock } = this.#options;
    const isRunning = () => this.#running.get(attempt.spec.attempt)?.attempt === attempt;
    await clock.sleep(attempt.spec.killGraceMs);
    if (!isRunning()) return;
    attempt.requestKill();
    await clock.sleep(SETTLE_MS);
    if (!isRunning()) return;
    this.#options.log.error(
      { runner: runner.name, attempt: attempt.spec.attempt },
      'A runner did not settle after its hard stop.',
    );
    const { failure, ...end } = stopped(attempt.stopReason!);
    const message = `${failure!.reason.message} The runner ${runner.name} did not settle within ${SETTLE_MS / 1_000} s of the hard stop: something of it may still run.`;
    this.#end(attempt, { ...end, failure: { ...failure!, reason: { code: 'RUNNER_DID_NOT_SETTLE', message } } });
  }

  #configOf(
    runner: RunnerPlugin,
    spec: AttemptSpec,
  ): { readonly config: unknown; readonly problem?: { code: string; message: string } } {
    const known = this.#configs.get(spec.with);
    if (known?.runner === runner.name) return known;
    const checked = runner.config.check(spec.with);
    if (!checked.ok) {
      const [problem] = checked.problems;
      return {
        config: null,
        problem: {
          code: 'BAD_CONFIG',
          message: `with.${problem?.path.join('.') ?? ''}: ${problem?.message ?? 'is not valid'}`,
        },
      };
    }
    const entry = { runner: runner.name, config: checked.config };
    this.#configs.set(spec.with, entry);
    return entry;
  }

  #nodeOf(runner: RunnerPlugin): RunnerNode {
    let node = this.#nodes.get(runner.name);
    if (!node) {
      const { nodeName, dataDirectory, settings } = this.#options;
      node = {
        name: nodeName,
        stateDirectory: join(dataDirectory, 'runners', runner.name),
        settings: settings[runner.name] ?? {},
      };
      this.#nodes.set(runner.name, node);
    }
    return node;
  }
}
