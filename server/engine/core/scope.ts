import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import type { EngineRun, EngineTaskRun } from './pool-state.ts';

/** What attempts of a task may read: `{ params, run, tasks: { <key>: { outputs } } }`. */
function scopeOf(run: EngineRun, index: number): JsonObject {
  let scope = run.scopes.get(index);
  if (!scope) {
    scope = scopeWith(run, run.plan.inputs[index]!);
    run.scopes.set(index, scope);
  }
  return scope;
}

/** A scope that holds the outputs of the given tasks. */
export function scopeWith(run: EngineRun, taskIndexes: readonly number[]): JsonObject {
  const tasks: Record<string, Json> = {};
  for (const index of taskIndexes) {
    tasks[run.plan.definition.tasks[index]!.key] = { outputs: outputsOf(run, index) };
  }
  return { params: run.params, run: { id: run.id }, tasks };
}

/** The scope of one task run: with `item` and `index` where its task has fanned out. */
export function scopeOfTaskRun(taskRun: EngineTaskRun): JsonObject {
  const scope = scopeOf(taskRun.owner, taskRun.taskIndex);
  if (taskRun.mapIndex === null) return scope;
  const item = taskRun.owner.items.get(taskRun.taskIndex)?.[taskRun.mapIndex] ?? null;
  return { ...scope, item, index: taskRun.mapIndex };
}

/** A task's outputs; of a fan-out, the list of its instances' outputs by map index. Null for what produced none. */
function outputsOf(run: EngineRun, index: number): Json {
  const instances = run.instances.get(index);
  if (instances) return instances.map((instance) => instance.outputs);
  return run.taskRuns[index]!.outputs;
}
