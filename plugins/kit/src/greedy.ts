import { BestNodes, namedFor, type NodeScore } from './best-nodes.ts';
import { Reservations } from './reservations.ts';
import type { Decision, PendingTask, PlacementInput, PlacementOutput, ReservePolicy } from './scheduler.ts';
import type { Json } from './vocabulary.ts';

export { Cluster } from './cluster.ts';

/* Greedy placement: task by task, each to the node that scores best and still has room. */

/** What makes a greedy scheduler. */
export interface GreedyRules {
  /** How good a node is for a shape; higher is better, ties go to the node with the lower index. NaN throws. */
  readonly score: NodeScore;
  /** Which task comes first, as for Array.sort. Default: higher priority, then longer waiting. */
  order?(one: PendingTask, other: PendingTask): number;
  /** How many of the best nodes each decision names with their scores. Default 0; costs a scan of all nodes per task. */
  readonly considered?: number;
  /** For whom nodes are held, as `reserves` says; default null: for nobody. */
  readonly reserve?: ReservePolicy | null;
  /**
   * What the greatest preference of a task for a node adds to the score; the greatest dislike takes as much from it.
   * Default 1, which outweighs any score that is a share.
   */
  readonly preferenceWeight?: number;
}

/** The more urgent task first: higher priority, then longer waiting. */
const byPriority = (one: PendingTask, other: PendingTask): number =>
  other.priority - one.priority || one.readySince - other.readySince;

/**
 * Makes a `place` from a score. Each task goes to the best feasible node that has room; one that fits nowhere stays
 * pending. `rules` is called once per call. Keeps the memory as it is.
 */
export function greedy<Config>(
  rules: (config: Config, input: PlacementInput<Config, Json>) => GreedyRules,
): <Memory extends Json>(input: PlacementInput<Config, Memory>) => PlacementOutput<Memory> {
  return (input) => {
    if (input.tasks.length === 0) return { decisions: [], memory: input.memory };
    const { order, considered = 0, reserve = null, ...choosing } = rules(input.config, input);
    const { nodes, resources, shapes } = input;
    const { config } = input;
    const kept = typeof config === 'object' && config !== null ? { keptWith: config } : {};
    const choices = new BestNodes({ nodes, resources, shapes, taskCounts: countTasks(input), ...kept, ...choosing });
    const reservations = new Reservations(input, choices, reserve);
    const decisions: Decision[] = [];
    for (const task of inOrder(input.tasks, order)) {
      const node = choices.best(task.shape);
      if (node < 0) {
        reservations.passOver(task);
        continue;
      }
      decisions.push(choices.place(task, node, Math.max(considered, namedFor(task.key, input))));
    }
    return { decisions, memory: input.memory, ...reservations.output };
  };
}

/** How many tasks of each shape there are. */
export function countTasks({ tasks, shapes }: Pick<PlacementInput, 'tasks' | 'shapes'>): Uint32Array {
  const counts = new Uint32Array(shapes.length);
  for (const { shape } of tasks) counts[shape]!++;
  return counts;
}

/** The tasks of a call in the order in which they should be placed; without `order` the more urgent first. */
export function inOrder(
  tasks: readonly PendingTask[],
  order: (one: PendingTask, other: PendingTask) => number = byPriority,
): readonly PendingTask[] {
  // Mostly they come in the right order already.
  for (let at = 1; at < tasks.length; at++) {
    if (order(tasks[at - 1]!, tasks[at]!) > 0) return tasks.toSorted(order);
  }
  return tasks;
}
