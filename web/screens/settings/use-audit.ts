import { useCallback, useEffect, useRef, useState } from 'react';
import { ask } from '../../client/ask.ts';
import { asFault, type Fault } from '../../client/fault.ts';
import { AuditFeed, AuditRecords, type AuditFilter, type AuditRecordsData } from '../../client/operations.ts';
import { useNews } from '../../client/use-news.ts';

/** Something that was done. */
export type AuditRecord = AuditRecordsData['auditRecords']['nodes'][number];

/** The audit log as far as it has been read. */
export interface AuditPages {
  /** Newest first; null until the first page has come. */
  readonly records: readonly AuditRecord[] | null;
  readonly hasMore: boolean;
  readonly isReading: boolean;
  readonly fault: Fault | null;
  /** Reads the next, older page. */
  readonly readMore: () => void;
  /** Reads the newest page anew. */
  readonly reload: () => void;
}

const PAGE = 50;

interface State {
  readonly key: string;
  readonly records: readonly AuditRecord[] | null;
  readonly after: string | null;
  readonly fault: Fault | null;
  readonly isReading: boolean;
}

const begin = (key: string): State => ({ key, records: null, after: null, fault: null, isReading: true });

/** Reads the audit log page by page; what is written meanwhile is put before it. Another filter begins anew. */
export function useAudit(filter: AuditFilter): AuditPages {
  const key = JSON.stringify(filter);
  const [state, setState] = useState<State>(() => begin(key));
  const reading = useRef<AbortController | null>(null);
  const read = useCallback(
    (after: string | null): void => {
      reading.current?.abort();
      const ending = new AbortController();
      reading.current = ending;
      setState((old) => (old.key === key ? { ...old, isReading: true, fault: null } : begin(key)));
      ask(AuditRecords, { first: PAGE, after, filter: JSON.parse(key) as AuditFilter }, ending.signal).then(
        ({ auditRecords: { nodes, pageInfo } }) => {
          if (ending.signal.aborted) return;
          setState((old) => ({
            key,
            records: after === null ? [...newer(old.records, nodes), ...nodes] : [...(old.records ?? []), ...nodes],
            after: pageInfo.hasNextPage ? pageInfo.endCursor : null,
            fault: null,
            isReading: false,
          }));
        },
        (error: unknown) => {
          if (!ending.signal.aborted) setState((old) => ({ ...old, fault: asFault(error), isReading: false }));
        },
      );
    },
    [key],
  );
  useEffect(() => {
    read(null);
    return () => reading.current?.abort();
  }, [read]);
  useNews(AuditFeed, {}, (event) => {
    if (event === null) return read(null);
    const { auditRecords: record } = event;
    const fits = (['actor', 'action', 'subject'] as const).every(
      (name) => (filter[name] ?? null) === null || filter[name] === record[name],
    );
    if (fits)
      setState((old) => ({
        ...old,
        records: old.records && [record, ...old.records.filter(({ id }) => id !== record.id)],
      }));
  });
  const { records, after, fault, isReading } = state.key === key ? state : begin(key);
  return {
    records,
    hasMore: after !== null,
    isReading,
    fault,
    readMore: () => {
      if (after !== null && !isReading) read(after);
    },
    reload: () => read(null),
  };
}

/** What the feed has told since the page was read: ids only grow. */
function newer(known: readonly AuditRecord[] | null, page: readonly AuditRecord[]): readonly AuditRecord[] {
  const last = Number(page[0]?.id ?? 0);
  return (known ?? []).filter(({ id }) => Number(id) > last);
}
