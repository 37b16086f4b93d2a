import type { RunnerIdempotency } from '../../domain/idempotency.ts';
import type { DamagedRun, LoggedAssignment, RecoveredPool, RecoveredRun } from '../../domain/input.ts';
import { longestDelay } from '../../domain/retry.ts';
import { isActiveTaskRun, isTerminalTaskRun } from '../../domain/task-run.ts';
import { startRun } from './admit-run.ts';
import { misfitOf } from './check-recovered.ts';
import { faultOf } from './run-fault.ts';
import { watchGang } from './gang-timer.ts';
import { remainingMs, type Moment } from './moment.ts';
import { planOf } from './plan.ts';
import { EngineRun, EngineTaskRun, PoolState, type SilenceLimits } from './pool-state.ts';
import { endedWell } from './outcome-of-task.ts';
import { itemsOf } from './release-tasks.ts';
import { Step } from './step.ts';
import { sendAgain, watchSilence } from './watch-node.ts';

/**
 * Rebuilds a pool from what the store holds. The step tells the placement what is there, sends every live assignment
 * again, and carries on where the last commit ended. Runs that do not fit together are left out and handed back. Throws
 * RunFault for one that breaks the engine all the same: it is to be left out of the next try.
 */
export function restore(
  name: string,
  recovered: RecoveredPool,
  seq: number,
  now: Moment,
  silence: SilenceLimits,
  askRunner?: RunnerIdempotency,
): { readonly pool: PoolState; readonly step: Step; readonly damaged: readonly DamagedRun[] } {
  const pool = new PoolState(name, seq, now.tick, silence, askRunner);
  pool.idempotent = recovered.idempotent ?? null;
  const step = new Step(pool, now);
  for (const node of recovered.nodes) {
    const restored = { ...node, heardTick: now.tick, reserved: {}, runningCount: 0, live: new Set<EngineTaskRun>() };
    pool.nodes.set(node.name, restored);
    step.placement.nodes.push(restored);
    if (node.connection !== 'LOST') watchSilence(pool, restored);
  }
  step.writeEverything();
  const gpus = new Map(recovered.gpus.map((held) => [`${held.runKey} ${held.ordinal} ${held.number}`, held.gpus]));
  const assigned = new Map(recovered.assigned.map((logged) => [`${logged.runKey} ${logged.ordinal}`, logged]));
  const damaged: DamagedRun[] = [];
  for (const run of recovered.runs) {
    const misfit = misfitOf(run, pool.nodes);
    const { id, key, pipeline } = run.run;
    if (misfit !== null) damaged.push({ id, key, pipeline, message: misfit });
    else faultOf(id, () => restoreRun(pool, step, run, assigned, gpus));
  }
  return { pool, step, damaged };
}

function restoreRun(
  pool: PoolState,
  step: Step,
  { run: row, definition, taskRuns }: RecoveredRun,
  assigned: ReadonlyMap<string, LoggedAssignment>,
  gpus: ReadonlyMap<string, readonly number[]>,
): void {
  const run = new EngineRun(row, planOf(definition));
  pool.runs.set(run.id, run);
  for (const taskRun of taskRuns) {
    const restored = restoreTaskRun(run, taskRun);
    run.taskRuns.push(restored);
    const logged = assigned.size === 0 ? undefined : assigned.get(`${run.key} ${taskRun.ordinal}`);
    if (logged) assignAsLogged(step, restored, logged);
    const held = gpus.size === 0 ? undefined : gpus.get(`${run.key} ${taskRun.ordinal} ${restored.attempt?.number}`);
    if (held !== undefined) restored.attempt = { ...restored.attempt!, gpus: held };
  }
  const taskCount = definition.tasks.length;
  for (let ordinal = 0; ordinal < run.taskRuns.length; ordinal++) {
    const taskRun = run.taskRuns[ordinal]!;
    if (taskRun.mapIndex === null) continue;
    const instances = run.instances.get(taskRun.taskIndex) ?? [];
    instances[taskRun.mapIndex] = taskRun;
    run.instances.set(taskRun.taskIndex, instances);
  }
  for (let index = 0; index < taskCount; index++) {
    run.instancesLeft[index] = run.instancesOf(index).filter(({ state }) => !isTerminalTaskRun(state)).length;
  }
  for (const index of run.plan.graph.order) {
    if (run.instancesLeft[index] === 0 && endedWell(run, index)) {
      for (const downstream of run.plan.graph.downstream[index]!) run.needsLeft[downstream]!--;
    }
  }
  for (const index of run.instances.keys()) {
    const items = itemsOf(run, index);
    if (Array.isArray(items)) run.items.set(index, items);
  }
  for (const taskRun of run.taskRuns) resume(pool, step, taskRun);
  if (run.state !== 'CANCELLING') startRun(pool, step, run);
}

