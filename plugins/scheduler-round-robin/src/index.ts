import { Cluster, inOrder } from '@gantry/plugin-kit/greedy';
import { Reservations } from '@gantry/plugin-kit/reservations';
import { reservePolicyOf, reserveSettings } from '@gantry/plugin-kit/reserve-settings';
import { defineScheduler, zodConfig, type Decision } from '@gantry/plugin-kit/scheduler';
import * as z from 'zod';
import { Rotation } from './rotation.ts';
import { turnsOf, type Position } from './turns.ts';

const config = z
  .strictObject({
    weights: z
      .record(z.string().min(1), z.int().min(1).max(16))
      .default({})
      .describe(
        'How many turns a node gets in a round, by its name (`big-1`) or by a label (`size=large`); the most where several match, else 1.',
      ),
    ...reserveSettings(300_000),
  })
  .describe('How the round-robin scheduler behaves.');

/**
 * Each task goes to the node whose turn is next, skipping those that will not do or have no room. A node has as many
 * turns in a round as its weight, spaced evenly; with equal weights a round is the nodes by name. Nodes that a task
 * prefers go first: the next in turn among the best liked that have room. Higher priority goes first, then longer
 * waiting.
 *
 * Its memory is the turn that was taken last. So the rotation goes on where it stopped when nodes have come or gone in
 * between, that one included. All shapes share one rotation.
 *
 * Source: round-robin as in A. Silberschatz et al., Operating System Concepts; the turns of a round are in the order of
 * Sainte-Laguë's divisor method over the weights (M. Balinski, H. Young, Fair Representation, 1982), which is what
 * smooth weighted round-robin aims at.
 */
export default defineScheduler<z.output<typeof config>, Position>({
  name: 'round-robin',
  version: '1.2.0',
  summary: 'Sends each task to the next node in turn, with as many turns as a node’s weight.',
  config: zodConfig(config),
  reserves: reservePolicyOf,

  place(input) {
    const { config, nodes, resources, shapes, tasks, memory } = input;
    const cluster = new Cluster(nodes, resources);
    const turns = turnsOf(nodes, config.weights);
    const hold = (shape: number, node: number): void => cluster.hold(node, shapes[shape]!.needs);
    const reservations = new Reservations(input, { cluster, hold }, reservePolicyOf(config));
    const rotations: (Rotation | undefined)[] = [];
    const decisions: Decision[] = [];
    let next = turns.behind(memory);
    let last = memory;
    for (const task of inOrder(tasks)) {
      const rotation = (rotations[task.shape] ??= new Rotation(shapes[task.shape]!, cluster, turns));
      const turn = rotation.firstFrom(next);
      if (turn < 0) {
        reservations.passOver(task);
        continue;
      }
      const node = turns.nodeOf(turn);
      cluster.take(node, shapes[task.shape]!.needs);
      decisions.push({ task: task.key, node });
      next = turn + 1;
      last = turns.positionOf(turn);
    }
    return { decisions, memory: last, ...reservations.output };
  },
});
