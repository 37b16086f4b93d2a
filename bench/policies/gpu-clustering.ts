import { Cluster, inOrder } from '@gantry/plugin-kit/greedy';
import { defineScheduler, zodConfig, type Decision, type SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import * as z from 'zod';

/**
 * The node that runs the most tasks which ask for as much GPU as this one, so that like is with like; the fullest in GPUs
 * among equals (W. Xiao et al., Gandiva, OSDI 2018).
 */
export default defineScheduler({
  name: 'GPU clustering',
  version: '1.0.0',
  summary: 'The node that runs the most tasks of the same GPU request.',
  config: zodConfig(z.strictObject({})),
  wants: () => ['running'],
  place({ nodes, resources, shapes, tasks, running, memory }) {
    const gpu = resources.indexOf('gpu');
    const cluster = new Cluster(nodes, resources);
    const counts = new Map<number, Uint16Array>();
    const countsOf = (need: number): Uint16Array => {
      let known = counts.get(need);
      if (known === undefined) counts.set(need, (known = new Uint16Array(nodes.length)));
      return known;
    };
    for (const { node, needs } of running) countsOf(needs[gpu]!)[node]!++;
    const decisions: Decision[] = [];
    for (const { key, shape } of inOrder(tasks)) {
      const { needs, feasible } = shapes[shape]!;
      const alike = countsOf(needs[gpu]!);
      let best = -1;
      for (const node of feasible) {
        if (!cluster.fits(node, needs)) continue;
        const more = best < 0 ? 1 : alike[node]! - alike[best]!;
        if (more > 0 || (more === 0 && cluster.freeOf(node, gpu) < cluster.freeOf(best, gpu))) best = node;
      }
      if (best < 0) continue;
      cluster.take(best, needs);
      alike[best]!++;
      decisions.push({ task: key, node: best });
    }
    return { decisions, memory };
  },
}) as unknown as SchedulerPlugin;
