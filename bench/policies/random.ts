import { chance } from '@gantry/plugin-kit/chance';
import { Cluster, inOrder } from '@gantry/plugin-kit/greedy';
import { defineScheduler, zodConfig, type Decision, type SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import * as z from 'zod';

/** Any node with room. */
export default defineScheduler({
  name: 'random',
  version: '1.0.0',
  summary: 'Any node with room.',
  config: zodConfig(z.strictObject({})),
  place({ nodes, resources, shapes, tasks, seed, memory }) {
    const cluster = new Cluster(nodes, resources);
    const random = chance(seed);
    const decisions: Decision[] = [];
    for (const { key, shape } of inOrder(tasks)) {
      const { needs, feasible } = shapes[shape]!;
      const open = Array.from(feasible).filter((node) => cluster.fits(node, needs));
      const node = open[Math.floor(random() * open.length)];
      if (node === undefined) continue;
      cluster.take(node, needs);
      decisions.push({ task: key, node });
    }
    return { decisions, memory };
  },
}) as unknown as SchedulerPlugin;
