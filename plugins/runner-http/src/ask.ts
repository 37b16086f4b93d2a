import { Call, type CallEnded, type CallOptions } from './call.ts';
import type { Prepared } from './request.ts';

/** Makes a call; null when the signal ended it. */
export function ask(request: Prepared, options: CallOptions, signal: AbortSignal): Promise<CallEnded | null> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(null);
    const aborted = () => {
      call.drop();
      resolve(null);
    };
    const call = new Call(request, options, (ended) => {
      signal.removeEventListener('abort', aborted);
      resolve(ended);
    });
    signal.addEventListener('abort', aborted, { once: true });
    call.begin();
  });
}
