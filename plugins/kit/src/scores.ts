import { resourceColumns, type Cluster } from './cluster.ts';
import type { NodeScore } from './node-heap.ts';

/* Scores that several schedulers share; each is a share of a node, from −1 or a little less to 0. */

/** How much the mean over the resources counts beside the dominant one: it decides between nodes that are all but equal. */
const MEAN = 1 / 1024;

/**
 * Least loaded first: minus the dominant share that would be taken, the highest of any resource of the node, needed or
 * not; the mean decides between equals.
 *
 * @param resources `input.resources`
 */
export function leastLoaded(resources: readonly string[]): NodeScore {
  const columns = resourceColumns(resources);
  if (columns.length === resources.length) return leastLoadedByAll;
  return ({ needs }, node, cluster) => looseness(needs, node, cluster, columns);
}

/** The usual case is one function, so that what is kept with it is of use for the next call. */
const leastLoadedByAll: NodeScore = ({ needs }, node, cluster) => looseness(needs, node, cluster, null);

function looseness(
  needs: readonly number[],
  node: number,
  cluster: Cluster,
  columns: readonly number[] | null,
): number {
  const count = columns === null ? needs.length : columns.length;
  let highest = 0;
  let sum = 0;
  for (let at = 0; at < count; at++) {
    const column = columns === null ? at : columns[at]!;
    const capacity = cluster.capacityOf(node, column);
    if (capacity === 0) continue;
    const taken = 1 - (cluster.freeOf(node, column) - needs[column]!) / capacity;
    sum += taken;
    if (taken > highest) highest = taken;
  }
  return -(highest + (sum / count) * MEAN);
}

/**
 * Fullest first: minus what would be left, as a share of the node, of the task's dominant resource: the one of which it
 * takes the largest share there. The mean of what is left of everything decides between equals.
 *
 * @param resources `input.resources`
 */
export function fullest(resources: readonly string[]): NodeScore {
  const columns = resourceColumns(resources);
  if (columns.length === resources.length) return fullestByAll;
  return ({ needs }, node, cluster) => fullness(needs, node, cluster, columns);
}

/** The usual case on its own: without a look at which columns count it is measurably faster. */
const fullestByAll: NodeScore = ({ needs }, node, cluster) => fullness(needs, node, cluster, null);

function fullness(needs: readonly number[], node: number, cluster: Cluster, columns: readonly number[] | null): number {
  const count = columns === null ? needs.length : columns.length;
  let dominantShare = -1;
  let leftOfDominant = 0;
  let left = 0;
  for (let at = 0; at < count; at++) {
    const column = columns === null ? at : columns[at]!;
    const capacity = cluster.capacityOf(node, column);
    if (capacity === 0) continue;
    const need = needs[column]!;
    const leftHere = (cluster.freeOf(node, column) - need) / capacity;
    left += leftHere;
    if (need / capacity > dominantShare) {
      dominantShare = need / capacity;
      leftOfDominant = leftHere;
    }
  }
  return -(leftOfDominant + (left / count) * MEAN);
}
