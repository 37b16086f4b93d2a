import { useCallback, useEffect, useMemo, useState } from 'react';
import type { TaskRunRow, TimedAttempt } from '../../client/operations.ts';
import { durationText } from '../../design/time.ts';
import { useNow } from '../../design/times.tsx';
import { VirtualRows } from '../../design/virtual-rows.tsx';
import { labelOf } from './task-counts.ts';
import { barsOf } from './timeline-bars.ts';
import { useEarlierAttempts } from './use-earlier-attempts.ts';

interface TimelineProps {
  readonly taskRuns: readonly TaskRunRow[];
  readonly revision: number;
  readonly from: string;
  readonly to: string | null;
  readonly chosen: string | null;
  readonly choose: (id: string) => void;
}

const ROW = 28;
const TICKS = 5;

/** Of times in ISO 8601, all of one length and in UTC: they need no collation, which takes long for thousands. */
const order = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** When each task run waited, started and ran, under one another in the order in which they became ready. */
export function Timeline({ taskRuns, revision, from, to, chosen, choose }: TimelineProps) {
  const now = useNow(to === null);
  const begin = Date.parse(from);
  const end = Math.max(to === null ? now : Date.parse(to), begin + 1);
  const rows = useMemo(
    () =>
      taskRuns
        .filter(({ readyAt, attempt }) => readyAt !== null || attempt !== null)
        .sort((one, other) => order(one.readyAt ?? '', other.readyAt ?? '') || one.ordinal - other.ordinal),
    // The revision says that the list has changed in place.
    [taskRuns, revision],
  );
  const span = end - begin;
  const earlier = useEarlierAttempts();
  const [sight, setSight] = useState({ first: 0, last: 0 });
  const see = useCallback((first: number, last: number) => setSight({ first, last }), []);
  // Also when what is in sight is tried again.
  useEffect(() => earlier.see(rows.slice(sight.first, sight.last + 1)), [rows, sight, earlier.see]);
  return (
    <>
      <Legend />
      <VirtualRows
        label="Timeline"
        className="timeline"
        count={rows.length}
        rowHeight={ROW}
        keyOf={(index) => rows[index]!.id}
        onSight={see}
        head={
          <div className="rows-head timeline-row">
            <span>Task</span>
            <span className="timeline-axis">
              {Array.from({ length: TICKS }, (_, tick) => (
                <span key={tick} style={{ left: `${(100 * tick) / (TICKS - 1)}%` }}>
                  {durationText((span * tick) / (TICKS - 1))}
                </span>
              ))}
            </span>
          </div>
        }
        row={(index) => {
          const taskRun = rows[index]!;
          return (
            <div className={taskRun.id === chosen ? 'timeline-row is-chosen' : 'timeline-row'}>
              <button type="button" className="link clip mono cover-row" data-row onClick={() => choose(taskRun.id)}>
                {labelOf(taskRun)}
              </button>
              <Bars taskRun={taskRun} earlier={earlier.of(taskRun.id)} begin={begin} span={span} now={end} />
            </div>
          );
        }}
      />
    </>
  );
}

const Legend = () => (
  <p className="legend faint">
    <i className="bar is-waiting" /> waiting <i className="bar is-starting" /> starting{' '}
    <i className="bar tone-busy is-running" /> running · each attempt has a bar, in the colour of how it ended
  </p>
);

interface BarsProps {
  readonly taskRun: TaskRunRow;
  readonly earlier: readonly TimedAttempt[];
  readonly begin: number;
  readonly span: number;
  readonly now: number;
}

function Bars({ taskRun, earlier, begin, span, now }: BarsProps) {
  const bars = barsOf(taskRun, earlier, now);
  return (
    <span className="timeline-bars">
      <span className="visually-hidden">{[...new Set(bars.map(({ title }) => title))].join('; ')}</span>
      {bars.map(({ kind, tone, from, to, attempt, title }) => (
        <i
          key={`${attempt ?? from} ${kind}`}
          className={`bar is-${kind} tone-${tone}`}
          title={title}
          data-attempt={attempt}
          style={{ left: `${(100 * (from - begin)) / span}%`, width: `max(2px, ${(100 * (to - from)) / span}%)` }}
        />
      ))}
    </span>
  );
}
