import Link from 'next/link';
import { RunBars, successRate } from '../../design/run-bars.tsx';
import { StateMark } from '../../design/state-mark.tsx';
import { lookOf } from '../../design/states.ts';
import { Ago, Took, useNow } from '../../design/times.tsx';
import { VirtualRows } from '../../design/virtual-rows.tsx';
import type { PipelineLine } from './live-pipelines.ts';

const ROW = 52;

/** Pipelines, one a row. */
export function PipelineTable({ rows }: { readonly rows: readonly PipelineLine[] }) {
  const now = useNow(rows.some(({ runs }) => runs.some(({ isFinished }) => !isFinished)));
  return (
    <VirtualRows
      label="Pipelines"
      className="pipeline-table"
      count={rows.length}
      rowHeight={ROW}
      keyOf={(index) => rows[index]!.name}
      head={
        <div className="rows-head pipeline-row">
          <span>Pipeline</span>
          <span>Last run</span>
          <span className="wide-only">Took</span>
          <span>Latest runs</span>
          <span className="wide-only">Succeeded</span>
        </div>
      }
      row={(index) => <PipelineRow line={rows[index]!} now={now} />}
    />
  );
}

function PipelineRow({ line, now }: { readonly line: PipelineLine; readonly now: number }) {
  const { name, paused, version, runs } = line;
  const last = runs[0];
  const rate = successRate(runs);
  return (
    <div className="pipeline-row">
      <span className="two-lines">
        <span className="clip">
          <Link className="strong cover-row" href={`/pipelines/${encodeURIComponent(name)}`} data-row>
            {name}
          </Link>{' '}
          {paused ? <span className="chip">paused</span> : null}
        </span>
        <span className="clip faint">{version?.description ?? ''}</span>
      </span>
      {last === undefined ? (
        <span className="faint">never run</span>
      ) : (
        <span className="two-lines">
          <span className="state">
            <StateMark state={last.state} />
            {lookOf(last.state).word}
          </span>
          <span className="faint">
            <Ago at={last.createdAt} />
          </span>
        </span>
      )}
      <span className="wide-only number-left">{last ? <Took from={last.startedAt} to={last.finishedAt} /> : null}</span>
      <RunBars runs={runs} now={now} />
      <span className="wide-only" title={`Of the latest ${runs.length}`}>
        {rate === null ? <span className="faint">–</span> : `${Math.round(100 * rate)} %`}
      </span>
    </div>
  );
}
