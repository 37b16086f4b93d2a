import { useCallback, useEffect, useRef, useState } from 'react';
import { ask } from '../../client/ask.ts';
import { TaskRunAttempts, type TaskRunRow, type TimedAttempt } from '../../client/operations.ts';
import { serverAwaySince, watchReach } from '../../client/reach.ts';

/** As many task runs are asked about at once. */
const MOST = 100;

interface Known {
  /** The number of the latest attempt when it was asked. */
  readonly upTo: number;
  readonly attempts: readonly TimedAttempt[];
}

/** The attempts before the latest, of the task runs in sight: most have none, and what has ended stays as it is. */
export interface EarlierAttempts {
  readonly of: (taskRun: string) => readonly TimedAttempt[];
  /** These are in sight. */
  readonly see: (taskRuns: readonly TaskRunRow[]) => void;
}

const NONE: readonly TimedAttempt[] = [];

/** Reads the earlier attempts of what is in sight, once. */
export function useEarlierAttempts(): EarlierAttempts {
  const known = useRef(new Map<string, Known>());
  const inSight = useRef<readonly TaskRunRow[]>([]);
  const isReading = useRef(false);
  const [, setRound] = useState(0);
  const read = useCallback((): void => {
    if (isReading.current) return;
    const wanted = inSight.current
      .filter(({ id, attempt }) => (attempt?.number ?? 1) > 1 && known.current.get(id)?.upTo !== attempt?.number)
      .slice(0, MOST);
    if (wanted.length === 0) return;
    isReading.current = true;
    ask(TaskRunAttempts, { ids: wanted.map(({ id }) => id) }).then(
      ({ taskRuns }) => {
        const found = new Map(taskRuns.map(({ id, attempts }) => [id, attempts]));
        for (const { id, attempt } of wanted) {
          known.current.set(id, { upTo: attempt?.number ?? 1, attempts: found.get(id) ?? NONE });
        }
        isReading.current = false;
        setRound((old) => old + 1);
        // Something else may have come into sight.
        read();
      },
      // What is drawn is true without them; when something comes into sight, or the server is back, they are asked for again.
      () => (isReading.current = false),
    );
  }, []);
  useEffect(
    () =>
      watchReach(() => {
        if (serverAwaySince() === null) read();
      }),
    [read],
  );
  return {
    of: useCallback((taskRun) => known.current.get(taskRun)?.attempts ?? NONE, []),
    see: useCallback(
      (taskRuns) => {
        inSight.current = taskRuns;
        read();
      },
      [read],
    ),
  };
}
