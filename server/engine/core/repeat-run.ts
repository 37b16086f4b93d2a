import type { Reason } from '@gantry/plugin-kit/vocabulary';
import type { Command, PreparedCommand, Receipt } from '../../domain/command.ts';
import { excerpt } from '../../domain/excerpt.ts';
import type { RecoveredRun } from '../../domain/input.ts';
import type { TaskRun } from '../../domain/task-run.ts';
import { createTaskRuns, newRun, startRun } from './admit-run.ts';
import { finish, metNeed } from './end-task-run.ts';
import { watchGang } from './gang-timer.ts';
import type { EngineRun, PoolState } from './pool-state.ts';
import { fanOut, itemsOf, queueTaskRun } from './release-tasks.ts';
import { settleRun } from './settle-run.ts';
import type { Step } from './step.ts';

type RetryRun = Extract<Command, { type: 'RETRY_RUN' }>;

/**
 * Makes a new run that repeats an ended one. What need not run again is taken over, instance by instance: a success is
 * CACHED with the outputs that it had, a failure that its task tolerates stays FAILED.
 */
export function repeatRun(pool: PoolState, step: Step, prepared: PreparedCommand, command: RetryRun): Receipt {
  const { original } = prepared;
  if (!original) return { ok: false, code: 'RUN_NOT_FOUND', message: `There is no run ${command.of}.` };
  if (original.run.finishedAt === null) {
    return { ok: false, code: 'RUN_NOT_FINISHED', message: `Run ${command.of} has not finished: cancel it first.` };
  }
  const unknown = command.tasks.find((key) => !original.definition.tasks.some((task) => task.key === key));
  if (unknown !== undefined)
    return { ok: false, code: 'TASK_NOT_FOUND', message: `Run ${command.of} has no task ${unknown}.` };
  const { pipeline, version, params, priority } = original.run;
  const run = newRun(
    pool,
    step,
    { ...prepared, definition: original.definition },
    { id: command.run, pipeline, version, params, priority, trigger: 'RETRY', retryOf: original.run.id },
  );
  createTaskRuns(step, run);
  takeOver(pool, step, run, original, command);
  startRun(pool, step, run);
  settleRun(pool, step, run);
  return { ok: true };
}

/** Takes over what stays, task by task in topological order. What comes after something that runs again runs again. */
function takeOver(pool: PoolState, step: Step, run: EngineRun, original: RecoveredRun, command: RetryRun): void {
  if (command.from === 'ALL') return;
  const byTask = instancesByTask(original);
  const settled = new Set<number>();
  for (const index of run.plan.graph.order) {
    const task = run.plan.definition.tasks[index]!;
    if (command.from === 'TASKS' && command.tasks.includes(task.key)) continue;
    if (!run.plan.graph.needs[index]!.every((need) => settled.has(need))) continue;
    const old = byTask.get(task.key) ?? [];
    const stays = old.map((taskRun) => mayStay(taskRun, task.allowFailure));
    if (stays.every(Boolean)) {
      takeOverAll(step, run, index, old);
      settled.add(index);
      continue;
    }
    // The instances of a gang need each other: they run together or not at all.
    if (stays.some(Boolean) && !task.placement?.gang) takeOverSome(pool, step, run, index, old, stays);
  }
}

/** By task key, each in the order of the fan-out. */
function instancesByTask({ taskRuns }: RecoveredRun): ReadonlyMap<string, readonly TaskRun[]> {
  const byTask = new Map<string, TaskRun[]>();
  for (const taskRun of taskRuns) {
    const list = byTask.get(taskRun.taskKey);
    if (list) list.push(taskRun);
    else byTask.set(taskRun.taskKey, [taskRun]);
  }
  for (const list of byTask.values()) list.sort((a, b) => (a.mapIndex ?? 0) - (b.mapIndex ?? 0));
  return byTask;
}

/** A tolerated failure has done all that was asked of it, as for the tasks that need it. */
const mayStay = ({ state }: TaskRun, allowFailure: boolean): boolean =>
  state === 'SUCCEEDED' || state === 'CACHED' || (state === 'FAILED' && allowFailure);

/** Ends all of a task. What needs it is not released yet: it may be taken over, too. */
function takeOverAll(step: Step, run: EngineRun, index: number, old: readonly TaskRun[]): void {
  const items = old.map(() => null);
  if (old.length > 0 && old[0]!.mapIndex !== null) fanOut(step, run, index, items);
  run.instancesOf(index).forEach((_, position) => takeOverOne(step, run, index, position, old[position]));
  metNeed(run, index);
}

/** Ends the instances that stay and queues the others. Where the items are not those of before, all of it runs again. */
function takeOverSome(
  pool: PoolState,
  step: Step,
  run: EngineRun,
  index: number,
  old: readonly TaskRun[],
  stays: readonly boolean[],
): void {
  const items = itemsOf(run, index);
  if (!Array.isArray(items) || items.length !== old.length) return;
  fanOut(step, run, index, items);
  for (const [position, instance] of run.instancesOf(index).entries()) {
    if (stays[position]) takeOverOne(step, run, index, position, old[position]);
    else queueTaskRun(step, instance);
  }
  watchGang(pool, step, run, index);
}

function takeOverOne(step: Step, run: EngineRun, index: number, position: number, old: TaskRun | undefined): void {
  const taskRun = run.instancesOf(index)[position]!;
  taskRun.outputs = old?.outputs ?? null;
  if (old?.state === 'FAILED') finish(step, taskRun, 'FAILED', toleratedBefore(run, old), []);
  else finish(step, taskRun, 'CACHED', null, []);
}

/** Enough of the message of a failure before. Characters. */
const MAX_SHOWN = 300;

function toleratedBefore({ retryOf }: EngineRun, { attempt }: TaskRun): Reason {
  const why = attempt?.failure?.reason.message;
  return {
    code: 'FAILURE_TAKEN_OVER',
    message: `It failed in run ${retryOf}, which its allowFailure tolerates, and was not done again.${why === undefined ? '' : ` It had failed so: ${excerpt(why, MAX_SHOWN)}`}`,
    remedy: 'Name the task to do it again: gantry retry … --task.',
  };
}
