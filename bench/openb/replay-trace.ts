import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { fragments, type Kind } from './fragmentation.ts';
import { GpuCluster } from './gpu-cluster.ts';
import type { TraceNode, TracePod } from './read-openb.ts';

/** What a replay came to. Times as parts of the length of the trace, amounts as parts of all GPUs. */
export interface TraceReplay {
  /** Means over time, while tasks arrive. */
  readonly taken: number;
  readonly fragments: number;
  readonly meanWait: number;
  readonly p95Wait: number;
}

/** What runs at a time asks for so much of all GPUs when every task runs as long as it did: more than there is. */
const PRESSURE = 1.1;
/** How often things are looked at. */
const LOOKS = 100;

interface Waiting {
  readonly pod: TracePod;
  readonly since: number;
}

/**
 * Replays the tasks in their order with departures. The cluster of the trace was never full, so tasks come at an even
 * pace that asks for a little more than there is; each runs as long as it did. Who does not fit waits, the longest
 * waiting is tried first, and all are tried whenever something ends.
 */
export function replayTrace(
  nodes: readonly TraceNode[],
  pods: readonly TracePod[],
  kinds: readonly Kind[],
  plugin: SchedulerPlugin,
): TraceReplay {
  const cluster = new GpuCluster(nodes, plugin, 1);
  const arriving = pods.filter(({ createdAt, deletedAt }) => deletedAt > createdAt);
  const load = arriving.reduce((sum, { gpu, createdAt, deletedAt }) => sum + gpu * (deletedAt - createdAt), 0);
  const length = load / (PRESSURE * cluster.gpuCapacity);
  const pace = length / arriving.length;
  const ends = new Map<number, string[]>();
  let waiting: Waiting[] = [];
  const waits: number[] = [];
  let taken = 0;
  let unusable = 0;
  let next = 0;
  for (let look = 0; look < LOOKS; look++) {
    const until = ((look + 1) * length) / LOOKS;
    const times = [...ends.keys()].filter((at) => at <= until).sort((one, other) => one - other);
    for (const at of times) {
      for (const name of ends.get(at)!) cluster.release(name);
      ends.delete(at);
    }
    for (; next < arriving.length && next * pace < until; next++)
      waiting.push({ pod: arriving[next]!, since: next * pace });
    const placed = cluster.place(
      waiting.map(({ pod }) => pod),
      until,
    );
    for (const { pod, since } of waiting) {
      if (!placed.has(pod)) continue;
      waits.push(Math.max(0, until - since));
      const end = until + pod.deletedAt - pod.createdAt;
      const atEnd = ends.get(end);
      if (atEnd === undefined) ends.set(end, [pod.name]);
      else atEnd.push(pod.name);
    }
    waiting = waiting.filter(({ pod }) => !placed.has(pod));
    taken += cluster.gpuTaken / cluster.gpuCapacity / LOOKS;
    unusable += fragments(cluster.views, kinds) / cluster.gpuCapacity / LOOKS;
  }
  // Who still waits has waited until the end at least.
  for (const { since } of waiting) waits.push(length - since);
  waits.sort((one, other) => one - other);
  const meanWait = waits.reduce((sum, each) => sum + each, 0) / waits.length / length;
  return { taken, fragments: unusable, meanWait, p95Wait: waits[Math.floor(0.95 * waits.length)]! / length };
}
