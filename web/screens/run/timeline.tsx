import { useMemo } from 'react';
import type { TaskRunRow } from '../../client/operations.ts';
import { lookOf } from '../../design/states.ts';
import { durationText } from '../../design/time.ts';
import { useNow } from '../../design/times.tsx';
import { VirtualRows } from '../../design/virtual-rows.tsx';
import { labelOf } from './task-counts.ts';

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
  return (
    <>
      <Legend />
      <VirtualRows
        label="Timeline"
        className="timeline"
        count={rows.length}
        rowHeight={ROW}
        keyOf={(index) => rows[index]!.id}
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
              <Bars taskRun={taskRun} begin={begin} span={span} now={end} />
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
    <i className="bar tone-busy is-running" /> running
  </p>
);

interface BarsProps {
  readonly taskRun: TaskRunRow;
  readonly begin: number;
  readonly span: number;
  readonly now: number;
}

function Bars({ taskRun: { readyAt, attempt, state, finishedAt }, begin, span, now }: BarsProps) {
  const at = (time: string | null | undefined): number | null => (time ? Date.parse(time) : null);
  const ready = at(readyAt);
  const assigned = at(attempt?.assignedAt);
  const started = at(attempt?.startedAt);
  const ended = at(attempt?.finishedAt) ?? at(finishedAt) ?? now;
  const pieces = [
    { kind: 'waiting', from: ready, to: assigned ?? ended },
    { kind: 'starting', from: assigned, to: started ?? ended },
    { kind: 'running', from: started, to: ended },
  ];
  const words = pieces
    .flatMap(({ kind, from, to }) => (from === null ? [] : [`${kind} ${durationText(to - from)}`]))
    .join(', ');
  return (
    <span className={`timeline-bars tone-${lookOf(state).tone}`} title={`${lookOf(state).word}: ${words}`}>
      {pieces.map(({ kind, from, to }) =>
        from === null || to < from ? null : (
          <i
            key={kind}
            className={`bar is-${kind}`}
            style={{ left: `${(100 * (from - begin)) / span}%`, width: `max(2px, ${(100 * (to - from)) / span}%)` }}
          />
        ),
      )}
    </span>
  );
}
