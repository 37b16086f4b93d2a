import type { Cluster } from './cluster.ts';
import type { RunningAttempt } from './scheduler.ts';

const WHOLE_GPU = 1_000;

/** A node as a call has left it. */
export interface NodeLeft {
  readonly cluster: Cluster;
  readonly node: number;
  /** −1 when there is none. */
  readonly gpuColumn: number;
}

/** Whether there is room on a node for one that needs so much, once some have ended. */
export function fitsWithout(
  { cluster, node, gpuColumn }: NodeLeft,
  needs: readonly number[],
  ended: readonly RunningAttempt[],
): boolean {
  for (let column = 0; column < needs.length; column++) {
    if (needs[column]! <= 0) continue;
    let left = cluster.freeOf(node, column);
    for (const attempt of ended) left += attempt.needs[column]!;
    if (needs[column]! > left) return false;
  }
  const gpu = gpuColumn < 0 ? 0 : needs[gpuColumn]!;
  return gpu <= 0 || cluster.gpusOf(node).length === 0 || fitsGpus(cluster.gpusOf(node), gpu, ended, gpuColumn);
}

/**
 * Which GPUs the ended ones held is not known, so only what is certain counts: one that had whole GPUs leaves as many
 * whole ones, one that had a part leaves that part of one.
 */
function fitsGpus(free: readonly number[], need: number, ended: readonly RunningAttempt[], gpuColumn: number): boolean {
  const given = ended.map(({ needs }) => needs[gpuColumn]!);
  if (need <= WHOLE_GPU) return [...free, ...given].some((amount) => amount >= need);
  const wholeOf = (amount: number): number => Math.floor(amount / WHOLE_GPU);
  return [...free, ...given].reduce((sum, amount) => sum + wholeOf(amount), 0) * WHOLE_GPU >= need;
}
