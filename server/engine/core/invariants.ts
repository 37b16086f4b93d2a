import { isTerminalAttempt } from '../../domain/attempt.ts';
import { MAX_LOSSES } from '../../domain/retry.ts';
import { isTerminalRun } from '../../domain/run.ts';
import { isActiveTaskRun, isTerminalTaskRun } from '../../domain/task-run.ts';
import type { EngineTaskRun, PoolState } from './pool-state.ts';
import { endedWell } from './outcome-of-task.ts';

/** A promise that does not hold (reliability.md §2). */
export interface Violation {
  readonly invariant: 'I1' | 'I3' | 'I4' | 'I7' | 'I10' | 'I11';
  readonly message: string;
}

/** Checks what must be true of a pool between two steps. Empty when all is well. */
export function violations(pool: PoolState): readonly Violation[] {
  const found: Violation[] = [];
  const blame = (invariant: Violation['invariant'], message: string) => found.push({ invariant, message });
  const held = new Map<string, Record<string, number>>();
  for (const run of pool.runs.values()) {
    if (isTerminalRun(run.state)) blame('I3', `Run ${run.id} is ${run.state} and still held.`);
    if (run.taskRuns.every(({ state }) => isTerminalTaskRun(state)))
      blame('I3', `Run ${run.id} has nothing left to do and has not ended.`);
    for (const taskRun of run.taskRuns) {
      checkTaskRun(pool, taskRun, blame);
      if (!isActiveTaskRun(taskRun.state)) continue;
      const node = taskRun.attempt?.node ?? '';
      const amounts = held.get(node) ?? {};
      for (const [name, amount] of Object.entries(taskRun.task.resources))
        amounts[name] = (amounts[name] ?? 0) + amount;
      held.set(node, amounts);
    }
  }
  for (const node of pool.nodes.values()) {
    const amounts = held.get(node.name) ?? {};
    for (const name of new Set([...Object.keys(amounts), ...Object.keys(node.reserved)])) {
      const expected = amounts[name] ?? 0;
      const reserved = node.reserved[name] ?? 0;
      if (expected !== reserved)
        blame('I4', `Node ${node.name} has ${reserved} ${name} reserved; its attempts hold ${expected}.`);
    }
  }
  return found;
}

function checkTaskRun(
  pool: PoolState,
  taskRun: EngineTaskRun,
  blame: (invariant: Violation['invariant'], message: string) => void,
): void {
  const name = `${taskRun.run}.${taskRun.ordinal}`;
  const { attempt, state, owner } = taskRun;
  const isAlive = attempt !== null && !isTerminalAttempt(attempt.state);
  if (isAlive !== isActiveTaskRun(state)) blame('I1', `${name} is ${state}, its attempt ${attempt?.state ?? 'none'}.`);
  if (isAlive && !pool.nodes.get(attempt.node)?.live.has(taskRun))
    blame('I4', `${name} runs on ${attempt.node}, which does not know it.`);
  if (state === 'BACKOFF' && taskRun.dueAt === null) blame('I7', `${name} waits for a retry that has no time.`);
  if (state === 'READY' && taskRun.readyAt === null) blame('I7', `${name} is READY since never.`);
  if (state === 'WAITING' && owner.needsLeft[taskRun.taskIndex] === 0) blame('I7', `${name} waits for nothing.`);
  if (
    attempt !== null &&
    !owner.plan.graph.needs[taskRun.taskIndex]!.every(
      (need) => owner.instancesLeft[need] === 0 && endedWell(owner, need),
    )
  ) {
    blame('I10', `${name} has an attempt although its needs are unmet.`);
  }
  if (attempt !== null && attempt.number < taskRun.failures + taskRun.losses)
    blame('I11', `${name} paid ${taskRun.failures + taskRun.losses} times for ${attempt.number} attempts.`);
  if (taskRun.losses > MAX_LOSSES + 1) blame('I11', `${name} was lost ${taskRun.losses} times.`);
  if (taskRun.failures > taskRun.task.retry.max + 1) blame('I11', `${name} failed ${taskRun.failures} times.`);
}
