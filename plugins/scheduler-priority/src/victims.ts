import type { Cluster } from '@gantry/plugin-kit/greedy';
import type { RunningAttempt } from '@gantry/plugin-kit/scheduler';

/** Sets of victims are tried one by one as long as there are so many at most; beyond that the search is a greedy one. */
const MAX_TRIED = 2_000;

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

/**
 * The fewest of `able` that will do; of sets of one size the one whose last is the earliest in `able`. Null when not
 * even all of them will, or more than `most` would have to. Beyond a number of tries not always the fewest, but none of
 * them can be spared.
 */
export function fewestThatWillDo(
  able: readonly RunningAttempt[],
  willDo: (ended: readonly RunningAttempt[]) => boolean,
  most: number,
): readonly RunningAttempt[] | null {
  if (!willDo(able)) return null;
  let tries = 0;
  for (let size = 1; size <= Math.min(able.length, most); size++) {
    tries += combinations(able.length, size);
    if (tries > MAX_TRIED) return spareSome(able, willDo, most);
    const found = firstOfSize(able, size, able.length, [], willDo);
    if (found !== null) return found;
  }
  return null;
}

/** The first set of a size that will do, with those before `end`; sets in the order of their last, then the one before. */
function firstOfSize(
  able: readonly RunningAttempt[],
  size: number,
  end: number,
  chosen: readonly RunningAttempt[],
  willDo: (ended: readonly RunningAttempt[]) => boolean,
): readonly RunningAttempt[] | null {
  if (size === 0) return willDo(chosen) ? chosen : null;
  for (let last = size - 1; last < end; last++) {
    const found = firstOfSize(able, size - 1, last, [able[last]!, ...chosen], willDo);
    if (found !== null) return found;
  }
  return null;
}

/** As many of the first as it takes, and then without each that can be spared, the last first. */
function spareSome(
  able: readonly RunningAttempt[],
  willDo: (ended: readonly RunningAttempt[]) => boolean,
  most: number,
): readonly RunningAttempt[] | null {
  let count = 1;
  while (!willDo(able.slice(0, count))) count++;
  let chosen = able.slice(0, count);
  for (let at = count - 1; at >= 0; at--) {
    const without = chosen.filter((attempt) => attempt !== able[at]);
    if (without.length > 0 && willDo(without)) chosen = without;
  }
  return chosen.length <= most ? chosen : null;
}

function combinations(from: number, size: number): number {
  let count = 1;
  for (let at = 1; at <= size; at++) count = (count * (from - size + at)) / at;
  return count;
}
