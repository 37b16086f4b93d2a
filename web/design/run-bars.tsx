import Link from 'next/link';
import type { RunBar } from '../client/operations.ts';
import { lookOf } from './states.ts';
import { durationText, localText } from './time.ts';

/** How long a run took or has taken; null when it has not begun. Milliseconds. */
export function runMs({ startedAt, finishedAt }: RunBar, now: number): number | null {
  if (startedAt === null) return null;
  return (finishedAt === null ? now : Date.parse(finishedAt)) - Date.parse(startedAt);
}

/** The latest runs as bars, the newest at the right: as high as they took long, in the colour of their state. */
export function RunBars({ runs, now }: { readonly runs: readonly RunBar[]; readonly now: number }) {
  const longest = Math.max(1, ...runs.map((run) => runMs(run, now) ?? 0));
  return (
    <span className="run-bars">
      {runs.toReversed().map((run) => {
        const took = runMs(run, now);
        const { tone, word } = lookOf(run.state);
        const title = `${word}${took === null ? '' : `, ${durationText(took)}`}, ${localText(run.createdAt)}`;
        return (
          <Link key={run.id} href={`/runs/${run.id}`} className={`run-bar tone-${tone}`} title={title}>
            <span className="visually-hidden">{title}</span>
            <i
              className={`is-${run.state.toLowerCase()}`}
              style={{ height: `${16 + (84 * (took ?? 0)) / longest}%` }}
            />
          </Link>
        );
      })}
    </span>
  );
}

/** The share of ended runs that succeeded; null when none has ended. */
export function successRate(runs: readonly RunBar[]): number | null {
  const ended = runs.filter(({ isFinished }) => isFinished);
  return ended.length === 0 ? null : ended.filter(({ state }) => state === 'SUCCEEDED').length / ended.length;
}
