import type { SimulationReader } from './api/context.ts';
import type { Clock } from './clock.ts';
import type { RunId } from './domain/ids.ts';
import type { SchedulerChoice } from './domain/pool.ts';
import type { Engine } from './engine/loop.ts';
import type { Placement } from './placement/placement.ts';
import { recordedWorkload, type RecordedRun } from './simulation/recorded-runs.ts';
import { replayInThread } from './replay-thread.ts';
import type { ReplayWork } from './replay-worker.ts';
import { ownTraceOf } from './simulation/own-trace.ts';
import { sampleRuns, type RunMark, type SampledRun } from './simulation/sample-runs.ts';
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
  { batch, ...plugins }: Pick<ReplayWork, 'plugins' | 'foreign' | 'batch'>,
): SimulationReader {
  return {
    node: (pool, name) => engines.get(pool)?.node(name) ?? null,
    simulate(pool, choice, changes) {
      const placement = makePlacement(pool, choice);
      if (placement === null || !engines.get(pool)?.describeTo(placement)) return null;
      return whatIf(placement, changes, clock.now(), EXPLAINED);
    },
    async replay(pool, from, to, choices, { signal, onProgress }) {
      const period = { pool, createdAfter: from, createdBefore: to, states: ENDED };
      const marks = await runMarks(store, period, signal, (share) =>
        onProgress({ phase: 'READING', scheduler: null, share }),
      );
      const sample = sampleRuns(marks, MAX_TASK_RUNS);
      const runs = await recordedRuns(store, sample.runs, signal);
      const workload = recordedWorkload(pool, runs, await store.nodes.ofPool(pool));
      const work = { trace: JSON.stringify(ownTraceOf(workload)), choices, ...plugins, batch };
      const results = await replayInThread(
        work,
        signal,
        (scheduler, share) => onProgress({ phase: 'REPLAYING', scheduler, share }),
        clock,
      );
      const { recordedCount, stretches } = sample;
      return {
        taskRunCount: workload.tasks.length,
        recordedCount,
        sampledCount: sample.taskRunCount,
        stretches,
        workload,
        results,
      };
    },
  };
}

/** So much is replayed at most: of more, stretches of the period. */
const MAX_TASK_RUNS = 20_000;
const PAGE = 500;
/** Whole runs with their task runs are read so many at a time. */
const WHOLE = 100;
const ENDED = ['SUCCEEDED', 'FAILED', 'CANCELLED'] as const;

/** The ended runs of a period as far as choosing among them needs, in the order of their creation. */
async function runMarks(
  store: Store,
  period: RunFilter,
  signal: AbortSignal,
  onProgress: (share: number) => void,
): Promise<readonly RunMark[]> {
  const total = await store.runs.count(period);
  const marks: RunMark[] = [];
  for (let after: string | undefined; ;) {
    signal.throwIfAborted();
    const page = await store.runs.page({ first: PAGE, ...(after === undefined ? {} : { after }) }, period);
    for (const { row } of page.rows) {
      marks.push({ id: row.id, createdAt: row.createdAt, taskRunCount: row.taskRunCount });
    }
    onProgress(Math.min(1, marks.length / Math.max(1, total)));
    if (!page.hasNextPage) return marks.reverse();
    after = page.rows.at(-1)!.cursor;
  }
}

/** The chosen runs, whole, as if the time between their stretches had not been. */
async function recordedRuns(
  store: Store,
  chosen: readonly SampledRun[],
  signal: AbortSignal,
): Promise<readonly RecordedRun[]> {
  const recorded: RecordedRun[] = [];
  for (let at = 0; at < chosen.length; at += WHOLE) {
    signal.throwIfAborted();
    const part = chosen.slice(at, at + WHOLE);
    const found = (await store.runs.byIds(part.map(({ id }) => id as RunId))).filter((run) => run !== null);
    const earlier = new Map(part.map(({ id, earlierMs }) => [id, earlierMs]));
    for (const whole of await store.runs.withTaskRuns(found)) {
      const { run } = whole;
      recorded.push({ ...whole, run: { ...run, createdAt: run.createdAt - (earlier.get(run.id) ?? 0) } });
    }
  }
  return recorded;
}
