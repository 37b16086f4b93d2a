import type { PlacementReader } from './api/context.ts';
import type { Engine } from './engine/loop.ts';

/** What the API may ask of the pools that this server runs. */
export function placementReader(engines: ReadonlyMap<string, Engine>): PlacementReader {
  return {
    queuePage: (pool, range, filter) => engines.get(pool)?.placement?.inspection.page(range, filter) ?? null,
    queueOverview: (pool) => engines.get(pool)?.placement?.inspection.overview ?? null,
    reasonOf: (pool, taskRun) => engines.get(pool)?.placement?.inspection.reasonOf(taskRun) ?? null,
    queueMark: (pool) => engines.get(pool)?.placement?.inspection.mark ?? null,
    explain: (pool, taskRun) => engines.get(pool)?.placement?.explain(taskRun) ?? null,
    status(pool) {
      const placement = engines.get(pool)?.placement;
      if (!placement) return null;
      const { version, state, lastFault, ...counts } = placement.schedulerStatus;
      return {
        schedulerVersion: version,
        schedulerState: state,
        schedulerCounts: counts,
        schedulerReason: lastFault === null ? null : { code: 'SCHEDULER_FAULT', message: lastFault },
        queueLength: placement.pendingCount,
        runningCount: placement.attemptCount,
        utilization: placement.utilization(),
        shadow: placement.shadowReport,
        heldNodes: placement.heldNodes,
      };
    },
  };
}
