import type { Command, PreparedCommand, Receipt } from '../../domain/command.ts';
import type { RecoveredRun } from '../../domain/input.ts';
import type { TaskRun } from '../../domain/task-run.ts';
import { createTaskRuns, newRun, startRun } from './admit-run.ts';
import type { EngineRun, PoolState } from './pool-state.ts';
import { cacheTask, fanOut } from './release-tasks.ts';
import { settleRun } from './settle-run.ts';
import type { Step } from './step.ts';

type RetryRun = Extract<Command, { type: 'RETRY_RUN' }>;

/** Makes a new run that repeats an ended one: what need not run again is CACHED, with the outputs it had. */
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
    {
      id: command.run,
      pipeline,
      version,
      params,
      priority,
      trigger: 'RETRY',
      retryOf: original.run.id,
    },
  );
  createTaskRuns(step, run);
  for (const [index, instances] of kept(run, original, command)) keep(step, run, index, instances);
  startRun(pool, step, run);
  settleRun(pool, step, run);
  return { ok: true };
}

/** Per task in topological order: its old task runs, where they all succeeded and nothing upstream runs again. */
function kept(run: EngineRun, original: RecoveredRun, command: RetryRun): Map<number, readonly TaskRun[]> {
  const keeps = new Map<number, readonly TaskRun[]>();
  if (command.from === 'ALL') return keeps;
  const byTask = new Map<string, TaskRun[]>();
  for (const taskRun of original.taskRuns) {
    const list = byTask.get(taskRun.taskKey);
    if (list) list.push(taskRun);
    else byTask.set(taskRun.taskKey, [taskRun]);
  }
  for (const index of run.plan.graph.order) {
    const task = run.plan.definition.tasks[index]!;
    const taskRuns = byTask.get(task.key) ?? [];
    const isGood = taskRuns.every(({ state }) => state === 'SUCCEEDED' || state === 'CACHED');
    const isChosen = command.from === 'TASKS' && command.tasks.includes(task.key);
    const needsKept = run.plan.graph.needs[index]!.every((need) => keeps.has(need));
    if (isGood && !isChosen && needsKept) {
      keeps.set(
        index,
        taskRuns.toSorted((a, b) => (a.mapIndex ?? 0) - (b.mapIndex ?? 0)),
      );
    }
  }
  return keeps;
}

function keep(step: Step, run: EngineRun, index: number, old: readonly TaskRun[]): void {
  if (old[0]?.mapIndex !== null && old.length > 0)
    fanOut(
      step,
      run,
      index,
      old.map(() => null),
    );
  run.instancesOf(index).forEach((taskRun, position) => {
    taskRun.outputs = old[position]?.outputs ?? null;
  });
  cacheTask(step, run, index);
}
