import Link from 'next/link';
import type { EndedAttempt } from '../../client/operations.ts';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { StateText } from '../../design/state-mark.tsx';
import { At, Took } from '../../design/times.tsx';
import { useEndedAttempts } from './use-ended-attempts.ts';

/** What has ended on a node: the newest run's first, and back page by page. */
export function EndedAttemptsPanel({ name }: { readonly name: string }) {
  const { attempts, hasMore, hasNews, isReading, fault, readMore, beginAnew } = useEndedAttempts(name);
  return (
    <section className="panel" aria-label="Ended here">
      <header className="panel-head">
        <h2>Ended here</h2>
        {hasNews ? (
          <button type="button" className="button bare" onClick={beginAnew}>
            More has ended: show it
          </button>
        ) : (
          <span className="faint">newest runs first</span>
        )}
      </header>
      {fault ? (
        <div className="pad">
          <FaultNotice fault={fault} retry={readMore} />
        </div>
      ) : null}
      {attempts === null && !fault ? <Loading what="what has ended" /> : null}
      {attempts?.length === 0 ? (
        hasMore ? (
          <p className="faint pad">None of the newest task runs came here. Older ones may have.</p>
        ) : (
          <Empty title="Nothing has ended here yet">What does shows up by itself.</Empty>
        )
      ) : null}
      {attempts !== null && attempts.length > 0 ? <AttemptTable attempts={attempts} /> : null}
      {hasMore ? (
        <div className="actions pad">
          <button type="button" className="button" aria-disabled={isReading} onClick={readMore}>
            {isReading ? 'Reading …' : 'Older'}
          </button>
        </div>
      ) : null}
    </section>
  );
}

function AttemptTable({ attempts }: { readonly attempts: readonly EndedAttempt[] }) {
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th>State</th>
            <th>Task</th>
            <th>Pipeline</th>
            <th className="number">Attempt</th>
            <th className="number">Took</th>
            <th>Ended</th>
          </tr>
        </thead>
        <tbody>
          {attempts.map(({ id, number, state, startedAt, finishedAt, failure, taskRun }) => (
            <tr key={id}>
              <td title={failure?.message}>
                <StateText state={state} />
              </td>
              <td>
                <Link className="mono" href={`/runs/${taskRun.runId}?task=${taskRun.id}`} data-row>
                  {taskRun.mapIndex === null ? taskRun.taskKey : `${taskRun.taskKey}[${taskRun.mapIndex}]`}
                </Link>
              </td>
              <td>{taskRun.run?.pipelineName}</td>
              <td className="number">{number}</td>
              <td className="number">
                <Took from={startedAt} to={finishedAt} />
              </td>
              <td className="nowrap faint">{finishedAt === null ? null : <At at={finishedAt} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
