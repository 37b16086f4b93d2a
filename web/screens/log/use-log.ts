import { useEffect, useState } from 'react';
import { LogFeed, type LogFeedData } from '../../client/operations.ts';
import type { Fault } from '../../client/fault.ts';
import { follow } from '../../client/socket.ts';
import { LogLines, type LogLine } from './log-lines.ts';

/** A log as far as it has come. */
export interface LiveLog {
  readonly lines: readonly LogLine[];
  /** The places of lines that may still change. */
  readonly open: readonly number[];
  /** Grows with what comes, for `lines` is changed in place. */
  readonly revision: number;
  /** No more will come. */
  readonly isWhole: boolean;
  readonly fault: Fault | null;
}

/** Follows the log of a task run from its first line. */
export function useLog(taskRun: string): LiveLog {
  const [log, setLog] = useState<LiveLog>({ lines: [], open: [], revision: 0, isWhole: false, fault: null });
  useEffect(() => {
    let kept = new LogLines();
    let revision = 0;
    let frame: number | null = null;
    let end: Pick<LiveLog, 'isWhole' | 'fault'> = { isWhole: false, fault: null };
    const show = (): void => {
      frame ??= requestAnimationFrame(() => {
        frame = null;
        setLog({ lines: kept.lines, open: kept.open, revision: ++revision, ...end });
      });
    };
    show();
    const stop = follow<LogFeedData, { taskRun: string; after?: string | null }>(
      LogFeed,
      { taskRun },
      ({ logs }) => logs.cursor,
      {
        event: ({ logs }) => {
          kept.add(logs);
          show();
        },
        missed: () => {
          kept = new LogLines();
          show();
        },
        fault: (fault) => {
          end = { isWhole: true, fault };
          show();
        },
        end: () => {
          end = { isWhole: true, fault: null };
          show();
        },
      },
    );
    return () => {
      stop();
      if (frame !== null) cancelAnimationFrame(frame);
    };
  }, [taskRun]);
  return log;
}
