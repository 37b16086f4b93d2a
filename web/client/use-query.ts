import { useCallback, useEffect, useState } from 'react';
import { ask } from './ask.ts';
import { asFault, UNREACHABLE, type Fault } from './fault.ts';
import type { Operation } from './operation.ts';
import { serverAwaySince, watchReach } from './reach.ts';

/** What a query yielded. */
export interface Answer<Data> {
  /** Null until it has come; the last one while it is asked anew. */
  readonly data: Data | null;
  readonly fault: Fault | null;
  readonly reload: () => void;
}

/** Asks once, and again when the variables change. For what no subscription tells of. */
export function useQuery<Data, Variables>(operation: Operation<Data, Variables>, variables: Variables): Answer<Data> {
  const key = `${operation.name} ${JSON.stringify(variables)}`;
  const [answer, setAnswer] = useState<{ key: string; data: Data | null; fault: Fault | null } | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    ask(operation, variables, ending.signal).then(
      (data) => {
        // After an abort the answer may still come, and be older than the one to the next question.
        if (!ending.signal.aborted) setAnswer({ key, data, fault: null });
      },
      (error: unknown) => {
        if (!ending.signal.aborted) setAnswer((old) => ({ key, data: old?.data ?? null, fault: asFault(error) }));
      },
    );
    return () => ending.abort();
    // The key names the operation and its variables.
  }, [key, round]);
  // What failed because the server was away is asked again as soon as it is back.
  const isUnreachable = answer?.key === key && answer.fault?.code === UNREACHABLE;
  useEffect(() => {
    if (!isUnreachable) return undefined;
    return watchReach(() => {
      if (serverAwaySince() === null) setRound((old) => old + 1);
    });
  }, [isUnreachable]);
  const reload = useCallback(() => setRound((old) => old + 1), []);
  const isCurrent = answer?.key === key;
  return { data: isCurrent ? answer.data : null, fault: isCurrent ? answer.fault : null, reload };
}
