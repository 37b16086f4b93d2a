import type { Json, JsonObject, Resources } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from '../domain/excerpt.ts';
import { hasExpression, parseReferences } from '../domain/expression.ts';
import { isResourceName, parseQuantity } from '../domain/resources.ts';
import type { RetryPolicy, Task, Toleration } from '../domain/task.ts';
import { formatDuration, parseDuration } from '../domain/time.ts';
import { checkEnv } from './check-env.ts';
import { checkPlacement } from './check-placement.ts';
import { MAX_ENTRIES } from './limits.ts';
import type { Path, ProblemList } from './problem.ts';
import { EXPRESSION_FIELDS, type ReadTask } from './read-form.ts';
import type { TaskForm } from './schema.ts';

/** What a task reserves unless it says otherwise, resource by resource. */
export const DEFAULT_RESOURCES: Resources = Object.freeze({ cpu: 100, memory: 64 << 20, slots: 1 });

/** How a task is retried unless it says otherwise. */
export const DEFAULT_RETRY: RetryPolicy = Object.freeze({
  max: 0,
  backoff: 'exponential',
  delayMs: 1000,
  maxDelayMs: 300_000,
});

/** Between the soft and the hard stop, unless the task says otherwise. */
export const DEFAULT_KILL_GRACE_MS = 10_000;

const LABEL_KEY = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$/;

// Shared by all tasks that say nothing: a pipeline may have 100,000 of them.
const NO_CONFIG: JsonObject = Object.freeze({});
const NO_TEXTS: Readonly<Record<string, string>> = Object.freeze({});
const NO_TOLERATIONS: readonly Toleration[] = Object.freeze([]);
const NO_NEEDS: readonly string[] = Object.freeze([]);

/** What a pipeline says for those of its tasks that do not say so themselves. */
export interface TaskDefaults {
  readonly idempotent: boolean | null;
}

/** A task with every default filled in. What is wrong is in the list; the value is then of no use. */
export function checkTask({ index, form }: ReadTask, defaults: TaskDefaults, problems: ProblemList): Task {
  const path: Path = ['tasks', index];
  const { description: _description, with: config, env, forEach: _forEach, ...plain } = form;
  if (hasExpression(plain as Json)) {
    addMisplacedExpressions(plain as JsonObject, path, problems);
    // One mistake, one problem: as quantities and names they are wrong anyway.
    const bare = { index, form: { key: form.key, runner: form.runner }, isUncertain: true };
    return checkTask(bare, defaults, problems);
  }
  if (env !== undefined) checkEnv(env, [...path, 'env'], problems);
  const needs = needsOf(form);
  return {
    key: form.key,
    description: form.description ?? '',
    runner: form.runner,
    with: (config as JsonObject | undefined) ?? NO_CONFIG,
    env: env ?? NO_TEXTS,
    needs,
    forEach: forEachOf(form, path, problems),
    resources: resourcesOf(form, path, problems),
    nodeSelector: labelsOf(form, path, problems),
    tolerations: tolerationsOf(form),
    placement: checkPlacement(form.placement, needs, path, problems),
    retry: retryOf(form, path, problems),
    timeoutMs: form.timeout === undefined ? null : timeoutOf(form.timeout, path, problems),
    killGraceMs: durationOf(form.killGrace, DEFAULT_KILL_GRACE_MS, [...path, 'killGrace'], problems),
    allowFailure: form.allowFailure ?? false,
    onNodeLost: 'RETRY',
    idempotent: form.idempotent ?? defaults.idempotent,
  };
}

/** Expressions are rendered in three fields only; anywhere else they would be taken as they are. */
export function addMisplacedExpressions(fields: JsonObject, path: Path, problems: ProblemList): void {
  for (const [name, value] of Object.entries(fields)) {
    if (!hasExpression(value)) continue;
    const parsed = parseReferences(value);
    const at = parsed.ok ? (parsed.references[0]?.at ?? []) : parsed.problem.at;
    problems.add({
      code: 'EXPRESSION_NOT_ALLOWED',
      message: `“${excerpt([name, ...at].join('.'))}” cannot hold an expression.`,
      path: [...path, name, ...at],
      suggestion: EXPRESSION_FIELDS,
    });
  }
}

function needsOf({ needs }: TaskForm): readonly string[] {
  if (needs === undefined || needs.length === 0) return NO_NEEDS;
  return typeof needs === 'string' ? [needs] : [...new Set(needs)];
}

