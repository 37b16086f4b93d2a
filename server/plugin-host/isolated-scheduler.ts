import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import type { PlacementInput, PlacementOutput, SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import type { WorkerAnswer, WorkerStart } from './scheduler-worker.ts';

/** How long a call may take before its thread is ended, and how much longer the first one of a thread. Milliseconds. */
const CALL_MS = 2_000;
const START_MS = 5_000;
/** What a plugin may hold. MiB. */
const MAX_HEAP_MB = 512;

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly answered: Int32Array;
  hasAnswered: boolean;
}

/**
 * A stranger's scheduler in a thread of its own. A call waits for the answer, because placement is part of the engine's
 * step; but a call that does not come back is given up and its thread ended, which nothing can do to a function in this
 * one. Input and output are copied on the way, so nothing that it does to them is seen here.
 */
export function isolated(plugin: SchedulerPlugin, url: string, callMs: number = CALL_MS): SchedulerPlugin {
  let thread: Thread | null = null;
  let calls = 0;

  const begin = (): Thread => {
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const { port1: port, port2 } = new MessageChannel();
    const worker = new Worker(new URL('./scheduler-worker.ts', import.meta.url), {
      workerData: { url, port: port2, answered } satisfies WorkerStart,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    const begun = { worker, port, answered, hasAnswered: false };
    // It has run out of memory, or ended itself: the next call begins another.
    const forget = () => {
      if (thread === begun) thread = null;
    };
    worker.on('error', forget).on('exit', forget).unref();
    port.unref();
    return begun;
  };

  const end = (ended: Thread): void => {
    thread = null;
    ended.port.close();
    void ended.worker.terminate();
  };

  const ask = (asked: Thread, input: PlacementInput): WorkerAnswer => {
    const call = ++calls;
    const before = Atomics.load(asked.answered, 0);
    asked.port.postMessage({ call, input });
    const patienceMs = asked.hasAnswered ? callMs : callMs + START_MS;
    if (Atomics.wait(asked.answered, 0, before, patienceMs) === 'timed-out') {
      end(asked);
      throw new Error(`it did not answer within ${patienceMs} ms, and its thread was ended`);
    }
    asked.hasAnswered = true;
    const received = receiveMessageOnPort(asked.port) as { readonly message: WorkerAnswer } | undefined;
    if (received?.message.call === call) return received.message;
    end(asked);
    throw new Error('its thread gave an answer to another question');
  };

  return {
    ...plugin,
    place(input) {
      const answer = ask((thread ??= begin()), input as PlacementInput);
      if ('thrown' in answer) throw new Error(answer.thrown);
      return answer.output as PlacementOutput;
    },
  };
}
