import { chooseGpus, GPU, shareOf } from '@gantry/plugin-kit/gpus';
import type { Decision, PendingTask } from '@gantry/plugin-kit/scheduler';
import type { Offer } from './scheduler.ts';

/**
 * First fit: each task, the most urgent first, on the first node by name that has room. It decides when a plugin
 * cannot, so it shares no code with any.
 */
export function firstFit({ nodes, shapes, tasks, resources }: Offer): readonly Decision[] {
  const free: (number[] | undefined)[] = [];
  const gpus: (number[] | undefined)[] = [];
  const gpuColumn = resources.indexOf(GPU);
  /** Per shape: the place in its list before which no node has room any more. Nothing is given back in between. */
  const starts = new Uint32Array(shapes.length);
  const decisions: Decision[] = [];
  for (const task of tasks.toSorted(byUrgency)) {
    const { needs, feasible } = shapes[task.shape]!;
    for (let at = starts[task.shape]!; ; at++) {
      starts[task.shape] = at;
      if (at >= feasible.length) break;
      const node = feasible[at]!;
      const left = (free[node] ??= [...nodes[node]!.free]);
      if (!needs.every((need, column) => need === 0 || need <= left[column]!)) continue;
      const wanted = gpuColumn < 0 ? 0 : needs[gpuColumn]!;
      const chosen = wanted === 0 ? [] : chooseGpus((gpus[node] ??= [...(nodes[node]!.gpus ?? [])]), wanted);
      if (chosen === null) continue;
      for (const gpu of chosen) gpus[node]![gpu]! -= shareOf(wanted);
      needs.forEach((need, column) => (left[column]! -= need));
      decisions.push({ task: task.key, node });
      break;
    }
  }
  return decisions;
}

const byUrgency = (one: PendingTask, other: PendingTask): number =>
  other.priority - one.priority || one.readySince - other.readySince;
