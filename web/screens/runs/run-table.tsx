import Link from 'next/link';
import type { RunRow } from '../../client/operations.ts';
import { StateMark } from '../../design/state-mark.tsx';
import { lookOf } from '../../design/states.ts';
import { Ago, Took } from '../../design/times.tsx';
import { VirtualRows } from '../../design/virtual-rows.tsx';

interface RunTableProps {
  readonly rows: readonly RunRow[];
  /** Ids; without it nothing can be chosen. */
  readonly chosen?: ReadonlySet<string>;
  readonly choose?: (ids: readonly string[], isChosen: boolean) => void;
  /** Left out where all are of one pipeline. */
  readonly hasPipeline?: boolean;
}

const ROW = 40;

/** Runs, one a row. */
export function RunTable({ rows, chosen, choose, hasPipeline = true }: RunTableProps) {
  const areAll = chosen !== undefined && rows.length > 0 && rows.every(({ id }) => chosen.has(id));
  return (
    <VirtualRows
      label="Runs"
      className={`run-table${hasPipeline ? '' : ' is-of-one'}${choose ? ' has-choice' : ''}`}
      count={rows.length}
      rowHeight={ROW}
      keyOf={(index) => rows[index]!.id}
      head={
        <div className="rows-head run-row">
          {choose ? (
            <input
              type="checkbox"
              aria-label="All that are shown"
              checked={areAll}
              onChange={() =>
                choose(
                  rows.map(({ id }) => id),
                  !areAll,
                )
              }
            />
          ) : null}
          <span>State</span>
          {hasPipeline ? <span>Pipeline</span> : null}
          <span>Run</span>
          <span>Tasks</span>
          <span>Took</span>
          <span>Created</span>
          <span className="wide-only">By</span>
        </div>
      }
      row={(index) => {
        const run = rows[index]!;
        return (
          <RunLine
            run={run}
            hasPipeline={hasPipeline}
            isChosen={chosen?.has(run.id) ?? false}
            {...(choose ? { choose: (isChosen: boolean) => choose([run.id], isChosen) } : {})}
          />
        );
      }}
    />
  );
}

interface RunLineProps {
  readonly run: RunRow;
  readonly hasPipeline: boolean;
  readonly isChosen: boolean;
  readonly choose?: (isChosen: boolean) => void;
}

function RunLine({ run, hasPipeline, isChosen, choose }: RunLineProps) {
  const { id, pipelineName, state, counts, startedAt, finishedAt, createdAt, createdBy, trigger } = run;
  return (
    <div className={isChosen ? 'run-row is-chosen' : 'run-row'}>
      {choose ? (
        <input
          type="checkbox"
          aria-label={`Choose run ${id}`}
          checked={isChosen}
          onChange={({ target }) => choose(target.checked)}
        />
      ) : null}
      <span className="state">
        <StateMark state={state} />
        {lookOf(state).word}
      </span>
      {hasPipeline ? <span className="clip strong">{pipelineName}</span> : null}
      <Link className="clip mono cover-row" href={`/runs/${id}`} data-row>
        {id}
      </Link>
      <span className="number nowrap" title={counts.failed > 0 ? `${counts.failed} failed` : undefined}>
        {counts.finished}/{counts.total}
        {counts.failed > 0 ? <span className="wrong"> · {counts.failed} failed</span> : null}
      </span>
      <span className="number">
        <Took from={startedAt} to={finishedAt} />
      </span>
      <span className="nowrap">
        <Ago at={createdAt} />
      </span>
      <span className="clip faint wide-only">{trigger === 'RETRY' ? `retry by ${createdBy}` : createdBy}</span>
    </div>
  );
}
