import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { fragments, type Kind } from './fragmentation.ts';
import { GpuCluster } from './gpu-cluster.ts';
import type { TraceNode, TracePod } from './read-openb.ts';

/** What a replay came to, over time once the cluster has been full; amounts as parts of all GPUs. */
export interface TraceReplay {
  readonly taken: number;
  readonly fragments: number;
  /** Tasks begun per day of the trace. */
  readonly perDay: number;
}

/** So many tasks wait at any time. */
const BACKLOG = 64;
/** So many tasks end between two calls. */
const ENDINGS = 32;
const DAY_SECONDS = 86_400;

/**
 * Replays the tasks with departures under pressure: the cluster of the trace was never full, so here 64 tasks wait at
 * any time, taken in the order of the trace, which is gone through `rounds` times, beginning with its task number `first`. Each runs as long as it did. Whenever
 * some have ended, those that wait are tried, the longest waiting first.
 */
export function replayTrace(
  nodes: readonly TraceNode[],
  pods: readonly TracePod[],
  kinds: readonly Kind[],
  plugin: SchedulerPlugin,
  rounds: number,
  first: number,
): TraceReplay {
  const cluster = new GpuCluster(nodes, plugin, 1);
  const lasting = pods.filter(({ createdAt, deletedAt }) => deletedAt > createdAt);
  const running: { readonly name: string; readonly endsAt: number }[] = [];
  let waiting: TracePod[] = [];
  let arrived = 0;
  let now = 0;
  let fullSince: number | null = null;
  let begun = 0;
  let taken = 0;
  let unusable = 0;
  for (;;) {
    for (;;) {
      while (waiting.length < BACKLOG) {
        const pod = lasting[(first + arrived) % lasting.length]!;
        waiting.push({ ...pod, name: `${pod.name}.${arrived++}` });
      }
      const placed = cluster.place(waiting, now);
      for (const { name, createdAt, deletedAt } of placed) running.push({ name, endsAt: now + deletedAt - createdAt });
      waiting = waiting.filter((pod) => !placed.has(pod));
      if (fullSince !== null) begun += placed.size;
      if (placed.size === 0) break;
    }
    fullSince ??= now;
    if (arrived > rounds * lasting.length) break;
    running.sort((one, other) => other.endsAt - one.endsAt);
    const later = running[running.length - ENDINGS]!.endsAt;
    taken += (cluster.gpuTaken / cluster.gpuCapacity) * (later - now);
    unusable += (fragments(cluster.views, kinds) / cluster.gpuCapacity) * (later - now);
    now = later;
    while (running.length > 0 && running.at(-1)!.endsAt <= now) cluster.release(running.pop()!.name);
  }
  const lasted = now - fullSince;
  return { taken: taken / lasted, fragments: unusable / lasted, perDay: (begun / lasted) * DAY_SECONDS };
}
