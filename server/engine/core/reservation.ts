import type { EngineNode, EngineTaskRun } from './pool-state.ts';
import type { Step } from './step.ts';

/** Reserves what a task run needs. Over-commit is a bug of ours and throws (I4). */
export function hold(step: Step, node: EngineNode, taskRun: EngineTaskRun): void {
  const { resources } = taskRun.task;
  for (const name in resources) {
    const amount = resources[name]!;
    if (amount === 0) continue;
    const reserved = (node.reserved[name] ?? 0) + amount;
    if (reserved > (node.capacity[name] ?? 0)) {
      throw new Error(`I4: node ${node.name} has ${node.capacity[name] ?? 0} ${name}; ${reserved} would be reserved.`);
    }
    node.reserved[name] = reserved;
  }
  node.live.add(taskRun);
  node.runningCount = node.live.size;
  step.nodeTouched(node);
}

/** Gives back what a task run held. */
export function letGo(step: Step, node: EngineNode, taskRun: EngineTaskRun): void {
  if (!node.live.delete(taskRun))
    throw new Error(`I4: ${taskRun.run}.${taskRun.ordinal} holds nothing on ${node.name}.`);
  const { resources } = taskRun.task;
  for (const name in resources) {
    const amount = resources[name]!;
    if (amount !== 0) node.reserved[name] = node.reserved[name]! - amount;
  }
  node.runningCount = node.live.size;
  step.nodeTouched(node);
  step.placement.released.push({
    taskRun,
    node: node.name,
    attempt: taskRun.attempt!.number,
    gpus: taskRun.attempt!.gpus ?? [],
  });
}
