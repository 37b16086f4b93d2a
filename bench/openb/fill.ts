import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { fragments, type Kind } from './fragmentation.ts';
import { GpuCluster } from './gpu-cluster.ts';
import type { TraceNode, TracePod } from './read-openb.ts';

/** How things stand when tasks have asked for so much; everything as a part of all GPUs. */
export interface FillPoint {
  readonly asked: number;
  readonly taken: number;
  readonly fragments: number;
}

/** So many tasks arrive at once. */
const ARRIVALS = 64;
const STEP = 0.05;
const LAST = 1.3;

/** Lets tasks of the trace arrive at random, again and again, until they have asked for 1.3 times all GPUs. */
export function fill(
  nodes: readonly TraceNode[],
  pods: readonly TracePod[],
  kinds: readonly Kind[],
  plugin: SchedulerPlugin,
  random: () => number,
  seed: number,
): readonly FillPoint[] {
  const cluster = new GpuCluster(nodes, plugin, seed);
  const points: FillPoint[] = [];
  let asked = 0;
  for (let arrived = 0; asked < LAST * cluster.gpuCapacity;) {
    const some = Array.from({ length: ARRIVALS }, (): TracePod => {
      const pod = pods[Math.floor(random() * pods.length)]!;
      return { ...pod, name: `${pod.name}.${arrived++}` };
    });
    cluster.place(some, arrived);
    asked += some.reduce((sum, { gpu }) => sum + gpu, 0);
    if (asked / cluster.gpuCapacity < STEP * (points.length + 1) - 1e-9) continue;
    points.push({
      asked: STEP * (points.length + 1),
      taken: cluster.gpuTaken / cluster.gpuCapacity,
      fragments: fragments(cluster.views, kinds) / cluster.gpuCapacity,
    });
  }
  return points;
}
