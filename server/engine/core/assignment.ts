import type { Json, JsonObject, Reason } from '@gantry/plugin-kit/vocabulary';
import { render, type SecretPlace } from '../../domain/expression.ts';
import type { AttemptSpec } from '../../domain/effect.ts';
import { attemptId } from '../../domain/ids.ts';
import type { EngineRun, EngineTaskRun } from './pool-state.ts';
import { scopeOfTaskRun } from './scope.ts';

const NO_SECRETS: readonly SecretPlace[] = Object.freeze([]);

/** Everything an agent needs for the latest attempt of a task run, or why its expressions cannot be rendered. */
export function assignmentOf(taskRun: EngineTaskRun): { readonly spec: AttemptSpec } | { readonly refusal: Reason } {
  const { owner, task, attempt } = taskRun;
  const scope = scopeOfTaskRun(taskRun);
  let config = task.with;
  let secrets: readonly SecretPlace[] = NO_SECRETS;
  let env = baseEnv(owner, taskRun, scope);
  if (owner.plan.isLiteral[taskRun.taskIndex]) {
    env = isEmpty(task.env) ? env : { ...env, ...task.env };
  } else {
    const places: SecretPlace[] = [];
    const rendered = render({ with: task.with, env: task.env }, scope, places);
    if (!rendered.ok) return { refusal: rendered.reason };
    const value = rendered.value as { with: JsonObject; env: JsonObject };
    config = value.with;
    env = { ...env, ...asEnv(value.env) };
    secrets = places;
  }
  if (attempt!.gpus !== undefined) env = { ...env, ...gpuEnv(attempt!.gpus) };
  return {
    spec: {
      attempt: attemptId(owner.id, taskRun.ordinal, attempt!.number),
      number: attempt!.number,
      run: owner.id,
      pipeline: owner.pipeline,
      taskKey: task.key,
      mapIndex: taskRun.mapIndex,
      runner: task.runner,
      with: config,
      env,
      secrets,
      inputs: scope,
      resources: task.resources,
      gpus: attempt!.gpus ?? [],
      timeoutMs: task.timeoutMs,
      killGraceMs: task.killGraceMs,
    },
  };
}

/** `GANTRY_PARAM_<NAME>`, and for an instance of a fan-out `GANTRY_ITEM` and `GANTRY_INDEX`. */
function baseEnv(run: EngineRun, taskRun: EngineTaskRun, scope: JsonObject): Readonly<Record<string, string>> {
  run.paramEnv ??= Object.freeze(
    asEnv(Object.fromEntries(Object.entries(run.params).map(([name, value]) => [paramVariable(name), value]))),
  );
  if (taskRun.mapIndex === null) return run.paramEnv;
  return { ...run.paramEnv, GANTRY_ITEM: asText(scope['item'] ?? null), GANTRY_INDEX: String(taskRun.mapIndex) };
}

/** The environment variable that hands a param to a command. */
export const paramVariable = (name: string): string => `GANTRY_PARAM_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;

/** What CUDA and NVIDIA's container tools look at; the author of the task cannot widen it. */
function gpuEnv(gpus: readonly number[]): Readonly<Record<string, string>> {
  const list = gpus.join(',');
  return { CUDA_VISIBLE_DEVICES: list, NVIDIA_VISIBLE_DEVICES: list, GANTRY_GPUS: list };
}

function asEnv(values: JsonObject): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, asText(value)]));
}

/** Strings as they are, everything else as JSON. */
const asText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}
