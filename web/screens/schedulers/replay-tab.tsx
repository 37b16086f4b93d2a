import { useState } from 'react';
import type { ReplayText, SchedulerPlugin } from '../../client/operations.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { Empty, FaultNotice } from '../../design/notices.tsx';
import { useRefusal } from '../session/viewer.ts';
import { ReplayResults } from './replay-results.tsx';
import { useReplay, type LiveReplay } from './use-replay.ts';

interface ReplayTabProps {
  readonly pool: string;
  readonly plugins: readonly SchedulerPlugin[];
}

const PERIODS = {
  '1h': 'The last hour',
  '24h': 'The last 24 hours',
  '168h': 'The last seven days',
  '720h': 'The last 30 days',
  own: 'From … to …',
} as const;
const HOUR_MS = 3_600_000;

interface Period {
  readonly name: keyof typeof PERIODS;
  /** As the browser's field has it: local time, without a zone. Empty for none. */
  readonly from: string;
  readonly to: string;
}

/** The period in terms of the API; null where its beginning is missing. */
function bounds({ name, from, to }: Period): { readonly from: string; readonly to?: string } | null {
  if (name !== 'own') return { from: new Date(Date.now() - Number.parseInt(name, 10) * HOUR_MS).toISOString() };
  if (from === '') return null;
  const end = to === '' ? {} : { to: new Date(to).toISOString() };
  return { from: new Date(from).toISOString(), ...end };
}

/** What a pool has done, done again in virtual time by several schedulers. */
export function ReplayTab({ pool, plugins }: ReplayTabProps) {
  const refusal = useRefusal('OPERATOR');
  const usable = plugins.filter(({ state }) => state === 'LOADED').map(({ name }) => name);
  const [period, setPeriod] = useState<Period>({ name: '1h', from: '', to: '' });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(usable));
  const live = useReplay();
  const names = usable.filter((name) => chosen.has(name));
  const run = (): void => {
    const span = bounds(period);
    if (span !== null) live.begin({ pool, ...span, schedulers: names.map((scheduler) => ({ scheduler })) });
  };
  const unable =
    names.length === 0 ? 'Choose a scheduler first.' : bounds(period) === null ? 'Say when the period begins.' : null;
  return (
    <>
      <p className="faint">
        The task runs of a period are placed again, with the arrivals and durations that they had, on the nodes that
        there are now. Nothing runs, and nothing is changed.
      </p>
      <div className="filters" role="group" aria-label="What to replay">
        <PeriodChoice period={period} change={setPeriod} />
        {usable.map((name) => (
          <label key={name} className="choice">
            <input
              type="checkbox"
              checked={chosen.has(name)}
              onChange={({ target }) => {
                const next = new Set(chosen);
                if (target.checked) next.add(name);
                else next.delete(name);
                setChosen(next);
              }}
            />
            {name}
          </label>
        ))}
        {live.progress === null ? (
          <ActionButton look="primary" refusal={refusal ?? unable} act={run}>
            Replay
          </ActionButton>
        ) : (
          <ActionButton act={live.stop}>Stop</ActionButton>
        )}
      </div>
      {live.progress === null ? null : <Progress progress={live.progress} />}
      {live.fault === null ? null : <FaultNotice fault={live.fault} retry={run} />}
      {live.replay === null ? null : <Outcome replay={live.replay} />}
    </>
  );
}

function PeriodChoice({ period, change }: { readonly period: Period; readonly change: (period: Period) => void }) {
  return (
    <>
      <select
        className="input"
        aria-label="Period"
        value={period.name}
        onChange={({ target }) => change({ ...period, name: target.value as Period['name'] })}
      >
        {Object.entries(PERIODS).map(([name, title]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
      {period.name === 'own'
        ? (['from', 'to'] as const).map((end) => (
            <input
              key={end}
              className="input"
              type="datetime-local"
              aria-label={end === 'from' ? 'From' : 'To; now when it is left empty'}
              value={period[end]}
              onChange={({ target }) => change({ ...period, [end]: target.value })}
            />
          ))
        : null}
    </>
  );
}

function Progress({
  progress: { phase, share, scheduler },
}: {
  readonly progress: NonNullable<LiveReplay['progress']>;
}) {
  return (
    <div className="task-progress" role="status" aria-label="Replay">
      <progress value={phase === 'READING' && share === 0 ? undefined : share} aria-label="Progress" />
      <span>
        {phase === 'READING' ? 'The runs of the period are read' : `${scheduler} does the work`},{' '}
        {Math.floor(100 * share)} %
      </span>
    </div>
  );
}

function Outcome({ replay }: { readonly replay: ReplayText }) {
  const { taskRunCount, recordedCount, sampledCount, stretches } = replay;
  if (taskRunCount === 0) return <Empty title="Nothing ended in this period">Choose another one.</Empty>;
  return (
    <>
      <p role="note">
        {sampledCount === recordedCount ? (
          <>All {recordedCount.toLocaleString()} task runs of the period were taken</>
        ) : (
          <>
            <strong>
              {sampledCount.toLocaleString()} of {recordedCount.toLocaleString()} task runs of the period were taken (
              {((100 * sampledCount) / recordedCount).toFixed(1)} %)
            </strong>
            : {stretches} stretches, evenly spread, each with the arrivals that it had and with all nodes. The figures
            are those of the stretches; the makespan is that of all of them, one behind the other
          </>
        )}
        {taskRunCount === sampledCount
          ? '.'
          : `; ${taskRunCount.toLocaleString()} of them were executed and so were placed again.`}
      </p>
      <ReplayResults replay={replay} />
    </>
  );
}
