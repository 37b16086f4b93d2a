import { countTasks, inOrder } from '@gantry/plugin-kit/greedy';
import { BestNodes, namedFor, type NodeScore } from '@gantry/plugin-kit/best-nodes';
import { resourceColumns } from '@gantry/plugin-kit/cluster';
import { Reservations } from '@gantry/plugin-kit/reservations';
import { reservePolicyOf, reserveSettings } from '@gantry/plugin-kit/reserve-settings';
import {
  defineScheduler,
  zodConfig,
  type Decision,
  type Json,
  type PlacementInput,
} from '@gantry/plugin-kit/scheduler';
import { fullest } from '@gantry/plugin-kit/scores';
import * as z from 'zod';
import { fragmentation } from './fragmentation.ts';
import { withTasksOf, type GpuDemand } from './gpu-demand.ts';
import { packBatch } from './pack-batch.ts';

const config = z
  .strictObject({
    lookAhead: z
      .boolean()
      .default(false)
      .describe(
        'Whether tasks of equal priority are packed as a whole, the largest first, instead of one by one as they came. Fewer nodes are used; who has waited longest does not always go first.',
      ),
    ...reserveSettings(null),
  })
  .describe('How the bin-packing scheduler behaves.');

/** How much a free GPU of a node counts beside one that becomes useless. */
const FREE_GPU = 0.03;
/** How much what is left of a node counts, the sum of the shares. */
const LEFT = 0.02;
/** How much how full a node is counts for a task without GPUs beside a GPU that becomes useless. */
const FULL = 0.01;
/** What it is worth to keep a task without GPUs off a node that has some. In GPUs. */
const WITHOUT_GPU = 1;

/**
 * Best fit: each task goes to the fullest node that still has room, so that large tasks find whole nodes free. Fullest
 * is where least is left, as a share of the node's capacity, of the task's dominant resource: the one of which it takes
 * the largest share there. Between nodes where that is all but equal, the mean of what is left of everything decides.
 * Higher priority goes first, then longer waiting.
 *
 * In a pool where tasks ask for GPUs, first of all as little as possible of the free ones is made useless: what no task
 * like those of late could use, because too little of each GPU is left, or too little CPU or memory beside it. Fewer
 * free GPUs and less of everything left decide between equals, and a task without GPUs goes to a node without, if it
 * can. Its memory is what GPU tasks have asked for lately.
 *
 * With `lookAhead` a batch is packed as a whole, see pack-batch.ts.
 *
 * Source: best fit for vectors, as in R. Panigrahy et al., Heuristics for Vector Bin Packing (2011); dominant resource
 * as in A. Ghodsi et al., Dominant Resource Fairness (2011); fragmentation gradient descent, Q. Weng et al., Beware of
 * Fragmentation (USENIX ATC 2023), here with a demand that is learned and ties by best fit.
 */
export default defineScheduler<z.output<typeof config>>({
  name: 'bin-packing',
  version: '1.2.0',
  summary: 'Fills the fullest node that still fits, and keeps GPUs usable.',
  config: zodConfig(config),
  reserves: reservePolicyOf,

  place(input) {
    const { nodes, resources, shapes } = input;
    const gpu = resources.indexOf('gpu');
    const demand = gpu < 0 ? null : withTasksOf(input, gpu, input.memory as GpuDemand | null);
    const score = demand === null ? fullest(resources) : keepingGpusUsable(demand, resources, gpu);
    const choices = new BestNodes({
      nodes,
      resources,
      shapes,
      score,
      taskCounts: countTasks(input),
      keptWith: input.config,
    });
    const reservations = new Reservations(input, choices, reservePolicyOf(input.config));
    const place = input.config.lookAhead ? packBatch : oneByOne;
    const decisions = place(input, choices, reservations);
    const memory = demand === null ? input.memory : (demand as unknown as Json);
    return { decisions, memory, ...reservations.output };
  },
});

function oneByOne(input: PlacementInput, choices: BestNodes, reservations: Reservations): readonly Decision[] {
  const decisions: Decision[] = [];
  for (const task of inOrder(input.tasks)) {
    const node = choices.best(task.shape);
    if (node >= 0) decisions.push(choices.place(task, node, namedFor(task.key, input)));
    else reservations.passOver(task);
  }
  return decisions;
}

function keepingGpusUsable(demand: GpuDemand, resources: readonly string[], gpu: number): NodeScore {
  const kept = fragmentation(demand, resources, gpu);
  const fill = fullest(resources);
  const columns = resourceColumns(resources);
  return (shape, node, cluster) => {
    const { needs } = shape;
    const growth = kept(shape, node, cluster);
    if (needs[gpu] === 0) {
      const without = cluster.capacityOf(node, gpu) === 0 ? WITHOUT_GPU : 0;
      return growth + without + FULL * fill(shape, node, cluster);
    }
    let left = 0;
    for (const column of columns) {
      const capacity = cluster.capacityOf(node, column);
      if (capacity > 0) left += (cluster.freeOf(node, column) - needs[column]!) / capacity;
    }
    return growth - FREE_GPU * (cluster.freeOf(node, gpu) / 1_000) - LEFT * left;
  };
}
