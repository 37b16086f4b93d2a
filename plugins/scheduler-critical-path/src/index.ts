import { BestNodes, namedFor, type NodeScore } from '@gantry/plugin-kit/best-nodes';
import { countTasks } from '@gantry/plugin-kit/greedy';
import {
  defineScheduler,
  zodConfig,
  type Decision,
  type PendingTask,
  type PlacementInput,
} from '@gantry/plugin-kit/scheduler';
import { fullest } from '@gantry/plugin-kit/scores';
import { config, type Config } from './config.ts';
import { planOrder } from './plan-order.ts';
import { speedOf } from './speed.ts';
import { urgencyOf } from './urgency.ts';

/**
 * What most work waits for goes first: of equal priority, the task with the highest upward rank, which is how long it
 * takes from its start to the end of its run by the longest way. Each goes to the node where it ends first: the fastest
 * with room, and of these the fullest.
 *
 * When not everything that is ready fits at once, whose turn it is matters, and the rank alone is not always right. Then
 * it plans: it tries schedules of everything that is running, ready and to come, and places what the shortest of them
 * starts now. It never leaves a node idle on purpose. How much it tries is counted in schedules, not in time.
 *
 * Source: HEFT (H. Topcuoglu, S. Hariri, M. Wu, 2002) for rank and choice of node; the schedules tried are perturbed
 * lists improved by forward and backward passes (K. Li, R. Willis, An iterative scheduling technique for
 * resource-constrained project scheduling, 1992).
 */
export default defineScheduler<Config>({
  name: 'critical-path',
  version: '1.0.0',
  summary: 'Places first what most work waits for, each task where it ends first; plans ahead when nodes are scarce.',
  config: zodConfig(config),
  wants: ({ lookAhead }) => (lookAhead === 0 ? ['forecast'] : ['forecast', 'running', 'upcoming']),

  place(input) {
    const byUrgency = urgencyOf(input);
    const ranked = input.tasks.toSorted(byUrgency);
    const decisions = placeInOrder(input, ranked);
    if (input.config.lookAhead === 0 || decisions.length === input.tasks.length) {
      return { decisions, memory: input.memory };
    }
    const planned = planOrder(input, ranked);
    return { decisions: planned === null ? decisions : placeInOrder(input, planned), memory: input.memory };
  },
});

function placeInOrder(input: PlacementInput<Config>, tasks: readonly PendingTask[]): readonly Decision[] {
  const { nodes, resources, shapes } = input;
  const score = earliestEnd(input);
  const choices = new BestNodes({ nodes, resources, shapes, score, taskCounts: countTasks(input) });
  const decisions: Decision[] = [];
  for (const task of tasks) {
    const node = choices.best(task.shape);
    if (node >= 0) decisions.push(choices.place(task, node, namedFor(task.key, input)));
  }
  return decisions;
}

/** The fastest node, then the fullest: scores of fullness lie between −2 and 0. */
function earliestEnd({ config: { speedLabel }, nodes, resources }: PlacementInput<Config>): NodeScore {
  const fill = fullest(resources);
  if (speedLabel === null) return fill;
  const speeds = Float64Array.from(nodes, (node) => speedOf(node, speedLabel));
  const order = [...new Set(speeds)].sort((one, other) => one - other);
  const tiers = Int32Array.from(speeds, (speed) => 4 * order.indexOf(speed));
  return (shape, node, cluster) => tiers[node]! + fill(shape, node, cluster);
}