function restoreTaskRun(run: EngineRun, row: RecoveredRun['taskRuns'][number]): EngineTaskRun {
  const taskIndex = run.plan.indexOfKey.get(row.taskKey);
  if (taskIndex === undefined)
    throw new Error(`Task run ${row.run}.${row.ordinal} is of task ${row.taskKey}, which its pipeline version lacks.`);
  const taskRun = new EngineTaskRun(run, row.ordinal, taskIndex, row.state);
  taskRun.mapIndex = row.mapIndex;
  taskRun.attempt = row.attempt ? { ...row.attempt } : null;
  taskRun.readyAt = row.readyAt;
  taskRun.dueAt = row.dueAt;
  taskRun.finishedAt = row.finishedAt;
  taskRun.failures = row.failures;
  taskRun.losses = row.losses;
  taskRun.outputs = row.outputs;
  taskRun.revision = row.revision;
  return taskRun;
}

/** The row is older than the log: the task run had been given its first attempt, and nothing else has happened since. */
function assignAsLogged(step: Step, taskRun: EngineTaskRun, { node, at }: LoggedAssignment): void {
  if (taskRun.attempt !== null || isTerminalTaskRun(taskRun.state)) return;
  taskRun.readyAt ??= at;
  taskRun.state = 'ASSIGNED';
  taskRun.attempt = {
    number: 1,
    node,
    state: 'ASSIGNED',
    assignedAt: at,
    startedAt: null,
    finishedAt: null,
    failure: null,
  };
  step.taskRunTouched(taskRun);
}

/** Puts one task run back to where it was. */
function resume(pool: PoolState, step: Step, taskRun: EngineTaskRun): void {
  if (taskRun.state === 'READY') {
    step.placement.queued.push(taskRun);
    if (taskRun.mapIndex === null || taskRun.mapIndex === 0) watchGang(pool, step, taskRun.owner, taskRun.taskIndex);
  } else if (taskRun.state === 'BACKOFF') {
    waitAgain(pool, step, taskRun);
  } else if (isActiveTaskRun(taskRun.state)) {
    const node = pool.nodes.get(taskRun.attempt!.node);
    if (!node)
      throw new Error(
        `Task run ${taskRun.run}.${taskRun.ordinal} is on node ${taskRun.attempt!.node}, which the store lacks.`,
      );
    node.live.add(taskRun);
    node.runningCount = node.live.size;
    for (const [name, amount] of Object.entries(taskRun.task.resources)) {
      if (amount !== 0) node.reserved[name] = (node.reserved[name] ?? 0) + amount;
    }
    sendAgain(step, taskRun);
  }
}

/** Sets the timer of a retry again: by the stored time of day, but not for longer than its policy says. */
function waitAgain(pool: PoolState, step: Step, taskRun: EngineTaskRun): void {
  taskRun.dueAt ??= step.now;
  const { dueAt, task, attempt, failures, losses } = taskRun;
  const longestMs = longestDelay(task.retry, { failures, losses, attempts: attempt?.number ?? 0 });
  const wait = remainingMs(dueAt, longestMs, { at: step.now, tick: step.tick });
  pool.timers.add(step.tick + wait, { type: 'BACKOFF', taskRun, dueAt });
}
