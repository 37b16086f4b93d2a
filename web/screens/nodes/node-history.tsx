import type { NodeRecordRow } from '../../client/operations.ts';
import { FaultNotice, Loading } from '../../design/notices.tsx';
import { StateMark } from '../../design/state-mark.tsx';
import { At } from '../../design/times.tsx';
import { wordsOfRecord } from './node-record-words.ts';
import { useNodeHistory } from './use-node-history.ts';

/** What has happened to a node, newest first: as it happens, and back page by page. */
export function NodeHistory({ name }: { readonly name: string }) {
  const { records, hasMore, isReading, fault, readMore } = useNodeHistory(name);
  return (
    <section className="panel" aria-label="History">
      <header className="panel-head">
        <h2>History</h2>
      </header>
      {fault ? (
        <div className="pad">
          <FaultNotice fault={fault} retry={readMore} />
        </div>
      ) : null}
      {records === null && !fault ? <Loading what="what has happened" /> : null}
      {records?.length === 0 ? (
        <p className="faint pad">Nothing is known yet. What happens to it shows up here by itself.</p>
      ) : null}
      {records !== null && records.length > 0 ? (
        <ol className="node-history">
          {records.map((record) => (
            <HistoryRecord key={record.cursor} record={record} />
          ))}
        </ol>
      ) : null}
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

function HistoryRecord({ record: { at, type, incarnation, actor, message } }: { readonly record: NodeRecordRow }) {
  const { word, state } = wordsOfRecord(type);
  return (
    <li className="node-record">
      <StateMark state={state} />
      <div className="node-record-what">
        <span>
          {word}
          {actor === null ? null : <span className="faint"> by {actor}</span>}
          {type === 'RETURNED' ? <span className="faint"> as incarnation {incarnation.toLocaleString()}</span> : null}
        </span>
        {message === null ? null : <span className="node-record-message">{message}</span>}
      </div>
      <span className="faint">
        <At at={at} />
      </span>
    </li>
  );
}
