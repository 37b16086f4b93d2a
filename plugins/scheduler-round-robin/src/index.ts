import { Cluster } from '@gantry/plugin-kit/cluster';
import { defineScheduler, zodConfig, type Decision, type Shape } from '@gantry/plugin-kit/scheduler';
import * as z from 'zod';

/**
 * Rule: the longest waiting task goes to the next node in the order of names that has room, where "next" goes on after
 * the node that got the task before. Guarantees: no node with room is passed over twice before another gets its turn;
 * the turn survives restarts and nodes that come and go, because the memory is a name, not a place.
 * Source: the textbook rule; without memory a rotation over ticks would start anew each time.
 */
export default defineScheduler<Record<string, never>, string>({
  name: 'round-robin',
  version: '1.0.0',
  summary: 'Takes turns: each task goes to the next node that has room.',
  config: zodConfig(z.strictObject({})),

  place({ nodes, shapes, tasks, memory }) {
    const cluster = new Cluster({ nodes });
    const decisions: Decision[] = [];
    let last = memory;
    // The first node behind the one that had the last turn, also when that one is gone.
    let turn = nodes.findIndex(({ name }) => last === null || name > last);
    if (turn < 0) turn = 0;
    /** Shapes for which a whole round found no room: nothing gets freed within a call. */
    const isFull = new Uint8Array(shapes.length);
    for (const task of tasks) {
      if (isFull[task.shape]) continue;
      const shape = shapes[task.shape]!;
      const node = nextWithRoom(cluster, shape, turn);
      if (node === null) {
        isFull[task.shape] = 1;
        continue;
      }
      cluster.take(shape, node);
      decisions.push({ task: task.key, node });
      last = nodes[node]!.name;
      turn = node + 1 < nodes.length ? node + 1 : 0;
    }
    return { decisions, memory: last };
  },
});

function nextWithRoom(cluster: Cluster, { needs, feasible }: Shape, turn: number): number | null {
  const start = firstAtLeast(feasible, turn);
  for (let step = 0; step < feasible.length; step++) {
    const place = start + step;
    const node = feasible[place < feasible.length ? place : place - feasible.length]!;
    if (cluster.fits({ needs, feasible }, node)) return node;
  }
  return null;
}

/** Where in an ascending list the first number is that is not below; 0 when all are. */
function firstAtLeast(ascending: ArrayLike<number>, low: number): number {
  let from = 0;
  let to = ascending.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (ascending[middle]! < low) from = middle + 1;
    else to = middle;
  }
  return from === ascending.length ? 0 : from;
}
