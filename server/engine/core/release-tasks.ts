import type { Json, Reason } from '@gantry/plugin-kit/vocabulary';
import { render } from '../../domain/expression.ts';
import type { TerminalTaskRunState } from '../../domain/task-run.ts';
import { watchGang } from './gang-timer.ts';
import { MAX_GANG, MAX_TASK_RUNS } from './limits.ts';
import { EngineTaskRun, type EngineRun, type PoolState } from './pool-state.ts';
import { tasksNamedIn } from './plan.ts';
import { scopeWith } from './scope.ts';
import { settleRun } from './settle-run.ts';
import type { Step } from './step.ts';

/**
 * A task's needs are met: its task run, or every instance of its fan-out, goes to the queue. Otherwise the state in
 * which it ends at once: the caller ends it, so that long chains of such tasks need no recursion.
 */
export function releaseTask(pool: PoolState, step: Step, run: EngineRun, index: number): 'SKIPPED' | 'FAILED' | null {
  const first = run.taskRuns[index]!;
  if (run.plan.definition.tasks[index]!.forEach === null) {
    queue(step, first);
    watchGang(pool, step, run, index);
    return null;
  }
  const items = itemsOf(run, index);
  if (!isList(items)) return refuse(step, first, items);
  if (items.length === 0) return 'SKIPPED';
  if (run.taskRuns.length + items.length - 1 > MAX_TASK_RUNS) {
    return refuse(step, first, {
      code: 'FAN_OUT_TOO_LARGE',
      message: `forEach has ${items.length} items; a run may have ${MAX_TASK_RUNS} task runs.`,
      remedy: 'Hand each instance a larger share of the work.',
    });
  }
  if (items.length > MAX_GANG && run.plan.definition.tasks[index]!.placement?.gang) {
    return refuse(step, first, {
      code: 'GANG_TOO_LARGE',
      message: `forEach has ${items.length} items; a gang may have ${MAX_GANG} instances.`,
      remedy: 'Hand each instance a larger share of the work, or drop “gang”.',
    });
  }
  fanOut(step, run, index, items);
  for (const instance of run.instances.get(index)!) queue(step, instance);
  watchGang(pool, step, run, index);
  return null;
}

/** Keeps with the run why a task run ended that never got to an attempt. */
export function refuse(step: Step, taskRun: EngineTaskRun, reason: Reason): 'FAILED' {
  const { owner } = taskRun;
  owner.reason ??= { ...reason, message: `${taskRun.taskKey}: ${reason.message}` };
  step.runTouched(owner);
  return 'FAILED';
}

/** Makes the instances of a fan-out; the task's own task run becomes the first. */
export function fanOut(step: Step, run: EngineRun, index: number, items: readonly Json[]): void {
  const first = run.taskRuns[index]!;
  const instances = [first];
  first.mapIndex = 0;
  step.taskRunTouched(first);
  for (let mapIndex = 1; mapIndex < items.length; mapIndex++) {
    const instance = new EngineTaskRun(run, run.taskRuns.length, index, 'WAITING');
    instance.mapIndex = mapIndex;
    run.taskRuns.push(instance);
    instances.push(instance);
    step.taskRunCreated(instance);
  }
  run.instances.set(index, instances);
  run.items.set(index, items);
  run.instancesLeft[index] = items.length;
}

/** The items of a fan-out, or why there are none. */
export function itemsOf(run: EngineRun, index: number): readonly Json[] | Reason {
  const { forEach } = run.plan.definition.tasks[index]!;
  const named = tasksNamedIn(forEach, run.plan.indexOfKey);
  const rendered = render(forEach, scopeWith(run, named));
  if (!rendered.ok) return rendered.reason;
  if (isList(rendered.value)) return rendered.value;
  return {
    code: 'FOR_EACH_NOT_A_LIST',
    message: 'forEach did not yield a list.',
    remedy: 'Let the upstream task write the output as a JSON list.',
  };
}

const isList = (value: Json | Reason): value is readonly Json[] => Array.isArray(value);

function queue(step: Step, taskRun: EngineTaskRun): void {
  if (taskRun.owner.state === 'PAUSED') {
    step.taskRunState(taskRun, 'BLOCKED');
    return;
  }
  taskRun.readyAt = step.now;
  step.taskRunState(taskRun, 'READY');
}

/** Ends a task run and lets everything follow that follows from it, without recursion: chains may be long. */
export function endTaskRun(pool: PoolState, step: Step, taskRun: EngineTaskRun, state: TerminalTaskRunState): void {
  const run = taskRun.owner;
  const ended: number[] = [];
  finish(step, taskRun, state, ended);
  while (ended.length > 0) {
    const index = ended.pop()!;
    const outcome = outcomeOf(run, index);
    for (const downstream of run.plan.graph.downstream[index]!) {
      const waiting = run.taskRuns[downstream]!;
      if (outcome === null) {
        run.needsLeft[downstream]!--;
        // A cancelling run releases nothing more: what waits has been cancelled, or is being.
        if (run.needsLeft[downstream] === 0 && waiting.state === 'WAITING' && run.state !== 'CANCELLING') {
          const end = releaseTask(pool, step, run, downstream);
          if (end) finish(step, waiting, end, ended);
        }
      } else if (waiting.state === 'WAITING') {
        finish(step, waiting, outcome, ended);
      }
    }
  }
  settleRun(pool, step, run);
}

/** Ends all of a task as CACHED. What needs it is not released yet: it may be cached, too. */
export function cacheTask(step: Step, run: EngineRun, index: number): void {
  for (const taskRun of run.instancesOf(index)) finish(step, taskRun, 'CACHED', []);
  for (const downstream of run.plan.graph.downstream[index]!) run.needsLeft[downstream]!--;
}

function finish(step: Step, taskRun: EngineTaskRun, state: TerminalTaskRunState, ended: number[]): void {
  const run = taskRun.owner;
  step.taskRunState(taskRun, state);
  taskRun.finishedAt = step.now;
  taskRun.dueAt = null;
  run.finishedCount++;
  if (state === 'FAILED' && !taskRun.task.allowFailure) run.failedCount++;
  step.runTouched(run);
  if (--run.instancesLeft[taskRun.taskIndex]! === 0) ended.push(taskRun.taskIndex);
}

/**
 * What an ended task means for the tasks that need it: null when they may start, otherwise the state that it hands
 * down. Skips cascade, as under Airflow's `all_success`; a tolerated failure counts as success.
 */
function outcomeOf(run: EngineRun, index: number): 'UPSTREAM_FAILED' | 'SKIPPED' | 'CANCELLED' | null {
  const { allowFailure } = run.plan.definition.tasks[index]!;
  let outcome: 'UPSTREAM_FAILED' | 'SKIPPED' | 'CANCELLED' | null = null;
  for (const { state } of run.instancesOf(index)) {
    if (state === 'SUCCEEDED' || state === 'CACHED' || (state === 'FAILED' && allowFailure)) continue;
    if (state === 'CANCELLED') return 'CANCELLED';
    if (state === 'SKIPPED') outcome ??= 'SKIPPED';
    else outcome = 'UPSTREAM_FAILED';
  }
  return outcome;
}

/** Whether the tasks that need this ended task may start; for recovery. */
export const endedWell = (run: EngineRun, index: number): boolean => outcomeOf(run, index) === null;
