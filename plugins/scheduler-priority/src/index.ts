import { BestNodes, namedFor } from '@gantry/plugin-kit/best-nodes';
import { countTasks, inOrder } from '@gantry/plugin-kit/greedy';
import { Reservations } from '@gantry/plugin-kit/reservations';
import { reservePolicyOf, reserveSettings } from '@gantry/plugin-kit/reserve-settings';
import { defineScheduler, zodConfig, type Decision } from '@gantry/plugin-kit/scheduler';
import * as z from 'zod';
import { leastLoaded } from './least-loaded.ts';
import { Preemption } from './preemption.ts';
import { rankBy } from './rank.ts';

const config = z
  .strictObject({
    agingMs: z
      .number()
      .int()
      .min(1)
      .nullable()
      .default(600_000)
      .describe('So long a wait is worth one step of priority. Null: priority alone counts. Milliseconds.'),
    preempt: z
      .boolean()
      .default(false)
      .describe('Whether running work of lower priority is ended when a task fits nowhere, to make room for it.'),
    ...reserveSettings(300_000),
  })
  .describe('How the priority scheduler behaves.');

/**
 * The run's priority rules; among equals who has waited longest. Each task goes to the node that is least loaded once
 * it is there: whose highest share taken, over the resources that the task needs, is the lowest.
 *
 * Waiting raises a priority by one step per `agingMs`. So a task that has p steps less goes before all that become ready
 * more than p × agingMs after it, and nothing starves: a large one, which small ones would keep from ever finding room,
 * gets a node held for it when it has waited for `reserveAfterMs` and it is its turn. With agingMs null a steady stream
 * of more urgent work keeps the rest waiting for ever, as strict priority means.
 *
 * With `preempt` a task that fits nowhere ends others: the fewest that will do, of these the lowest in priority, of
 * these the youngest. Only what has a lower priority and would also come later in the queue is ended, so two tasks never
 * end each other in turn, and what has waited for its place keeps it.
 *
 * Source: ageing as in A. Silberschatz et al., Operating System Concepts; least loaded node as LeastAllocated in
 * Kubernetes, but by the worst resource instead of the mean; preemption as in Borg (A. Verma et al., 2015).
 */
export default defineScheduler<z.output<typeof config>>({
  name: 'priority',
  version: '1.2.0',
  summary: 'Places the highest priority first, each task on the least loaded node; waiting raises a priority.',
  config: zodConfig(config),
  wants: ({ preempt }) => (preempt ? ['running', 'preempt'] : []),
  reserves: reservePolicyOf,

  place(input) {
    const { config, nodes, resources, shapes, tasks, memory } = input;
    if (tasks.length === 0) return { decisions: [], memory };
    const rank = rankBy(config.agingMs);
    const choices = new BestNodes({
      nodes,
      resources,
      shapes,
      score: leastLoaded,
      taskCounts: countTasks(input),
      keptWith: input.config,
    });
    const reservations = new Reservations(input, choices, reservePolicyOf(config));
    const preemption = config.preempt ? new Preemption(input, choices.cluster, rank, reservations) : null;
    const decisions: Decision[] = [];
    const ordered = inOrder(tasks, (one, other) => rank(one, other) || one.readySince - other.readySince);
    for (const task of ordered) {
      const node = choices.best(task.shape);
      if (node >= 0) {
        decisions.push(choices.place(task, node, namedFor(task.key, input)));
        continue;
      }
      const room = preemption?.makeRoomFor(task) ?? null;
      if (room === null) {
        reservations.passOver(task);
        continue;
      }
      if (room.victims.length > 0) decisions.push({ task: task.key, node: room.node, preempt: room.victims });
      choices.take(task.shape, room.node);
    }
    return { decisions, memory, ...reservations.output };
  },
});
