import type { Json, JsonObject, Resources } from '@gantry/plugin-kit/vocabulary';
import type { Param, PipelineDefinition } from '../domain/pipeline.ts';
import type { LabelRule } from '../domain/label-rule.ts';
import type { PlacementRules } from '../domain/placement-rules.ts';
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
export function canonicalForm({ name, description, pool, priority, params, tasks }: PipelineDefinition): JsonObject {
  // Most tasks share the default resources, and with 100,000 tasks that is worth knowing.
  const known = new Map<Resources, Json>();
  const names = Object.keys(params).toSorted();
  return {
    description,
    name,
    params: Object.fromEntries(names.map((each) => [each, paramForm(params[each] as Param)])),
    pool,
    priority,
    tasks: tasks.map((task) => {
      let resources = known.get(task.resources);
      if (resources === undefined) known.set(task.resources, (resources = quantities(task.resources)));
      return taskForm(task, resources);
    }),
  };
}

function paramForm({ type, description, default: value, options }: Param): JsonObject {
  return {
    ...(value === undefined ? {} : { default: sorted(value) }),
    description,
    ...(options === undefined ? {} : { options: sorted(options) }),
    type,
  };
}

/** Written in the order of the alphabet: to sort 100,000 of them costs more than everything else here. */
function taskForm(task: Task, resources: Json): JsonObject {
  const form: Record<string, Json> = {
    allowFailure: task.allowFailure,
    description: task.description,
    env: sorted(task.env),
  };
  if (task.forEach !== null) form['forEach'] = sorted(task.forEach);
  if (task.idempotent !== null) form['idempotent'] = task.idempotent;
  form['key'] = task.key;
  form['killGrace'] = formatDuration(task.killGraceMs);
  form['needs'] = task.needs;
  form['nodeSelector'] = sorted(task.nodeSelector);
  if (task.placement !== null) form['placement'] = placementForm(task.placement);
  form['resources'] = resources;
  form['retry'] = {
    backoff: task.retry.backoff,
    delay: formatDuration(task.retry.delayMs),
    max: task.retry.max,
    maxDelay: formatDuration(task.retry.maxDelayMs),
  };
  form['runner'] = task.runner;
  if (task.timeoutMs !== null) form['timeout'] = formatDuration(task.timeoutMs);
  form['tolerations'] = task.tolerations.map(({ key, value }) => (value === undefined ? { key } : { key, value }));
  form['with'] = sorted(task.with);
  return form;
}

const RULE_FIELDS: Readonly<Record<LabelRule['operator'], string>> = {
  IN: 'in',
  NOT_IN: 'notIn',
  EXISTS: 'exists',
  ABSENT: 'exists',
  GREATER: 'gt',
  LESS: 'lt',
  MATCHES: 'matches',
  VERSION: 'version',
  CONTAINS_ALL: 'contains',
  CONTAINS_ANY: 'containsAny',
};

function ruleForm({ label, operator, values }: LabelRule): JsonObject {
  const [value = ''] = values;
  switch (operator) {
    case 'EXISTS':
    case 'ABSENT':
      return { exists: operator === 'EXISTS', label };
    case 'GREATER':
    case 'LESS':
      return { [RULE_FIELDS[operator]]: Number(value), label };
    case 'MATCHES':
    case 'VERSION':
      return { label, [RULE_FIELDS[operator]]: value };
    case 'IN':
    case 'NOT_IN':
    case 'CONTAINS_ALL':
    case 'CONTAINS_ANY':
      return sorted({ [RULE_FIELDS[operator]]: values, label }) as JsonObject;
    default:
      return operator satisfies never;
  }
}

/** Placement rules as a pipeline writes them. */
export function placementForm({ require, prefer, perNode, exclusive, spread, near, gang }: PlacementRules): JsonObject {
  const form: Record<string, Json> = {};
  if (exclusive) form['exclusive'] = true;
  if (gang !== null) form['gang'] = gang.timeoutMs === null ? true : { timeout: formatDuration(gang.timeoutMs) };
  if (perNode !== null) form['maxPerNode'] = { among: perNode.among.toLowerCase(), max: perNode.max };
  if (near !== null) form['near'] = { required: near.required, task: near.task, weight: near.weight };
  if (prefer.length > 0) form['prefer'] = prefer.map((rule) => ({ ...ruleForm(rule), weight: rule.weight }));
  if (require.length > 0) form['require'] = require.map(ruleForm);
  if (spread !== null) form['spread'] = { by: spread.label, required: spread.required };
  return form;
}

function quantities(resources: Resources): JsonObject {
  const names = Object.keys(resources).toSorted();
  return Object.fromEntries(names.map((name) => [name, formatQuantity(name, resources[name] ?? 0)]));
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
