import type { Json, JsonObject, Resources } from '@gantry/plugin-kit/vocabulary';
import type { Param, PipelineDefinition } from '../domain/pipeline.ts';
import { formatQuantity } from '../domain/resources.ts';
import type { Task } from '../domain/task.ts';
import { formatDuration } from '../domain/time.ts';

/**
 * The definition in the author's form, with every default written out, as JSON with sorted keys: equal texts mean equal
 * pipelines, however they were written. It can be applied again and gives the same definition.
 */
export function canonicalText(definition: PipelineDefinition): string {
  return JSON.stringify(canonicalForm(definition));
}

/** The same as plain data, to be written as YAML. */
export function canonicalForm(definition: PipelineDefinition): JsonObject {
  const { name, description, pool, priority, params, tasks } = definition;
  return sorted({
    name,
    description,
    pool,
    priority,
    params: Object.fromEntries(Object.entries(params).map(([key, param]) => [key, paramForm(param)])),
    tasks: tasks.map(taskForm),
  }) as JsonObject;
}

function paramForm({ type, description, default: value, options }: Param): JsonObject {
  return {
    type,
    description,
    ...(value === undefined ? {} : { default: value }),
    ...(options === undefined ? {} : { options }),
  };
}

function taskForm(task: Task): JsonObject {
  const { key, description, runner, env, needs, nodeSelector, allowFailure, retry } = task;
  return {
    key,
    description,
    runner,
    with: task.with,
    env,
    needs,
    ...(task.forEach === null ? {} : { forEach: task.forEach }),
    resources: quantities(task.resources),
    nodeSelector,
    tolerations: task.tolerations.map(({ key: taint, value }) =>
      value === undefined ? { key: taint } : { key: taint, value },
    ),
    retry: {
      max: retry.max,
      backoff: retry.backoff,
      delay: formatDuration(retry.delayMs),
      maxDelay: formatDuration(retry.maxDelayMs),
    },
    ...(task.timeoutMs === null ? {} : { timeout: formatDuration(task.timeoutMs) }),
    killGrace: formatDuration(task.killGraceMs),
    allowFailure,
  };
}

function quantities(resources: Resources): JsonObject {
  return Object.fromEntries(Object.entries(resources).map(([name, amount]) => [name, formatQuantity(name, amount)]));
}

/** The same value with the keys of every object in order. A definition is at most MAX_DEPTH deep. */
function sorted(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted);
  const object = value as JsonObject;
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(object).toSorted()) copy[key] = sorted(object[key] ?? null);
  return copy;
}
