import type { Change, StoredTaskRun } from '../../server/domain/change.ts';
import type { Command, PreparedCommand } from '../../server/domain/command.ts';
import type { LoggedAssignment, RecoveredPool } from '../../server/domain/input.ts';
import type { Node } from '../../server/domain/node.ts';
import type { PipelineDefinition } from '../../server/domain/pipeline.ts';
import { isTerminalRun, type Run } from '../../server/domain/run.ts';
import type { Checker } from './checker.ts';
import type { Mutation } from './mutations.ts';
import type { World } from './world.ts';

/** Where the store of the simulation is unkind. */
export interface StoreFaults {
  /** Chance that a commit fails before it is written, and that it is written and its answer lost. */
  readonly failBefore: number;
  readonly failAfter: number;
}

/** The lease is not held under this epoch any more, or the answer was lost. */
export class CommitFailed extends Error {
  override readonly name = 'CommitFailed';
}

/** The shared database: durable images, commands, a lease with epochs, incarnations. Everything in it survives crashes. */
export class SimulatedStore {
  readonly #world: World;
  readonly #checker: Checker;
  readonly #mutation: Mutation | null;
  faults: StoreFaults = { failBefore: 0, failAfter: 0 };
  readonly #runs = new Map<string, Run>();
  readonly #taskRuns = new Map<string, Map<number, StoredTaskRun>>();
  readonly #nodes = new Map<string, Node>();
  readonly #definitions = new Map<string, PipelineDefinition>();
  readonly #incarnations = new Map<string, number>();
  #commands: PreparedCommand[] = [];
  #nextCommand = 1;
  #postponed: readonly Run[] = [];
  readonly lease = { holder: '', epoch: 0, seq: 0, expiresAt: 0 };
  #logged: { readonly seq: number; readonly assignment: LoggedAssignment }[] = [];

  constructor(world: World, checker: Checker, mutation: Mutation | null) {
    this.#world = world;
    this.#checker = checker;
    this.#mutation = mutation;
  }

  append(command: Command, definition?: PipelineDefinition): void {
    if (definition && 'run' in command) {
      this.#definitions.set(command.run, definition);
      this.#checker.definitionIs(command.run, definition);
    }
    const id = this.#nextCommand++;
    this.#commands.push({
      id,
      pool: 'default',
      command,
      actor: 'nemesis',
      at: this.#world.now,
      ...(definition ? { definition } : {}),
    });
  }

  pending(): readonly PreparedCommand[] {
    return this.#commands;
  }

  acquire(holder: string, ttlMs: number): { epoch: number; seq: number } | null {
    const { lease } = this;
    if (lease.holder !== '' && lease.expiresAt >= this.#world.now) return null;
    lease.holder = holder;
    lease.epoch++;
    lease.expiresAt = this.#world.now + ttlMs;
    return { epoch: lease.epoch, seq: lease.seq };
  }

  renew(epoch: number, ttlMs: number): boolean {
    if (this.lease.epoch !== epoch || this.lease.expiresAt < this.#world.now) return false;
    this.lease.expiresAt = this.#world.now + ttlMs;
    return true;
  }

  nextIncarnation(node: string): number {
    const next = (this.#incarnations.get(node) ?? 0) + 1;
    this.#incarnations.set(node, next);
    return next;
  }

  commit(epoch: number, seq: number, change: Change): void {
    const { random } = this.#world;
    if (random.chance(this.faults.failBefore)) throw new CommitFailed('error before the commit');
    const isFenced = this.#mutation !== 'NO_FENCE';
    if (isFenced && (this.lease.epoch !== epoch || this.lease.seq + 1 !== seq)) throw new CommitFailed('stale owner');
    this.lease.seq = seq;
    const written = this.#mutation === 'ROLL_UP_LATER' ? this.#withRollUpLater(change) : change;
    this.#checker.committed(epoch, seq, written);
    for (const run of [...written.createdRuns, ...written.changedRuns, ...written.countedRuns])
      this.#runs.set(run.id, { ...plainRun(run) });
    for (const taskRun of [...written.createdTaskRuns, ...written.changedTaskRuns]) {
      const ofRun = this.#taskRuns.get(taskRun.run) ?? new Map<number, StoredTaskRun>();
      ofRun.set(taskRun.ordinal, this.#checker.taskRuns.get(`${taskRun.run}.${taskRun.ordinal}`)!);
      this.#taskRuns.set(taskRun.run, ofRun);
    }
    this.#logged = this.#logged.filter((entry) => entry.seq > written.writtenSeq);
    const { nodes, tasks } = written.assigned;
    for (let index = 0; index < tasks.length; index += 3) {
      const assignment = {
        runKey: tasks[index]!,
        ordinal: tasks[index + 1]!,
        node: nodes[tasks[index + 2]!]!,
        at: written.at,
      };
      this.#logged.push({ seq, assignment });
    }
    for (const node of written.nodes) this.#nodes.set(node.name, { ...node, reserved: { ...node.reserved } });
    const settled = new Set(written.receipts.map(({ command }) => command));
    if (settled.size > 0) this.#commands = this.#commands.filter(({ id }) => !settled.has(id));
    if (random.chance(this.faults.failAfter)) throw new CommitFailed('the answer to the commit was lost');
  }

  recover(): RecoveredPool {
    const runs = [...this.#runs.values()]
      .filter(({ state }) => !isTerminalRun(state))
      .map((run) => ({
        run,
        definition: this.#definitions.get(run.id)!,
        taskRuns: [...(this.#taskRuns.get(run.id)?.values() ?? [])].sort((a, b) => a.ordinal - b.ordinal),
      }));
    if (this.#mutation === 'ASSIGNED_LOG_IGNORED') this.#logged = [];
    return {
      nodes: [...this.#nodes.values()],
      runs,
      assigned: this.#logged.map(({ assignment }) => assignment),
      gpus: [],
    };
  }

  /** The planted bug: a run's own row is written one transaction after its task runs. */
  #withRollUpLater(change: Change): Change {
    const postponed = this.#postponed;
    this.#postponed = [...change.changedRuns, ...change.countedRuns].map(plainRun);
    return {
      ...change,
      changedRuns: postponed.filter((run) => !isTerminalRun(this.#runs.get(run.id)?.state ?? 'QUEUED')),
      countedRuns: [],
    };
  }
}

/** The row's fields only: the engine's objects go on changing. */
function plainRun(run: Run): Run {
  const { id, key, pool, pipeline, version, params, priority, trigger, createdBy, retryOf, createdAt } = run;
  const { state, startedAt, finishedAt, reason, taskRunCount, finishedCount, failedCount, revision } = run;
  return {
    id,
    key,
    pool,
    pipeline,
    version,
    params,
    priority,
    trigger,
    createdBy,
    retryOf,
    createdAt,
    state,
    startedAt,
    finishedAt,
    reason,
    taskRunCount,
    finishedCount,
    failedCount,
    revision,
  };
}
