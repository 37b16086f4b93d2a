import { Worker } from 'node:worker_threads';
import type { Clock } from './clock.ts';
import type { Replayed } from './replay.ts';
import type { ReplayNews, ReplayWork } from './replay-worker.ts';
import { ReplayFault } from './simulation/replay-fault.ts';

/** What a replay may take. */
export interface ReplayLimits {
  /** Milliseconds. */
  readonly deadlineMs: number;
  /** MiB. */
  readonly heapMb: number;
}
export const REPLAY_LIMITS: ReplayLimits = { deadlineMs: 600_000, heapMb: 1_024 };

/**
 * Does a replay in a thread of its own. Rejects with ReplayFault when it takes too long or too much memory, or a scheduler
 * cannot be had, and with the signal's reason when that is aborted: then the thread is ended.
 */
export async function replayInThread(
  work: ReplayWork,
  signal: AbortSignal,
  onProgress: (scheduler: string, share: number) => void,
  clock: Pick<Clock, 'sleep'>,
  limits: ReplayLimits = REPLAY_LIMITS,
): Promise<readonly Replayed[]> {
  signal.throwIfAborted();
  const worker = new Worker(new URL('./replay-worker.ts', import.meta.url), {
    workerData: work,
    resourceLimits: { maxOldGenerationSizeMb: limits.heapMb },
  });
  // A server that stops does not wait for it.
  worker.unref();
  const over = new AbortController();
  try {
    return await new Promise<readonly Replayed[]>((resolve, reject) => {
      worker.on('message', (news: ReplayNews) => {
        switch (news.type) {
          case 'PROGRESS':
            return onProgress(news.scheduler, news.share);
          case 'DONE':
            return resolve(news.results);
          case 'FAULT':
            return reject(new ReplayFault(news.message));
          default:
            news satisfies never;
        }
      });
      worker.on('error', (error: Error & { readonly code?: string }) => reject(faultOf(error, limits)));
      worker.on('exit', (code) => reject(new ReplayFault(`The thread of the replay ended with ${code}.`)));
      signal.addEventListener('abort', () => reject(signal.reason as Error), { signal: over.signal });
      clock.sleep(limits.deadlineMs, over.signal).then(
        () => reject(tooLong(limits)),
        () => undefined,
      );
    });
  } finally {
    over.abort();
    await worker.terminate();
  }
}

const tooLong = ({ deadlineMs }: ReplayLimits): ReplayFault =>
  new ReplayFault(
    `The replay took longer than ${deadlineMs / 1_000} s. Choose a shorter period or fewer schedulers, or save the trace and replay it with gantry replay <file>.`,
  );

function faultOf(error: Error & { readonly code?: string }, { heapMb }: ReplayLimits): ReplayFault {
  if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return new ReplayFault(error.message);
  return new ReplayFault(`The replay needed more than ${heapMb} MiB of memory. Choose a shorter period.`);
}
