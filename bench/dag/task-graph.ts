/** A workflow with what is known of it: the work of a benchmark. */
export interface TaskGraph {
  readonly name: string;
  readonly tasks: readonly GraphTask[];
}

/** A task of a workflow. */
export interface GraphTask {
  readonly key: string;
  readonly durationMs: number;
  /** Indexes of the tasks that it waits for; each is below its own. */
  readonly needs: readonly number[];
}

/** Of each task the longest way to the end, itself included. Milliseconds. */
export function upwardRanks({ tasks }: TaskGraph): Float64Array {
  const ranks = Float64Array.from(tasks, ({ durationMs }) => durationMs);
  for (let at = tasks.length - 1; at >= 0; at--) {
    for (const need of tasks[at]!.needs) {
      ranks[need] = Math.max(ranks[need]!, tasks[need]!.durationMs + ranks[at]!);
    }
  }
  return ranks;
}

/** The length of the longest way. Milliseconds. */
export const criticalPathMs = (graph: TaskGraph): number =>
  upwardRanks(graph).reduce((most, rank) => Math.max(most, rank), 0);

/** What all tasks take together. Milliseconds. */
export const workMs = ({ tasks }: TaskGraph): number => tasks.reduce((sum, { durationMs }) => sum + durationMs, 0);

/** The same graph with every task after all that it needs. Throws when there is a cycle. */
export function inTopologicalOrder(graph: TaskGraph): TaskGraph {
  const order: number[] = [];
  const state = new Int8Array(graph.tasks.length);
  const path: number[] = [];
  for (let start = 0; start < graph.tasks.length; start++) {
    path.push(start);
    while (path.length > 0) {
      const at = path.at(-1)!;
      if (state[at] === 2) {
        path.pop();
        continue;
      }
      const open = graph.tasks[at]!.needs.filter((need) => state[need] !== 2);
      if (open.some((need) => state[need] === 1))
        throw new Error(`${graph.name} has a cycle at ${graph.tasks[at]!.key}.`);
      state[at] = 1;
      path.push(...open);
      if (open.length > 0) continue;
      state[at] = 2;
      order.push(path.pop()!);
    }
  }
  const placeOf = new Int32Array(order.length);
  order.forEach((at, place) => (placeOf[at] = place));
  const tasks = order.map((at) => {
    const task = graph.tasks[at]!;
    return { ...task, needs: task.needs.map((need) => placeOf[need]!) };
  });
  return { name: graph.name, tasks };
}

/**
 * A makespan that no schedule on so many machines can beat, sharper than max(critical path, work / machines): of all
 * tasks that cannot begin before one time, and after which another time passes at least, the work has to be done in
 * between (E. Fernandez, B. Bussell, 1973, by heads and tails). Milliseconds.
 */
export function lowerBoundMs(graph: TaskGraph, machines: number): number {
  const { tasks } = graph;
  const ranks = upwardRanks(graph);
  const tails = ranks.map((rank, at) => rank - tasks[at]!.durationMs);
  const heads = new Float64Array(tasks.length);
  tasks.forEach(({ needs }, at) => {
    for (const need of needs) heads[at] = Math.max(heads[at]!, heads[need]! + tasks[need]!.durationMs);
  });
  let bound = criticalPathMs(graph);
  for (const head of new Set(heads)) {
    const later = tasks.map((_, at) => at).filter((at) => heads[at]! >= head);
    later.sort((one, other) => tails[other]! - tails[one]!);
    let work = 0;
    for (const at of later) {
      work += tasks[at]!.durationMs;
      bound = Math.max(bound, head + work / machines + tails[at]!);
    }
  }
  return bound;
}
