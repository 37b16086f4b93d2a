import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import type { PipelineDefinition } from '../domain/pipeline.ts';
import { DEFAULT_POOL } from '../domain/pool.ts';
import { checkExpressions } from './check-expressions.ts';
import { checkGraph } from './check-graph.ts';
import { checkParamForms } from './check-params.ts';
import { checkRunner, type RunnerChecks } from './check-runner.ts';
import { checkTask } from './check-task.ts';
import type { ProblemList } from './problem.ts';
import type { ReadForm } from './read-form.ts';

/** What the parts of a pipeline mean together. Null when something is wrong; then it is in the list. */
export function checkPipeline(form: ReadForm, checks: RunnerChecks, problems: ProblemList): PipelineDefinition | null {
  const params = checkParamForms(form.params, problems);
  const defaults = { idempotent: form.header?.idempotent ?? null };
  const tasks = [];
  for (const task of form.tasks) {
    if (problems.isFull) return null;
    tasks.push(checkTask(task, defaults, problems));
    const config = (task.form.with ?? {}) as JsonObject;
    if (task.form.runner === '') continue;
    const { runner, env = {} } = task.form;
    checkRunner({ index: task.index, runner, config, env }, checks, problems);
  }
  const graph = checkGraph(form, problems);
  checkExpressions(form, graph, problems);
  if (form.header === null || !problems.isEmpty) return null;
  const { name, description = '', pool = DEFAULT_POOL, priority = 0 } = form.header;
  return frozen({ name, description, pool, priority, params, tasks });
}

/** Freezes everything below: a definition is shared by all runs of its version. At most MAX_DEPTH deep. */
function frozen<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value) as readonly (Json | undefined)[]) {
    if (typeof inner === 'object' && inner !== null && !Object.isFrozen(inner)) frozen(inner);
  }
  return Object.freeze(value);
}
