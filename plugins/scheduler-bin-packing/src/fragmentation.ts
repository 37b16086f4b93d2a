import type { NodeScore } from '@gantry/plugin-kit/best-nodes';
import { resourceColumns, type Cluster } from '@gantry/plugin-kit/cluster';
import { chooseGpus, shareOf } from '@gantry/plugin-kit/gpus';
import type { GpuDemand } from './gpu-demand.ts';

const WHOLE = 1_000;

/**
 * Minus how much more of the free GPUs of a node would be of no use to a task like those of late, in the mean over them:
 * too little of each, or too little CPU or memory beside it. In GPUs.
 *
 * @param resources `input.resources`
 */
export function fragmentation(demand: GpuDemand, resources: readonly string[], gpu: number): NodeScore {
  const kinds = flatten(demand, resources, gpu);
  const columns = resourceColumns(resources);
  /** By node: what was of no use when so much was free. Nothing is given back within a call, so the sum tells. */
  const known = new Map<number, { readonly free: number; readonly unusable: number }>();
  const unusableNow = (cluster: Cluster, node: number, gpus: readonly number[]): number => {
    let free = 0;
    for (const column of columns) free += cluster.freeOf(node, column);
    const last = known.get(node);
    if (last?.free === free) return last.unusable;
    const unusable = kinds.unusable(cluster, node, gpus, null);
    known.set(node, { free, unusable });
    return unusable;
  };
  return ({ needs }, node, cluster) => {
    const before = cluster.gpusOf(node);
    if (before.length === 0) return 0;
    let after = before;
    if (needs[gpu]! > 0) {
      const left = [...before];
      for (const chosen of chooseGpus(before, needs[gpu]!) ?? []) left[chosen]! -= shareOf(needs[gpu]!);
      after = left;
    }
    return unusableNow(cluster, node, before) - kinds.unusable(cluster, node, after, needs);
  };
}

/** The kinds in flat arrays: they are gone through for every node. */
function flatten({ resources: names, kinds }: GpuDemand, resources: readonly string[], gpu: number) {
  const columns = names.map((name) => resources.indexOf(name)).flatMap((column) => (column === gpu ? [] : [column]));
  const own = names.flatMap((name, at) => (resources.indexOf(name) === gpu ? [] : [at]));
  const gpuAt = names.indexOf(resources[gpu]!);
  const total = kinds.reduce((sum, { count }) => sum + count, 0);
  const weights = Float64Array.from(kinds, ({ count }) => count / total / WHOLE);
  /** Few for many kinds: what is of no use by the GPUs alone is worked out once for each. */
  const gpuNeeds = [...new Set(kinds.map(({ needs }) => needs[gpuAt]!))];
  const gpuNeedOf = Uint32Array.from(kinds, ({ needs }) => gpuNeeds.indexOf(needs[gpuAt]!));
  const tooSmall = new Float64Array(gpuNeeds.length);
  const others = Float64Array.from(kinds.flatMap(({ needs }) => own.map((at) => needs[at]!)));
  return {
    /** In GPUs; `taken` is what the node will have given away besides. */
    unusable(cluster: Cluster, node: number, gpus: readonly number[], taken: readonly number[] | null): number {
      let free = 0;
      for (let index = 0; index < gpus.length; index++) free += gpus[index]!;
      if (free === 0) return 0;
      for (let need = 0; need < gpuNeeds.length; need++) tooSmall[need] = tooSmallFor(gpuNeeds[need]!, gpus, free);
      let sum = 0;
      for (let kind = 0, at = 0; kind < weights.length; kind++) {
        let hasRoom = true;
        for (const column of columns) {
          const need = others[at++]!;
          if (need > 0 && column >= 0 && need > cluster.freeOf(node, column) - (taken?.[column] ?? 0)) hasRoom = false;
        }
        sum += weights[kind]! * (hasRoom ? tooSmall[gpuNeedOf[kind]!]! : free);
      }
      return sum;
    },
  };
}

/** How much of the free GPUs is of no use to a task that needs so much, and has room for the rest. Thousandths. */
function tooSmallFor(need: number, gpus: readonly number[], free: number): number {
  const share = Math.min(need, WHOLE);
  let tooSmall = 0;
  let usable = 0;
  for (let gpu = 0; gpu < gpus.length; gpu++) {
    const left = gpus[gpu]!;
    if (left < share) tooSmall += left;
    else usable++;
  }
  return usable * share >= need ? tooSmall : free;
}
