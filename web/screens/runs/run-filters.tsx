import type { RunFilter, RunState } from '../../client/operations.ts';
import { useAddress } from '../../client/use-address.ts';
import { StateMark } from '../../design/state-mark.tsx';
import { lookOf, RUN_STATES } from '../../design/states.ts';

const PERIODS: readonly (readonly [name: string, title: string, ms: number])[] = [
  ['1h', 'The last hour', 3_600_000],
  ['24h', 'The last 24 hours', 86_400_000],
  ['7d', 'The last 7 days', 604_800_000],
];

/** The filter that the address names. The beginning of a period stays where it was when the page was opened. */
export function filterOf(read: (name: string) => string | null, opened: number): RunFilter {
  const wanted = read('states')?.split(',') ?? [];
  const states = RUN_STATES.filter((state) => wanted.includes(state));
  const period = PERIODS.find(([name]) => name === read('since'));
  const trigger = read('trigger');
  return {
    ...(states.length > 0 ? { states } : {}),
    ...(read('pipeline') ? { pipeline: read('pipeline') } : {}),
    ...(read('pool') ? { pool: read('pool') } : {}),
    ...(trigger === 'MANUAL' || trigger === 'RETRY' ? { trigger } : {}),
    ...(period ? { createdAfter: new Date(opened - period[2]).toISOString() } : {}),
  };
}

/** What narrows the list; all of it is kept in the address. */
export function RunFilters() {
  const [read, write] = useAddress();
  const states = new Set(read('states')?.split(',') ?? []);
  const toggle = (state: RunState): void => {
    if (!states.delete(state)) states.add(state);
    write({ states: [...states].join(',') });
  };
  return (
    <div className="filters" role="group" aria-label="Filters">
      <div className="chips">
        {RUN_STATES.map((state) => (
          <button
            key={state}
            type="button"
            className="button chip-button"
            aria-pressed={states.has(state)}
            onClick={() => toggle(state)}
          >
            <StateMark state={state} />
            {lookOf(state).word}
          </button>
        ))}
      </div>
      <input
        className="input"
        type="search"
        placeholder="Pipeline"
        aria-label="Only of this pipeline"
        defaultValue={read('pipeline') ?? ''}
        key={read('pipeline') ?? ''}
        onBlur={({ target }) => write({ pipeline: target.value.trim() })}
        onKeyDown={({ key, currentTarget }) => {
          if (key === 'Enter') write({ pipeline: currentTarget.value.trim() });
        }}
      />
      <select
        className="input"
        aria-label="Since when"
        value={read('since') ?? ''}
        onChange={({ target }) => write({ since: target.value })}
      >
        <option value="">All times</option>
        {PERIODS.map(([name, title]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
      <select
        className="input"
        aria-label="What set it going"
        value={read('trigger') ?? ''}
        onChange={({ target }) => write({ trigger: target.value })}
      >
        <option value="">Any trigger</option>
        <option value="MANUAL">Triggered</option>
        <option value="RETRY">Retries</option>
      </select>
    </div>
  );
}
