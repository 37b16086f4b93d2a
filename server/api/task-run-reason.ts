import type { Reason } from '@gantry/plugin-kit/vocabulary';
import type { TaskRun } from '../domain/task-run.ts';
import type { Loaders } from './loaders.ts';

/**
 * Why a task run ended as it did, or why it is tried again; null for one that succeeded or has not ended. What was kept
 * with it comes first; what its latest attempt or its run tells is kept nowhere else.
 */
export async function reasonOf(taskRun: TaskRun, loaders: Pick<Loaders, 'reasons' | 'runs'>): Promise<Reason | null> {
  const { state, attempt, run } = taskRun;
  switch (state) {
    case 'BACKOFF':
      return attempt?.failure?.reason ?? null;
    case 'FAILED':
      return (await loaders.reasons.load(taskRun)) ?? attempt?.failure?.reason ?? (await runReason(taskRun, loaders));
    case 'SKIPPED':
      return (await loaders.reasons.load(taskRun)) ?? { code: 'SKIPPED', message: 'There was nothing for it to do.' };
    case 'UPSTREAM_FAILED':
      return (await loaders.reasons.load(taskRun)) ?? UPSTREAM_FAILED;
    case 'CANCELLED':
      return runReason(taskRun, loaders);
    case 'CACHED': {
      const of = (await loaders.runs.load(run))?.retryOf;
      const from = of === null || of === undefined ? 'an earlier run' : `run ${of}`;
      return { code: 'CACHED', message: `Its outputs were taken over from ${from}: it was not done again.` };
    }
    case 'WAITING':
    case 'READY':
    case 'ASSIGNED':
    case 'RUNNING':
    case 'BLOCKED':
    case 'CANCELLING':
    case 'SUCCEEDED':
      return null;
    default:
      return state satisfies never;
  }
}

/** Of runs that ended before such reasons were kept. */
const UPSTREAM_FAILED: Reason = { code: 'UPSTREAM_FAILED', message: 'Something that it needs failed.' };

/** What its run says: of a cancelled one, by whom. */
async function runReason({ run }: TaskRun, { runs }: Pick<Loaders, 'runs'>): Promise<Reason | null> {
  return (await runs.load(run))?.reason ?? null;
}
