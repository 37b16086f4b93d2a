import Link from 'next/link';
import type { ReactNode } from 'react';
import type { RunFilter } from '../../client/operations.ts';
import { StateMark } from '../../design/state-mark.tsx';
import { lookOf } from '../../design/states.ts';
import { Ago, Took } from '../../design/times.tsx';
import { useLiveRuns } from '../runs/live-runs.ts';

interface RunCardProps {
  readonly title: string;
  readonly filter: RunFilter;
  /** Where all of them are. */
  readonly href: string;
  readonly empty: ReactNode;
}

const SHOWN = 8;

/** A few runs of one kind, and the way to all of them. */
export function RunCard({ title, filter, href, empty }: RunCardProps) {
  const { data, fault } = useLiveRuns(filter, SHOWN);
  const rows = data?.rows.slice(0, SHOWN) ?? [];
  return (
    <section className="panel run-card">
      <header className="panel-head">
        <h2>{title}</h2>
        <Link href={href}>All</Link>
      </header>
      {fault ? <p className="panel-body wrong">{fault.message}</p> : null}
      {data !== null && rows.length === 0 ? <p className="panel-body faint">{empty}</p> : null}
      <ul>
        {rows.map((run) => (
          <li key={run.id} className="run-line">
            <StateMark state={run.state} title={lookOf(run.state).word} />
            <Link className="clip cover-row" href={`/runs/${run.id}`} data-row>
              {run.pipelineName}
            </Link>
            <span className="faint nowrap">
              {run.isFinished ? (
                <Ago at={run.finishedAt ?? run.createdAt} />
              ) : (
                <>
                  {run.counts.finished}/{run.counts.total} · <Took from={run.startedAt ?? run.createdAt} to={null} />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
