import { useCallback, useEffect, useRef, useState } from 'react';
import type { Fault } from '../../client/fault.ts';
import { ReplayPeriod, type ReplayInput, type ReplayPeriodData, type ReplayText } from '../../client/operations.ts';
import { follow } from '../../client/socket.ts';

/** A replay that is done in the background, as far as it is. */
export interface LiveReplay {
  /** How far it is; null while none is under way. */
  readonly progress: Pick<ReplayPeriodData['replay'], 'phase' | 'share' | 'scheduler'> | null;
  /** What came of the last one. */
  readonly replay: ReplayText | null;
  readonly fault: Fault | null;
  readonly begin: (input: ReplayInput) => void;
  /** Ends it; who leaves the screen ends it, too. */
  readonly stop: () => void;
}

const START = { phase: 'READING', share: 0, scheduler: null } as const;

/** Does replays, one at a time. */
export function useReplay(): LiveReplay {
  const [state, setState] = useState<Pick<LiveReplay, 'progress' | 'replay' | 'fault'>>({
    progress: null,
    replay: null,
    fault: null,
  });
  const unfollow = useRef<() => void>(() => undefined);
  useEffect(() => () => unfollow.current(), []);
  const begin = useCallback((input: ReplayInput): void => {
    unfollow.current();
    setState((old) => ({ ...old, progress: START, fault: null }));
    unfollow.current = follow<ReplayPeriodData, { input: ReplayInput; after?: null }>(ReplayPeriod, { input }, null, {
      event: ({ replay: { replay, ...progress } }) =>
        setState((old) => (replay === null ? { ...old, progress } : { progress: null, replay, fault: null })),
      // A new connection begins it again by itself.
      missed: () => setState((old) => ({ ...old, progress: START })),
      fault: (fault) => setState((old) => ({ ...old, progress: null, fault })),
      end: () => setState((old) => ({ ...old, progress: null })),
    });
  }, []);
  const stop = useCallback((): void => {
    unfollow.current();
    setState((old) => ({ ...old, progress: null }));
  }, []);
  return { ...state, begin, stop };
}
