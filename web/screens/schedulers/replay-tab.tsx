import { useState } from 'react';
import { ask } from '../../client/ask.ts';
import { ReplayPeriod, type ReplayPeriodData, type SchedulerPlugin } from '../../client/operations.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { Empty } from '../../design/notices.tsx';
import { ReplayResults } from './replay-results.tsx';

interface ReplayTabProps {
  readonly pool: string;
  readonly plugins: readonly SchedulerPlugin[];
}

const PERIODS = { '1h': 'The last hour', '24h': 'The last 24 hours', '168h': 'The last seven days' } as const;
const HOUR_MS = 3_600_000;

/** What a pool has done, done again in virtual time by several schedulers. */
export function ReplayTab({ pool, plugins }: ReplayTabProps) {
  const usable = plugins.filter(({ state }) => state === 'LOADED').map(({ name }) => name);
  const [period, setPeriod] = useState<keyof typeof PERIODS>('1h');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(usable));
  const [replay, setReplay] = useState<ReplayPeriodData['replay'] | null>(null);
  const names = usable.filter((name) => chosen.has(name));
  const run = async (): Promise<void> => {
    const from = new Date(Date.now() - Number.parseInt(period, 10) * HOUR_MS).toISOString();
    const schedulers = names.map((scheduler) => ({ scheduler }));
    setReplay((await ask(ReplayPeriod, { input: { pool, from, schedulers } })).replay);
  };
  return (
    <>
      <p className="faint">
        The task runs of a period are placed again, with the arrivals and durations that they had, on the nodes that
        there are now. Nothing runs, and nothing is changed.
      </p>
      <div className="filters" role="group" aria-label="What to replay">
        <select
          className="input"
          aria-label="Period"
          value={period}
          onChange={({ target }) => setPeriod(target.value as keyof typeof PERIODS)}
        >
          {Object.entries(PERIODS).map(([name, title]) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
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
        <ActionButton look="primary" refusal={names.length === 0 ? 'Choose a scheduler first.' : null} act={run}>
          Replay
        </ActionButton>
      </div>
      {replay === null ? null : replay.taskRunCount === 0 ? (
        <Empty title="Nothing ended in this period">Choose a longer one.</Empty>
      ) : (
        <ReplayResults replay={replay} />
      )}
    </>
  );
}
