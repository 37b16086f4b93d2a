import { attemptTransitions, type AttemptState } from '../../domain/attempt.ts';
import type { Reason, Usage } from '@gantry/plugin-kit/vocabulary';
import type {
  AssignedLog,
  AttemptUsage,
  Change,
  Evidence,
  HeldGpus,
  SupersededAttempt,
  TaskRunReason,
} from '../../domain/change.ts';
import type { Receipt } from '../../domain/command.ts';
import type { Effect } from '../../domain/effect.ts';
import type { NodeEventTuple, RunEventTuple, TaskRunEventTuple } from '../../domain/event.ts';
import type { RunId } from '../../domain/ids.ts';
import type { DamagedRun } from '../../domain/input.ts';
import type { PoolUpdate } from '../../domain/pool.ts';
import {
  connectionTransitions,
  eligibilityTransitions,
  type NodeConnection,
  type NodeEligibility,
} from '../../domain/node.ts';
import { excerpt } from '../../domain/excerpt.ts';
import { MAX_RECORD_MESSAGE, type NodeRecord } from '../../domain/node-record.ts';
import { runTransitions, type RunState } from '../../domain/run.ts';
import { taskRunTransitions, type TaskRunState } from '../../domain/task-run.ts';
import { assertTransition } from '../../domain/transitions.ts';
import type { Moment } from './moment.ts';
import type { EngineAttempt, EngineNode, EngineRun, EngineTaskRun, PoolState } from './pool-state.ts';

/** What the placement must hear of a step before it is asked again. */
export interface PlacementNews {
  /** Have become READY. */
  readonly queued: EngineTaskRun[];
  /** Have left READY otherwise than by a placement. */
  readonly withdrawn: EngineTaskRun[];
  /** Hold their node no longer. */
  readonly released: {
    readonly taskRun: EngineTaskRun;
    readonly node: string;
    readonly attempt: number;
    readonly gpus: readonly number[];
  }[];
  readonly nodes: EngineNode[];
}

/** What has happened to a node, by whom and why. */
export type NodeNews = Pick<NodeRecord, 'type'> & {
  readonly actor?: string;
  readonly message?: string | null | undefined;
};

/**
 * What came of a batch of inputs: the pencil with which the engine writes. Every change of a state goes through it,
 * so that every transition is asserted and every changed row is recorded once, whatever happened to it in between.
 */
export class Step {
  readonly seq: number;
  /** The time of day, for what is shown and stored. */
  readonly now: number;
  /** The same moment by the clock that only grows, for what is waited for. */
  readonly tick: number;
  readonly effects: Effect[] = [];
  readonly placement: PlacementNews = { queued: [], withdrawn: [], released: [], nodes: [] };

  readonly #pool: PoolState;
  readonly #runs: EngineRun[] = [];
  readonly #createdRuns = new Set<EngineRun>();
  readonly #stateChanged = new Set<EngineRun>();
  readonly #taskRuns: EngineTaskRun[] = [];
  readonly #createdTaskRuns: EngineTaskRun[] = [];
  readonly #superseded: SupersededAttempt[] = [];
  readonly #evidence: Evidence[] = [];
  readonly #gpus: HeldGpus[] = [];
  readonly #usages: AttemptUsage[] = [];
  readonly #reasons: TaskRunReason[] = [];
  readonly #nodes = new Set<EngineNode>();
  readonly #changedNodes = new Set<EngineNode>();
  readonly #nodeRecords: NodeRecord[] = [];
  readonly #receipts: { command: number; receipt: Receipt; run?: RunId }[] = [];

  /** Another scheduler for the pool, when somebody has asked for one: the last to ask. */
  #poolUpdate: PoolUpdate | null = null;

  /** Runs that were ended without the engine. */
  readonly #setAside: DamagedRun[] = [];
  /** The pool's default of `idempotent`, when somebody has changed it. */
  #poolIdempotent: boolean | null | undefined = undefined;

  /** Every row that the step touches is to be written: after a reload, what was only logged. */
  #mustWrite = false;

  constructor(pool: PoolState, now: Moment) {
    this.#pool = pool;
    this.seq = pool.seq + 1;
    this.now = now.at;
    this.tick = now.tick;
  }

  /** Lets nothing of this step be only logged. */
  writeEverything(): void {
    this.#mustWrite = true;
  }

  /** Nothing to commit. */
  get isEmpty(): boolean {
    return (
      this.#runs.length === 0 &&
      this.#taskRuns.length === 0 &&
      this.#createdTaskRuns.length === 0 &&
      this.#nodes.size === 0 &&
      this.#receipts.length === 0 &&
      this.#evidence.length === 0 &&
      this.#setAside.length === 0
    );
  }

