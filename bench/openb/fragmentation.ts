import type { NodeView } from '@gantry/plugin-kit/scheduler';
import { keyOf } from './gpu-cluster.ts';
import type { TracePod } from './read-openb.ts';

/** Tasks of one kind, and how many of all that want GPUs are. */
export interface Kind {
  readonly needs: readonly number[];
  readonly models: readonly string[];
  readonly popularity: number;
}

/** The kinds of tasks of a trace that want GPUs, the most popular first. */
export function kindsOf(pods: readonly TracePod[]): readonly Kind[] {
  const counts = new Map<string, { readonly pod: TracePod; count: number }>();
  let total = 0;
  for (const pod of pods) {
    if (pod.gpu === 0) continue;
    total++;
    const known = counts.get(keyOf(pod));
    if (known === undefined) counts.set(keyOf(pod), { pod, count: 1 });
    else known.count++;
  }
  return [...counts.values()]
    .sort((one, other) => other.count - one.count)
    .map(({ pod: { cpu, memoryMib, gpu, models }, count }) => ({
      needs: [cpu, memoryMib, gpu],
      models,
      popularity: count / total,
    }));
}

/**
 * How much of the free GPUs of a node no task of a kind could use, in the mean over the kinds (Q. Weng et al., Beware of
 * Fragmentation, USENIX ATC 2023, section 3.2). Thousandths of a GPU.
 */
export function fragmentsOn(
  gpus: readonly number[],
  cpu: number,
  memory: number,
  model: string,
  kinds: readonly Kind[],
): number {
  let sum = 0;
  for (const { needs, models, popularity } of kinds) {
    sum += popularity * fragmentsFor(gpus, cpu, memory, needs, models.length === 0 || models.includes(model));
  }
  return sum;
}

function fragmentsFor(
  gpus: readonly number[],
  cpu: number,
  memory: number,
  needs: readonly number[],
  isModelRight: boolean,
): number {
  const share = Math.min(needs[2]!, 1_000);
  let free = 0;
  let tooSmall = 0;
  let usable = 0;
  for (let at = 0; at < gpus.length; at++) {
    const left = gpus[at]!;
    free += left;
    if (left < share) tooSmall += left;
    else usable++;
  }
  const canRun = isModelRight && needs[0]! <= cpu && needs[1]! <= memory && usable * share >= needs[2]!;
  return canRun ? tooSmall : free;
}

/** The same of all nodes. */
export function fragments(views: readonly NodeView[], kinds: readonly Kind[]): number {
  return views.reduce(
    (sum, { gpus, free, labels }) =>
      gpus === undefined ? sum : sum + fragmentsOn(gpus, free[0]!, free[1]!, labels['model'] ?? '', kinds),
    0,
  );
}
