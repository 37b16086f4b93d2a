import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { PlacementInput, SchedulerPlugin } from '@gantry/plugin-kit/scheduler';

/* The thread of one scheduler plugin: asked through a port, and heard through a counter, because who asks it waits. */

export interface WorkerStart {
  /** The module whose default export is the plugin. */
  readonly url: string;
  readonly port: MessagePort;
  /** Counted up when an answer lies in the port. */
  readonly answered: Int32Array;
}

export type WorkerAnswer =
  { readonly call: number; readonly output: unknown } | { readonly call: number; readonly thrown: string };

const { url, port, answered } = workerData as WorkerStart;
// Whoever made this thread may have been let go of.
parentPort?.unref();

const module = (await import(url)) as { readonly default: SchedulerPlugin };

port.on('message', ({ call, input }: { readonly call: number; readonly input: PlacementInput }) => {
  let answer: WorkerAnswer;
  try {
    answer = { call, output: module.default.place(input) };
  } catch (error) {
    answer = { call, thrown: error instanceof Error ? error.message : String(error) };
  }
  try {
    port.postMessage(answer);
  } catch (error) {
    port.postMessage({ call, thrown: `its answer is not plain data: ${String(error)}` } satisfies WorkerAnswer);
  }
  Atomics.add(answered, 0, 1);
  Atomics.notify(answered, 0);
});
