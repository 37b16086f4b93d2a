import { Call, type CallEnded, type CallOptions } from './call.ts';
import type { Prepared } from './request.ts';

/** The signal came first. `isUnknown`: nobody knows what has become of the request, and it must not be made again. */
export interface Dropped {
  readonly ok: null;
  readonly isUnknown: boolean;
}

/** Makes a call, unless the signal ends it. */
export function ask(request: Prepared, options: CallOptions, signal: AbortSignal): Promise<CallEnded | Dropped> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ ok: null, isUnknown: false });
    const aborted = () => resolve({ ok: null, isUnknown: call.drop() });
    const call = new Call(request, options, (ended) => {
      signal.removeEventListener('abort', aborted);
      resolve(ended);
    });
    signal.addEventListener('abort', aborted, { once: true });
    call.begin();
  });
}
