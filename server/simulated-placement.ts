import type { SimulationReader } from './api/context.ts';
import type { Clock } from './clock.ts';
import type { SchedulerChoice } from './domain/pool.ts';
import type { Engine } from './engine/loop.ts';
import type { Placement } from './placement/placement.ts';
import { recordedWorkload, type RecordedRun } from './simulation/recorded-runs.ts';
import { replayWorkload } from './replay.ts';
import type { RunFilter, Store } from './store/store.ts';
import { whatIf } from './placement/what-if.ts';

/** So many that still wait are explained. */
const EXPLAINED = 100;

/** What the API may try out on the pools that this server runs. */
export function simulationReader(
  engines: ReadonlyMap<string, Engine>,
  store: Store,
  clock: Clock,
  makePlacement: (pool: string, choice: SchedulerChoice) => Placement | null,
): SimulationReader {
  return {
    node: (pool, name) => engines.get(pool)?.node(name) ?? null,
    simulate(pool, choice, changes) {
      const placement = makePlacement(pool, choice);
      if (placement === null || !engines.get(pool)?.describeTo(placement)) return null;
      return whatIf(placement, changes, clock.now(), EXPLAINED);
    },
    async replay(pool, from, to, choices) {
      const runs = await recordedRuns(store, { pool, createdAfter: from, createdBefore: to });
      if (runs === null) return null;
      const workload = recordedWorkload(pool, runs, await store.nodes.ofPool(pool));
      return {
        taskRunCount: workload.tasks.length,
        workload,
        results: await replayWorkload(workload, choices, (choice) => makePlacement(pool, choice)!, clock),
      };
    },
  };
}

/** So much is replayed at most. */
const MAX_TASK_RUNS = 20_000;
const PAGE = 200;

/** The ended runs of a period, whole; null when they have too many task runs. */
async function recordedRuns(store: Store, period: RunFilter): Promise<readonly RecordedRun[] | null> {
  const runs: RecordedRun[] = [];
  let taskRuns = 0;
  let after: string | undefined;
  for (;;) {
    const filter = { ...period, states: ['SUCCEEDED', 'FAILED', 'CANCELLED'] as const };
    const page = await store.runs.page({ first: PAGE, ...(after === undefined ? {} : { after }) }, filter);
    taskRuns += page.rows.reduce((sum, { row }) => sum + row.taskRunCount, 0);
    if (taskRuns > MAX_TASK_RUNS) return null;
    runs.push(...(await store.runs.withTaskRuns(page.rows.map(({ row }) => row))));
    if (!page.hasNextPage) return runs.reverse();
    after = page.rows.at(-1)!.cursor;
  }
}
