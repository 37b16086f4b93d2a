import type { SimulatedTask } from './workload.ts';

/** By task: the longest way from its start to the end of everything that needs it (HEFT, Topcuoglu et al. 2002). */
export function upwardRanks(tasks: readonly SimulatedTask[]): Float64Array {
  const ranks = new Float64Array(tasks.length);
  const downstream = downstreamOf(tasks);
  const left = Int32Array.from(downstream, (next) => next.length);
  const ready = [...left.keys()].filter((at) => left[at] === 0);
  while (ready.length > 0) {
    const at = ready.pop()!;
    let longest = 0;
    for (const next of downstream[at]!) longest = Math.max(longest, ranks[next]!);
    ranks[at] = longest + tasks[at]!.durationMs;
    for (const need of tasks[at]!.needs) if (--left[need]! === 0) ready.push(need);
  }
  return ranks;
}

/** By task: who needs it. */
export function downstreamOf(tasks: readonly SimulatedTask[]): readonly (readonly number[])[] {
  const downstream: number[][] = tasks.map(() => []);
  tasks.forEach(({ needs }, at) => needs.forEach((need) => downstream[need]!.push(at)));
  return downstream;
}