  /** Tells that a run has been set aside: its rows are written already. */
  runSetAside(run: DamagedRun): void {
    this.#setAside.push(run);
  }

  runCreated(run: EngineRun): void {
    run.revision = this.seq;
    this.#createdRuns.add(run);
    this.#stateChanged.add(run);
    this.#runs.push(run);
  }

  /** Records that a run's row has changed, its counts for instance. */
  runTouched(run: EngineRun): void {
    if (run.revision === this.seq) return;
    run.revision = this.seq;
    this.#runs.push(run);
  }

  runState(run: EngineRun, state: RunState): void {
    assertTransition(runTransitions, `Run ${run.id}`, run.state, state);
    run.state = state;
    this.runTouched(run);
    this.#stateChanged.add(run);
  }

  taskRunCreated(taskRun: EngineTaskRun): void {
    taskRun.revision = this.seq;
    this.#createdTaskRuns.push(taskRun);
    this.runTouched(taskRun.owner);
  }

  taskRunTouched(taskRun: EngineTaskRun): void {
    if (taskRun.revision === this.seq) return;
    taskRun.revision = this.seq;
    this.#taskRuns.push(taskRun);
  }

  taskRunState(taskRun: EngineTaskRun, state: TaskRunState): void {
    const from = taskRun.state;
    // Spelt out here: building the subject's text for every transition would cost more than the check.
    if (!(taskRunTransitions[from] as readonly TaskRunState[]).includes(state)) {
      assertTransition(taskRunTransitions, `Task run ${taskRun.run}.${taskRun.ordinal}`, from, state);
    }
    taskRun.state = state;
    this.taskRunTouched(taskRun);
    if (state === 'READY') this.placement.queued.push(taskRun);
    else if (from === 'READY' && state !== 'ASSIGNED') this.placement.withdrawn.push(taskRun);
  }

  /** Gives a task run its next attempt; the one before goes to the history. */
  attemptCreated(taskRun: EngineTaskRun, attempt: EngineAttempt): void {
    if (taskRun.attempt) {
      this.#superseded.push({ runKey: taskRun.runKey, ordinal: taskRun.ordinal, attempt: taskRun.attempt });
    }
    taskRun.attempt = attempt;
    if (attempt.gpus !== undefined) {
      const { runKey, ordinal } = taskRun;
      this.#gpus.push({ runKey, ordinal, number: attempt.number, gpus: attempt.gpus });
    }
    this.taskRunTouched(taskRun);
  }

  attemptState(taskRun: EngineTaskRun, attempt: EngineAttempt, state: AttemptState): void {
    if (!(attemptTransitions[attempt.state] as readonly AttemptState[]).includes(state)) {
      assertTransition(
        attemptTransitions,
        `Attempt ${taskRun.run}.${taskRun.ordinal}.${attempt.number}`,
        attempt.state,
        state,
      );
    }
    attempt.state = state;
    this.taskRunTouched(taskRun);
  }

  /** What the attempt used up. Once, when it ends. */
  attemptUsage({ runKey, ordinal }: EngineTaskRun, { number }: EngineAttempt, usage: Usage): void {
    this.#usages.push({ runKey, ordinal, number, usage });
  }

  /** Why a task run ends as it does, where its state, its attempt and its run do not tell. Once, when it ends. */
  taskRunReason({ runKey, ordinal }: EngineTaskRun, reason: Reason): void {
    this.#reasons.push({ runKey, ordinal, reason });
  }

  nodeTouched(node: EngineNode): void {
    node.revision = this.seq;
    this.#nodes.add(node);
  }

  /** Records a change of a node that placement must know of, too. */
  nodeChanged(node: EngineNode): void {
    this.nodeTouched(node);
    this.#changedNodes.add(node);
    this.placement.nodes.push(node);
  }

  nodeConnection(node: EngineNode, connection: NodeConnection): void {
    if (node.connection === connection) return;
    assertTransition(connectionTransitions, `Node ${node.name}`, node.connection, connection);
    node.connection = connection;
    this.nodeChanged(node);
  }

  nodeEligibility(node: EngineNode, eligibility: NodeEligibility): void {
    assertTransition(eligibilityTransitions, `Node ${node.name}`, node.eligibility, eligibility);
    node.eligibility = eligibility;
    this.nodeChanged(node);
  }

