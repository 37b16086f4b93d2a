import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import type { EngineRun, EngineTaskRun } from './pool-state.ts';

/** What a task's expressions and attempts may read: `{ params, run, tasks: { <key>: { outputs } } }`. */
export function scopeOf(run: EngineRun, index: number): JsonObject {
  let scope = run.scopes.get(index);
  if (!scope) {
    const tasks: Record<string, Json> = {};
    for (const upstream of run.plan.inputs[index]!) {
      tasks[run.plan.definition.tasks[upstream]!.key] = { outputs: outputsOf(run, upstream) };
    }
    scope = { params: run.params, run: { id: run.id }, tasks };
    run.scopes.set(index, scope);
  }
  return scope;
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
