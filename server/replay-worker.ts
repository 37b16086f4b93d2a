import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from './clock.ts';
import type { SchedulerChoice } from './domain/pool.ts';
import { createLog } from './log.ts';
import { createRegistry } from './plugin-host/registry.ts';
import { replayWorkload, type Replayed } from './replay.ts';
import { makeTrialPlacement } from './schedulers.ts';
import { readOwnTrace } from './simulation/own-trace.ts';

/* The thread of one replay: nothing that it does holds up the server, and it can be ended at any time. */

export interface ReplayWork {
  /** A trace of Gantry's own, as JSON. */
  readonly trace: string;
  readonly choices: readonly SchedulerChoice[];
  /** The sources of the plugins that the server has loaded, and those of them that are a stranger's. */
  readonly plugins: readonly string[];
  readonly foreign: readonly string[];
  readonly batch: number;
}

export type ReplayNews =
  /** `share` of all the work is done; `scheduler` is at it. */
  | { readonly type: 'PROGRESS'; readonly scheduler: string; readonly share: number }
  | { readonly type: 'DONE'; readonly results: readonly Replayed[] }
  | { readonly type: 'FAULT'; readonly message: string };

/** Between two reports. Milliseconds. */
const REPORT_MS = 200;

const tell = (news: ReplayNews): void => parentPort?.postMessage(news);

async function work({ trace, choices, plugins, foreign, batch }: ReplayWork): Promise<void> {
  const registry = await createRegistry(plugins, process.cwd(), foreign);
  const workload = readOwnTrace(JSON.parse(trace));
  const parts = { pool: workload.name, registry, clock: systemClock, log: createLog('error', 'pretty'), batch };
  let toldAt = -Infinity;
  const results = await replayWorkload(
    workload,
    choices,
    (choice) => {
      const placement = makeTrialPlacement(choice, parts);
      if (placement === null) throw new Error(`The scheduler ${choice.scheduler} cannot be used in a replay.`);
      return placement;
    },
    systemClock,
    {
      onProgress: (scheduler, share) => {
        const now = systemClock.monotonic();
        if (now - toldAt < REPORT_MS) return;
        toldAt = now;
        tell({ type: 'PROGRESS', scheduler, share });
      },
    },
  );
  tell({ type: 'DONE', results });
}

work(workerData as ReplayWork).catch((error: unknown) => {
  tell({ type: 'FAULT', message: error instanceof Error ? error.message : String(error) });
});
