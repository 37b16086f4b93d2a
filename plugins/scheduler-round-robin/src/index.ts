import { Cluster, inOrder } from '@gantry/plugin-kit/greedy';
import { defineScheduler, zodConfig, type Decision, type NodeView, type Shape } from '@gantry/plugin-kit/scheduler';
import * as z from 'zod';

/**
 * Each task goes to the next node in turn: by name, beginning behind the node that got the last one, skipping those
 * that will not do or have no room. All shapes share one rotation. Higher priority goes first, then longer waiting.
 *
 * Its memory is the name of the node that got the last task. So the rotation goes on where it stopped when nodes have
 * come or gone in between, that one included.
 *
 * Source: A. Silberschatz et al., Operating System Concepts, on round-robin; here it goes over nodes, not processes.
 */
export default defineScheduler<Record<never, never>, string>({
  name: 'round-robin',
  version: '1.0.0',
  summary: 'Sends each task to the next node in turn.',
  config: zodConfig(z.strictObject({}).describe('Nothing can be set.')),

  place({ nodes, resources, shapes, tasks, memory }) {
    const cluster = new Cluster(nodes, resources);
    const rings: (Ring | undefined)[] = [];
    const decisions: Decision[] = [];
    let next = placeBehind(memory, nodes);
    for (const task of inOrder(tasks)) {
      const ring = (rings[task.shape] ??= new Ring(shapes[task.shape]!, cluster));
      const node = ring.firstFrom(next);
      if (node < 0) continue;
      cluster.take(node, ring.needs);
      decisions.push({ task: task.key, node });
      next = node + 1;
    }
    const last = decisions.at(-1);
    return { decisions, memory: last && 'node' in last ? nodes[last.node]!.name : memory };
  },
});

/** The index of the first node whose name comes behind; nodes are sorted by name. */
function placeBehind(name: string | null, nodes: readonly NodeView[]): number {
  if (name === null) return 0;
  let from = 0;
  let to = nodes.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (nodes[middle]!.name > name) to = middle;
    else from = middle + 1;
  }
  return from;
}

/**
 * The nodes that may have room for one shape, in a circle. A node that has none is taken out for good, because within
 * one call nothing is given back; so a task costs the same however many nodes are full.
 */
class Ring {
  readonly needs: readonly number[];
  readonly #cluster: Cluster;
  /** Per node and one more for the end: itself while it is in the ring, else a later one, nearer to the next that is. */
  readonly #later: Int32Array;

  constructor(shape: Shape, cluster: Cluster) {
    this.needs = shape.needs;
    this.#cluster = cluster;
    const end = cluster.nodes.length;
    this.#later = new Int32Array(end + 1);
    let behind = end;
    this.#later[end] = end;
    for (let at = shape.feasible.length - 1; at >= 0; at--) {
      const node = shape.feasible[at]!;
      // What lies between this one and the next leads to the next.
      this.#later.fill(behind, node + 1, behind);
      this.#later[node] = node;
      behind = node;
    }
    this.#later.fill(behind, 0, behind);
  }

  /** The first node with room at or behind `start`, going round; −1 when there is none. */
  firstFrom(start: number): number {
    const node = this.#firstUpToEnd(start);
    return node >= 0 ? node : this.#firstUpToEnd(0);
  }

  #firstUpToEnd(start: number): number {
    const end = this.#later.length - 1;
    for (let node = this.#find(start); node < end; node = this.#find(node)) {
      if (this.#cluster.fits(node, this.needs)) return node;
      this.#later[node] = node + 1;
    }
    return -1;
  }

  /** The first at or behind `start` that is in the ring; halves the way for whoever comes next. */
  #find(start: number): number {
    let node = start;
    while (this.#later[node] !== node) {
      this.#later[node] = this.#later[this.#later[node]!]!;
      node = this.#later[node]!;
    }
    return node;
  }
}
