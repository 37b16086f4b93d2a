import { useState } from 'react';
import type { ReplayText } from '../../client/operations.ts';
import { LineChart, type Series } from '../../design/line-chart.tsx';
import { durationText, isoDurationMs } from '../../design/time.ts';

type Replay = ReplayText;
type Result = Replay['results'][number];

interface Figure {
  readonly title: string;
  readonly of: (result: Result) => number;
  readonly text: (value: number) => string;
  /** Whether more of it is better. */
  readonly isMore?: boolean;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const plain = (value: number): string => String(Math.round(100 * value) / 100);

const FIGURES: readonly Figure[] = [
  { title: 'Ended', of: ({ ended }) => ended, text: plain, isMore: true },
  { title: 'Makespan', of: ({ makespan }) => isoDurationMs(makespan), text: durationText },
  { title: 'Wait p50', of: ({ waitMs }) => waitMs.p50, text: durationText },
  { title: 'p95', of: ({ waitMs }) => waitMs.p95, text: durationText },
  { title: 'p99', of: ({ waitMs }) => waitMs.p99, text: durationText },
  { title: 'Slowdown', of: ({ slowdown }) => slowdown.mean, text: plain },
  { title: 'Fairness', of: ({ fairness }) => fairness, text: plain, isMore: true },
  { title: 'Preemptions', of: ({ preemptions }) => preemptions, text: plain },
  { title: 'Faults', of: ({ faults }) => faults, text: plain },
];

/** How the schedulers did, beside each other: as figures, and over time. */
export function ReplayResults({ replay: { taskRunCount, results } }: { readonly replay: Replay }) {
  const resources = [...new Set(results.flatMap(({ utilization }) => utilization.map(({ resource }) => resource)))];
  const [resource, setResource] = useState(resources[0] ?? '');
  const shown = resources.includes(resource) ? resource : (resources[0] ?? '');
  const over = (value: (sample: Result['samples'][number]) => number): readonly Series[] =>
    results.map(({ choice, samples }) => ({
      name: choice.scheduler,
      points: samples.map((sample) => ({ at: isoDurationMs(sample.at), value: value(sample) })),
    }));
  return (
    <div className="stack">
      <div className="panel scroll" role="region" aria-label="Schedulers compared" tabIndex={0}>
        <table>
          <caption className="visually-hidden">
            {taskRunCount} task runs, by scheduler; ★ is the best of a column
          </caption>
          <thead>
            <tr>
              <th scope="col">Scheduler</th>
              {FIGURES.map(({ title }) => (
                <th key={title} scope="col" className="number">
                  {title}
                </th>
              ))}
              {resources.map((name) => (
                <th key={name} scope="col" className="number">
                  {name} in use
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {results.map((result) => (
              <tr key={result.choice.scheduler}>
                <th scope="row">
                  {result.choice.scheduler} <span className="faint">{result.version}</span>
                </th>
                {FIGURES.map((figure) => (
                  <FigureCell key={figure.title} figure={figure} result={result} results={results} />
                ))}
                {resources.map((name) => (
                  <td key={name} className="number">
                    {percent(shareOf(result.utilization, name))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="faint">{taskRunCount} task runs. ★ is the best of a column, where they differ.</p>
      <div className="chart-grid">
        <LineChart title="Waiting" series={over(({ pending }) => pending)} valueText={plain} timeText={durationText} />
        <LineChart title="Running" series={over(({ running }) => running)} valueText={plain} timeText={durationText} />
        <div className="stack">
          <LineChart
            title={`${shown} in use`}
            series={over(({ utilization }) => shareOf(utilization, shown))}
            valueText={percent}
            timeText={durationText}
          />
          <select
            className="input"
            aria-label="Which resource"
            value={shown}
            onChange={({ target }) => setResource(target.value)}
          >
            {resources.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </div>
      </div>
    </div>
  );
}

const shareOf = (shares: Result['utilization'], name: string): number =>
  shares.find(({ resource }) => resource === name)?.share ?? 0;

interface FigureCellProps {
  readonly figure: Figure;
  readonly result: Result;
  readonly results: readonly Result[];
}

function FigureCell({ figure: { of, text, isMore = false }, result, results }: FigureCellProps) {
  const all = results.map(of);
  const best = isMore ? Math.max(...all) : Math.min(...all);
  // What reads the same is the same.
  const isBest = text(of(result)) === text(best) && all.some((value) => text(value) !== text(best));
  return (
    <td className={isBest ? 'number strong' : 'number'}>
      {isBest ? '★ ' : ''}
      {text(of(result))}
    </td>
  );
}