  /** Adds to the node's history. */
  nodeRecord(node: EngineNode, { type, actor, message }: NodeNews): void {
    this.#nodeRecords.push({
      node: node.name,
      at: this.now,
      type,
      incarnation: node.incarnation,
      actor: actor ?? null,
      message: typeof message === 'string' ? excerpt(message, MAX_RECORD_MESSAGE) : null,
    });
  }

  poolUpdated(update: PoolUpdate): void {
    this.#poolUpdate = update;
  }

  poolIdempotent(idempotent: boolean | null): void {
    this.#poolIdempotent = idempotent;
  }

  /** Whether the pool has another scheduler from the next step on. */
  get hasPoolUpdate(): boolean {
    return this.#poolUpdate !== null;
  }

  evidence(evidence: Evidence): void {
    this.#evidence.push(evidence);
  }

  receipt(command: number, receipt: Receipt, run?: RunId): void {
    this.#receipts.push(run === undefined ? { command, receipt } : { command, receipt, run });
  }

  /** Tells the task runs whose rows must be written from those that were only just assigned: they are logged. */
  #sorted(): { readonly changed: readonly EngineTaskRun[]; readonly assigned: AssignedLog } {
    const changed: EngineTaskRun[] = [];
    const logged: EngineTaskRun[] = [];
    const nodes: string[] = [];
    const tasks: number[] = [];
    for (const taskRun of this.#taskRuns) {
      const { attempt } = taskRun;
      if (this.#mustWrite || !isJustAssigned(taskRun, this.now)) {
        changed.push(taskRun);
        continue;
      }
      let node = nodes.length - 1;
      if (nodes[node] !== attempt!.node) node = nodes.indexOf(attempt!.node);
      if (node < 0) node = nodes.push(attempt!.node) - 1;
      tasks.push(taskRun.runKey, taskRun.ordinal, node);
      logged.push(taskRun);
    }
    if (logged.length > 0) this.#pool.unwritten.push({ seq: this.seq, tick: this.tick, taskRuns: logged });
    return { changed, assigned: { nodes, tasks } };
  }

  /** The rows to write and the events that become true with them. The images are the engine's own objects. */
  change(): Change {
    const indexOfRun = new Map<EngineRun, number>();
    const runs: RunEventTuple[] = [];
    const indexOf = (run: EngineRun): number => {
      let index = indexOfRun.get(run);
      if (index === undefined) {
        index = runs.length;
        indexOfRun.set(run, index);
        runs.push([run.id, run.pipeline, run.state, this.#stateChanged.has(run) ? 1 : 0]);
      }
      return index;
    };
    for (const run of this.#stateChanged) indexOf(run);
    for (const { id, pipeline } of this.#setAside) runs.push([id, pipeline, 'FAILED', 1]);
    const taskRuns: TaskRunEventTuple[] = [];
    const { changed, assigned } = this.#sorted();
    for (const list of [this.#createdTaskRuns, changed]) {
      for (const taskRun of list) {
        // A fresh WAITING row is no news: the run's own event says that it is there.
        if (taskRun.state === 'WAITING') continue;
        taskRuns.push([indexOf(taskRun.owner), taskRun.ordinal, taskRun.state, taskRun.attempt?.number ?? 0]);
      }
    }
    const nodes: NodeEventTuple[] = [];
    for (const node of this.#changedNodes) nodes.push([node.name, node.connection, node.eligibility]);
    return {
      at: this.now,
      createdRuns: [...this.#createdRuns],
      changedRuns: [...this.#stateChanged].filter((run) => !this.#createdRuns.has(run)),
      countedRuns: this.#runs.filter((run) => !this.#stateChanged.has(run)),
      createdTaskRuns: this.#createdTaskRuns,
      changedTaskRuns: changed,
      assigned,
      writtenSeq: (this.#pool.unwritten[0]?.seq ?? this.seq + 1) - 1,
      supersededAttempts: this.#superseded,
      evidence: this.#evidence,
      gpus: this.#gpus,
      usages: this.#usages,
      reasons: this.#reasons,
      nodes: [...this.#nodes],
      nodeRecords: this.#nodeRecords,
      receipts: this.#receipts,
      ...(this.#poolUpdate === null ? {} : { poolUpdate: this.#poolUpdate }),
      ...(this.#poolIdempotent === undefined ? {} : { poolIdempotent: this.#poolIdempotent }),
      events: { runs, taskRuns, nodes, receipts: this.#receipts.map(({ command, receipt }) => [command, receipt]) },
    };
  }
}

/**
 * Whether the log says all there is to say: a first attempt, given in this step. The first instance of a fan-out may
 * have got its map index in the same step, which is only in its row.
 */
const isJustAssigned = ({ state, attempt, mapIndex }: EngineTaskRun, now: number): boolean =>
  state === 'ASSIGNED' && attempt!.number === 1 && attempt!.assignedAt === now && mapIndex !== 0;
