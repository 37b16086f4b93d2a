import { isTerminalAttempt } from '../../domain/attempt.ts';
import type { RecoveredRun } from '../../domain/input.ts';
import { isActiveTaskRun, isTerminalTaskRun, type TaskRun } from '../../domain/task-run.ts';

/**
 * What of a run does not fit together, in a sentence; null when all does. The rows can be read one by one, and the
 * engine would trip over them all the same: the run is set aside instead.
 */
export function misfitOf(
  { run, definition, taskRuns }: RecoveredRun,
  nodes: ReadonlyMap<string, unknown>,
): string | null {
  const { tasks } = definition;
  if (taskRuns.length !== run.taskRunCount)
    return `Run ${run.id} should have ${run.taskRunCount} task runs; ${taskRuns.length} are stored.`;
  if (taskRuns.length < tasks.length)
    return `Run ${run.id} has ${taskRuns.length} task runs for ${tasks.length} tasks.`;
  const known = new Set(tasks.map(({ key }) => key));
  const mapIndexes = new Map<string, Set<number>>();
  let finished = 0;
  for (const [ordinal, taskRun] of taskRuns.entries()) {
    const misfit = misfitOfTaskRun(taskRun, ordinal, ordinal < tasks.length ? tasks[ordinal]!.key : null, known, nodes);
    if (misfit !== null) return `Task run ${run.id}.${ordinal} ${misfit}.`;
    if (isTerminalTaskRun(taskRun.state)) finished++;
    if (taskRun.mapIndex === null) continue;
    let indexes = mapIndexes.get(taskRun.taskKey);
    if (indexes === undefined) mapIndexes.set(taskRun.taskKey, (indexes = new Set()));
    indexes.add(taskRun.mapIndex);
  }
  if (finished !== run.finishedCount)
    return `Run ${run.id} counts ${run.finishedCount} task runs that have ended; there are ${finished}.`;
  if (finished === taskRuns.length) return `Run ${run.id} is ${run.state}, and all of its task runs have ended.`;
  const instances = new Map<string, number>();
  for (const { taskKey } of taskRuns) instances.set(taskKey, (instances.get(taskKey) ?? 0) + 1);
  for (const [taskKey, count] of instances) {
    const indexes = mapIndexes.get(taskKey);
    const isWhole = indexes === undefined ? count === 1 : indexes.size === count && Math.max(...indexes) === count - 1;
    if (!isWhole) return `The ${count} instances of task ${taskKey} of run ${run.id} are not numbered from 0.`;
  }
  return null;
}

function misfitOfTaskRun(
  { ordinal: stored, taskKey, mapIndex, state, attempt, readyAt, failures, losses }: TaskRun,
  ordinal: number,
  expectedKey: string | null,
  known: ReadonlySet<string>,
  nodes: ReadonlyMap<string, unknown>,
): string | null {
  if (stored !== ordinal) return 'is missing';
  if (!known.has(taskKey) || (expectedKey !== null && taskKey !== expectedKey))
    return `is of task ${taskKey}, which is not at its place in its pipeline version`;
  if (mapIndex !== null && mapIndex < 0) return `is the instance ${mapIndex} of its task`;
  if (failures < 0 || losses < 0) return `has failed ${failures} times and been lost ${losses} times`;
  const isAlive = attempt !== null && !isTerminalAttempt(attempt.state);
  if (isAlive !== isActiveTaskRun(state)) return `is ${state}, its attempt ${attempt?.state ?? 'missing'}`;
  if (attempt !== null && attempt.number < 1) return `has the attempt ${attempt.number}`;
  if (isAlive && !nodes.has(attempt.node)) return `is on node ${attempt.node}, which is not stored`;
  if (state === 'READY' && readyAt === null) return 'is READY since never';
  return null;
}
