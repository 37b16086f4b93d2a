import { chooseGpus, shareOf } from '@gantry/plugin-kit/gpus';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { fragmentsOn, type Kind } from '../openb/fragmentation.ts';
import { policy } from './policy.ts';

/** Kinds beyond these are too rare to count: as the authors do. */
const COVERED = 0.95;

/**
 * FGD: the node on which fragmentation grows least (Q. Weng et al., Beware of Fragmentation, USENIX ATC 2023). It is told
 * what kinds of tasks there are and how popular each is; which GPU of a node a task gets is the host's rule.
 */
export function fragmentationGradient(all: readonly Kind[]): SchedulerPlugin {
  let covered = 0;
  const kinds = all.filter(({ popularity }) => (covered += popularity) - popularity < COVERED);
  return policy('FGD', 'The node on which fragmentation grows least.', ({ nodes, resources }) => {
    const gpu = resources.indexOf('gpu');
    return ({ needs }, node, cluster) => {
      const gpus = cluster.gpusOf(node);
      if (gpus.length === 0) return 0;
      const model = nodes[node]!.labels['model'] ?? '';
      const cpu = cluster.freeOf(node, 0);
      const memory = cluster.freeOf(node, 1);
      const after = [...gpus];
      for (const chosen of chooseGpus(gpus, needs[gpu]!) ?? []) after[chosen]! -= shareOf(needs[gpu]!);
      const before = fragmentsOn(gpus, cpu, memory, model, kinds);
      return before - fragmentsOn(after, cpu - needs[0]!, memory - needs[1]!, model, kinds);
    };
  });
}
