import { Fragment, useMemo, useState } from 'react';
import type { AuditFilter } from '../../client/operations.ts';
import { useAddress } from '../../client/use-address.ts';
import { JsonView } from '../../design/json-view.tsx';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { At } from '../../design/times.tsx';
import { AuditFilters } from './audit-filters.tsx';
import { AuditSubject } from './audit-subject.tsx';
import { useAudit, type AuditRecord } from './use-audit.ts';

/** What was done, newest first, page by page. */
export function AuditList() {
  const [read] = useAddress();
  const [actor, action, subject] = [read('actor'), read('action'), read('subject')];
  const filter = useMemo<AuditFilter>(
    () => ({ actor: actor || null, action: action || null, subject: subject || null }),
    [actor, action, subject],
  );
  const { records, hasMore, isReading, fault, readMore, reload } = useAudit(filter);
  const isFiltered = Boolean(actor || action || subject);
  return (
    <>
      <div className="spread token-bar">
        <AuditFilters />
      </div>
      {fault ? <FaultNotice fault={fault} retry={records === null ? reload : readMore} /> : null}
      {records === null && !fault ? <Loading what="the audit log" /> : null}
      {records?.length === 0 ? (
        <Empty title={isFiltered ? 'Nothing that was done fits' : 'Nothing has been done yet'}>
          {isFiltered
            ? 'Names and ids have to be exactly so. Show all to see what there is.'
            : 'Whatever somebody does to pipelines, runs, nodes, pools and tokens is written down here.'}
        </Empty>
      ) : null}
      {records !== null && records.length > 0 ? <AuditTable records={records} /> : null}
      {hasMore ? (
        <div className="actions">
          <button type="button" className="button" aria-disabled={isReading} onClick={readMore}>
            {isReading ? 'Reading …' : 'Older'}
          </button>
        </div>
      ) : null}
    </>
  );
}

function AuditTable({ records }: { readonly records: readonly AuditRecord[] }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string): void => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  return (
    <div className="panel scroll" role="region" aria-label="Audit log" tabIndex={0}>
      <table className="audit">
        <thead>
          <tr>
            <th>When</th>
            <th>Who</th>
            <th>Did</th>
            <th>To</th>
            <th>
              <span className="visually-hidden">Details</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {records.map((record) => (
            <Rows key={record.id} record={record} isOpen={open.has(record.id)} toggle={() => toggle(record.id)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowsProps {
  readonly record: AuditRecord;
  readonly isOpen: boolean;
  readonly toggle: () => void;
}

function Rows({ record: { id, at, actor, action, subject, details }, isOpen, toggle }: RowsProps) {
  return (
    <Fragment>
      <tr>
        <td className="nowrap">
          <At at={at} />
        </td>
        <td>{actor}</td>
        <td className="mono nowrap">{action}</td>
        <td className="audit-subject">
          <AuditSubject action={action} subject={subject} />
        </td>
        <td className="number">
          <button
            type="button"
            className="button bare chip-button"
            data-row
            aria-expanded={isOpen}
            {...(isOpen ? { 'aria-controls': `details-${id}` } : {})}
            aria-label={`Details of ${action} ${subject}`}
            onClick={toggle}
          >
            Details
          </button>
        </td>
      </tr>
      {isOpen ? (
        <tr id={`details-${id}`}>
          <td colSpan={5}>
            <JsonView value={details} empty="There is no more to it." />
          </td>
        </tr>
      ) : null}
    </Fragment>
  );
}