function forEachOf({ forEach }: TaskForm, path: Path, problems: ProblemList): readonly Json[] | string | null {
  if (forEach === undefined) return null;
  if (typeof forEach !== 'string') return forEach as readonly Json[];
  const parsed = parseReferences(forEach);
  const [reference, second] = parsed.ok ? parsed.references : [];
  // What is wrong inside an expression is reported with all other expressions.
  const isOne =
    !parsed.ok ||
    (reference !== undefined && second === undefined && forEach.startsWith('${{') && forEach.trimEnd().endsWith('}}'));
  if (!isOne) {
    problems.add({
      code: 'BAD_FOR_EACH',
      message: '“forEach” must be a list or exactly one expression.',
      path: [...path, 'forEach'],
      suggestion: 'Write a list, or for example ${{ tasks.split.outputs.parts }} and nothing around it.',
    });
  }
  return forEach;
}

function resourcesOf({ resources }: TaskForm, path: Path, problems: ProblemList): Resources {
  if (resources === undefined) return DEFAULT_RESOURCES;
  const names = Object.keys(resources);
  if (names.length > MAX_ENTRIES) {
    const message = `“resources” may have at most ${MAX_ENTRIES} names.`;
    problems.add({ code: 'OUT_OF_RANGE', message, path: [...path, 'resources'] });
    return DEFAULT_RESOURCES;
  }
  const amounts: Record<string, number> = { ...DEFAULT_RESOURCES };
  for (const name of names) {
    const place = [...path, 'resources', name];
    if (!isResourceName(name)) {
      const message = `The name “${excerpt(name)}” of a resource must be lower case letters, digits, “.”, “-” and “/”, at most 63.`;
      problems.add({ code: 'BAD_NAME', message, path: place, place: 'KEY' });
      continue;
    }
    const parsed = parseQuantity(name, resources[name] ?? 0);
    if (parsed.ok) amounts[name] = parsed.amount;
    else problems.add({ ...parsed.reason, path: place, suggestion: parsed.reason.remedy });
  }
  return amounts;
}

function labelsOf({ nodeSelector }: TaskForm, path: Path, problems: ProblemList): Readonly<Record<string, string>> {
  if (nodeSelector === undefined) return NO_TEXTS;
  const names = Object.keys(nodeSelector);
  if (names.length > MAX_ENTRIES) {
    const message = `“nodeSelector” may have at most ${MAX_ENTRIES} labels.`;
    problems.add({ code: 'OUT_OF_RANGE', message, path: [...path, 'nodeSelector'] });
  }
  for (const name of names) {
    if (LABEL_KEY.test(name)) continue;
    const message = `The label “${excerpt(name)}” must be letters, digits, “.”, “-”, “_” and “/”, at most 253.`;
    problems.add({ code: 'BAD_NAME', message, path: [...path, 'nodeSelector', name], place: 'KEY' });
  }
  return nodeSelector;
}

function tolerationsOf({ tolerations }: TaskForm): readonly Toleration[] {
  if (tolerations === undefined || tolerations.length === 0) return NO_TOLERATIONS;
  return tolerations.map(({ key, value }) => (value === undefined || value === null ? { key } : { key, value }));
}

function retryOf({ retry }: TaskForm, path: Path, problems: ProblemList): RetryPolicy {
  if (retry === undefined) return DEFAULT_RETRY;
  if (typeof retry === 'number') return { ...DEFAULT_RETRY, max: retry };
  const delayMs = durationOf(retry.delay, DEFAULT_RETRY.delayMs, [...path, 'retry', 'delay'], problems);
  const longest = [...path, 'retry', 'maxDelay'];
  const maxDelayMs = durationOf(retry.maxDelay, Math.max(DEFAULT_RETRY.maxDelayMs, delayMs), longest, problems);
  if (maxDelayMs < delayMs) {
    const message = `“maxDelay” is shorter than the delay, which is ${formatDuration(delayMs)}.`;
    const suggestion = `Write at least ${formatDuration(delayMs)}, or a shorter delay.`;
    problems.add({ code: 'OUT_OF_RANGE', message, path: longest, suggestion });
  }
  return { max: retry.max, backoff: retry.backoff ?? DEFAULT_RETRY.backoff, delayMs, maxDelayMs };
}

function timeoutOf(timeout: string | number, path: Path, problems: ProblemList): number {
  const place = [...path, 'timeout'];
  const timeoutMs = durationOf(timeout, 1, place, problems);
  if (timeoutMs === 0) {
    const message = '“timeout” must be longer than 0, or every try would end at once.';
    problems.add({ code: 'OUT_OF_RANGE', message, path: place, suggestion: 'Leave it out for no timeout.' });
  }
  return timeoutMs;
}

function durationOf(
  written: string | number | undefined,
  otherwise: number,
  path: Path,
  problems: ProblemList,
): number {
  if (written === undefined) return otherwise;
  const parsed = parseDuration(written);
  if (parsed.ok) return parsed.ms;
  problems.add({ ...parsed.reason, path, suggestion: parsed.reason.remedy });
  return otherwise;
}
