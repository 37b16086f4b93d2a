import type { Json, Reason } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from '../../domain/excerpt.ts';
import { render } from '../../domain/expression.ts';
import { watchGang } from './gang-timer.ts';
import { MAX_GANG, MAX_TASK_RUNS } from './limits.ts';
import { EngineTaskRun, type EngineRun, type PoolState } from './pool-state.ts';
import { tasksNamedIn } from './plan.ts';
import { scopeWith } from './scope.ts';
import type { Step } from './step.ts';

/** The end of a task that gets no attempt, and why. */
export interface EndWithoutAttempt {
  readonly state: 'SKIPPED' | 'FAILED';
  readonly reason: Reason;
}

/**
 * A task's needs are met: its task run, or every instance of its fan-out, goes to the queue. Otherwise the state in
 * which it ends at once: the caller ends it, so that long chains of such tasks need no recursion.
 */
export function releaseTask(pool: PoolState, step: Step, run: EngineRun, index: number): EndWithoutAttempt | null {
  const first = run.taskRuns[index]!;
  if (run.plan.definition.tasks[index]!.forEach === null) {
    queueTaskRun(step, first);
    watchGang(pool, step, run, index);
    return null;
  }
  const items = itemsOf(run, index);
  if (!isList(items)) return { state: 'FAILED', reason: items };
  if (items.length === 0) return { state: 'SKIPPED', reason: NO_ITEMS };
  const excess = excessOf(run, index, items.length);
  if (excess !== null) return { state: 'FAILED', reason: excess };
  fanOut(step, run, index, items);
  for (const instance of run.instances.get(index)!) queueTaskRun(step, instance);
  watchGang(pool, step, run, index);
  return null;
}

const NO_ITEMS: Reason = { code: 'FOR_EACH_EMPTY', message: 'forEach yielded an empty list: there was nothing to do.' };

/** Why a fan-out is too large; null when it is not. */
function excessOf(run: EngineRun, index: number, count: number): Reason | null {
  if (run.taskRuns.length + count - 1 > MAX_TASK_RUNS) {
    return {
      code: 'FAN_OUT_TOO_LARGE',
      message: `forEach has ${count} items; a run may have ${MAX_TASK_RUNS} task runs.`,
      remedy: 'Hand each instance a larger share of the work.',
    };
  }
  if (count > MAX_GANG && run.plan.definition.tasks[index]!.placement?.gang) {
    return {
      code: 'GANG_TOO_LARGE',
      message: `forEach has ${count} items; a gang may have ${MAX_GANG} instances.`,
      remedy: 'Hand each instance a larger share of the work, or drop “gang”.',
    };
  }
  return null;
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
  return isList(rendered.value) ? rendered.value : notAList(forEach, rendered.value);
}

/** Enough of a value to know it again. Characters. */
const MAX_SHOWN = 80;

/** What `forEach` yielded instead of a list, and how the output would be written as one. */
function notAList(forEach: Json, value: Json): Reason {
  const shown = excerpt(JSON.stringify(value), MAX_SHOWN);
  const [, key, output = 'parts'] =
    /^\$\{\{\s*tasks\.([\w-]+)\.outputs\.([\w-]+)/.exec(typeof forEach === 'string' ? forEach.trim() : '') ?? [];
  const where = key === undefined ? 'the task that the value comes from' : `the task ${key}`;
  const looksLikeJson = typeof value === 'string' && /^\s*\[/.test(value);
  return {
    code: 'FOR_EACH_NOT_A_LIST',
    message: `forEach must yield a list, and it yielded ${kindOf(value)}: ${shown}.`,
    remedy: looksLikeJson
      ? `Let ${where} write the list as JSON: ${output}:=[…] in $GANTRY_OUTPUT. With ${output}=[…] the value is text.`
      : `Let ${where} hand on a JSON list: in $GANTRY_OUTPUT, ${output}:=["a","b"] writes one; ${output}=… writes text.`,
  };
}

function kindOf(value: Json): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'the text';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'number' ? 'a number' : 'a boolean';
}

const isList = (value: Json | Reason): value is readonly Json[] => Array.isArray(value);

/** Puts a task run that may start into the queue, or holds it back while its run is paused. */
export function queueTaskRun(step: Step, taskRun: EngineTaskRun): void {
  if (taskRun.owner.state === 'PAUSED') {
    step.taskRunState(taskRun, 'BLOCKED');
    return;
  }
  taskRun.readyAt = step.now;
  step.taskRunState(taskRun, 'READY');
}
