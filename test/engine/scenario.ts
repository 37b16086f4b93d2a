import type { Json, Reason } from '@gantry/plugin-kit/vocabulary';
import type { AttemptState } from '../../server/domain/attempt.ts';
import type { Change } from '../../server/domain/change.ts';
import type { Command, Receipt } from '../../server/domain/command.ts';
import type { AttemptSpec, Effect } from '../../server/domain/effect.ts';
import type { RunnerIdempotency } from '../../server/domain/idempotency.ts';
import type { Failure } from '../../server/domain/failure.ts';
import { attemptId, runId, type RunId } from '../../server/domain/ids.ts';
import type { Input, RecoveredRun } from '../../server/domain/input.ts';
import type { NodeFacts } from '../../server/domain/node.ts';
import type { PipelineDefinition } from '../../server/domain/pipeline.ts';
import type { Run } from '../../server/domain/run.ts';
import { advance } from '../../server/engine/core/advance.ts';
import { violations } from '../../server/engine/core/invariants.ts';
import { DEFAULT_SILENCE, PoolState, type EngineTaskRun } from '../../server/engine/core/pool-state.ts';
import { Step } from '../../server/engine/core/step.ts';
import { someFacts } from '../support/builders.ts';

/** Drives the engine core by hand: one node with room, a clock that only the test moves. */
export class Scenario {
  now = 1_000_000;
  /** How far the clock that only grows is behind: differs from the start once the test sets the time of day. */
  behind = 0;
  readonly pool: PoolState;
  /** Every change so far, as a store would have been handed them. */
  readonly changes: Change[] = [];
  readonly effects: Effect[] = [];
  #commands = 0;
  /** Runs that the engine has let go of, as they were at their end. */
  readonly #runs = new Map<string, Run & { readonly taskRuns: readonly EngineTaskRun[] }>();

  /** @param askRunner What runners say of the work; without it, that it may be repeated. */
  constructor(facts: NodeFacts = someFacts('n1', { capacity: { slots: 1_000 } }), askRunner?: RunnerIdempotency) {
    this.pool = new PoolState('default', 0, 1_000_000, DEFAULT_SILENCE, askRunner);
    this.step({ type: 'NODE_HELLO', facts, incarnation: 1, known: [] });
  }

  step(...inputs: Input[]): Change {
    const moment = { at: this.now, tick: this.now - this.behind };
    const step = advance(this.pool, inputs, moment, new Step(this.pool, moment));
    const change = step.change();
    this.changes.push(change);
    this.effects.push(...step.effects);
    for (const run of change.createdRuns) this.#runs.set(run.id, run as never);
    expectNoViolations(this.pool);
    return change;
  }

  command(command: Command, extra: { definition?: PipelineDefinition; original?: RecoveredRun } = {}): Receipt {
    const id = ++this.#commands;
    const change = this.step({
      type: 'COMMAND',
      command: { id, pool: 'default', command, actor: 'tester', at: this.now, ...extra },
    });
    return change.receipts.find((receipt) => receipt.command === id)!.receipt;
  }

  trigger(
    definition: PipelineDefinition,
    params: Readonly<Record<string, Json>> = {},
    name = `run-${this.#commands + 1}`,
  ): RunId {
    const run = runId(name);
    this.command(
      { type: 'TRIGGER_RUN', run, pipeline: definition.name, version: 1, params, priority: 0 },
      { definition },
    );
    return run;
  }

  /** Places every READY task run on the node and returns what its agent is told to execute. */
  place(node = 'n1'): readonly AttemptSpec[] {
    const ready = [...this.pool.runs.values()].flatMap((run) => run.taskRuns.filter(({ state }) => state === 'READY'));
    const before = this.effects.length;
    if (ready.length > 0) {
      this.step({
        type: 'PLACEMENT',
        placements: ready.map(({ run, ordinal }) => ({ taskRun: `${run}.${ordinal}`, node })),
      });
    }
    return this.effects.slice(before).flatMap((effect) => (effect.type === 'ASSIGN' ? [effect.spec] : []));
  }

  report(
    run: RunId,
    key: string,
    state: AttemptState,
    extra: {
      outputs?: Readonly<Record<string, Json>>;
      failure?: Failure;
      number?: number;
      mapIndex?: number;
      node?: string;
    } = {},
  ): Change {
    const taskRun = this.taskRun(run, key, extra.mapIndex);
    const { outputs, failure } = extra;
    return this.step({
      type: 'REPORT',
      node: extra.node ?? 'n1',
      incarnation: 1,
      report: {
        attempt: attemptId(run, taskRun.ordinal, extra.number ?? taskRun.attempt?.number ?? 1),
        state,
        at: this.now,
        ...(outputs ? { outputs } : {}),
        ...(failure ? { failure } : {}),
      },
    });
  }

  succeed(run: RunId, key: string, outputs: Readonly<Record<string, Json>> = {}, mapIndex?: number): void {
    this.report(run, key, 'SUCCEEDED', { outputs, ...(mapIndex === undefined ? {} : { mapIndex }) });
  }

  fail(run: RunId, key: string, kind: Failure['kind'] = 'APPLICATION'): void {
    this.report(run, key, 'FAILED', {
      failure: { kind, reason: { code: 'EXIT_CODE', message: 'exited with code 1' } },
    });
  }

  /** Sets the time of day, as an operator or NTP would; no time passes. */
  setTheClock(byMs: number): void {
    this.now += byMs;
    this.behind += byMs;
  }

  /** Lets time pass and what is due happen, with the node speaking all the while. */
  pass(ms: number): void {
    this.now += ms;
    this.step({ type: 'NODE_HEARD', node: 'n1', incarnation: 1 });
  }

  run(id: RunId): Run & { readonly taskRuns: readonly EngineTaskRun[] } {
    return this.#runs.get(id)!;
  }

  taskRun(run: RunId, key: string, mapIndex?: number): EngineTaskRun {
    return this.run(run).taskRuns.find(
      (taskRun) => taskRun.taskKey === key && (mapIndex === undefined || taskRun.mapIndex === mapIndex),
    )!;
  }

  /** Lets a node be silent until it is given up. */
  lose(node = 'n1'): void {
    const { heardAt } = this.pool.nodes.get(node)!;
    for (let silentMs = 5_000; silentMs <= 45_000; silentMs += 5_000) {
      this.now = heardAt + silentMs;
      this.pool.lastAdvanceAt = this.now - 1_000;
      this.step();
    }
  }

  /** Why a task run ended, as it was kept; null where nothing was. */
  reasonOf(run: RunId, key: string, mapIndex?: number): Reason | null {
    const { runKey, ordinal } = this.taskRun(run, key, mapIndex);
    const kept = this.changes.flatMap(({ reasons }) => reasons);
    return kept.find((each) => each.runKey === runKey && each.ordinal === ordinal)?.reason ?? null;
  }

  states(run: RunId): Record<string, string> {
    return Object.fromEntries(
      this.run(run).taskRuns.map(({ taskKey, mapIndex, state }) => [
        mapIndex === null ? taskKey : `${taskKey}[${mapIndex}]`,
        state,
      ]),
    );
  }
}

function expectNoViolations(pool: PoolState): void {
  const found = violations(pool);
  if (found.length > 0) throw new Error(found.map(({ invariant, message }) => `${invariant}: ${message}`).join('\n'));
}
