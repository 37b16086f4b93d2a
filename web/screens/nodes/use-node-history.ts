import { useEffect, useRef, useState } from 'react';
import { ask } from '../../client/ask.ts';
import { asFault, type Fault } from '../../client/fault.ts';
import { NodeHistory, NodeHistoryFeed, type NodeRecordRow } from '../../client/operations.ts';
import { follow } from '../../client/socket.ts';

/** A node's history as far back as it has been read, and on from there. */
export interface NodeHistoryPages {
  /** Newest first; null until the first page has come. */
  readonly records: readonly NodeRecordRow[] | null;
  readonly hasMore: boolean;
  readonly isReading: boolean;
  readonly fault: Fault | null;
  /** Reads the next, older page; the first one anew where there is none. */
  readonly readMore: () => void;
}

const PAGE = 20;

interface State {
  readonly records: readonly NodeRecordRow[] | null;
  /** Where the next page begins; null when there is none. */
  readonly after: string | null;
  readonly isReading: boolean;
  readonly fault: Fault | null;
}

const BEGINNING: State = { records: null, after: null, isReading: true, fault: null };

/**
 * Reads a node's history page by page. Once the newest page is there, what happens behind its first record is followed,
 * also over breaks: nothing falls between, and nothing comes twice.
 */
export function useNodeHistory(name: string): NodeHistoryPages {
  const [state, setState] = useState<State>(BEGINNING);
  const [round, setRound] = useState(0);
  const reading = useRef<AbortController | null>(null);

  useEffect(() => {
    const ending = new AbortController();
    let unfollow = (): void => undefined;
    setState(BEGINNING);
    const followFrom = (after: string | null): void => {
      unfollow = follow(NodeHistoryFeed, { name, after }, ({ nodeHistory }) => nodeHistory.cursor, {
        event: ({ nodeHistory }) =>
          setState((old) => ({ ...old, records: old.records && [nodeHistory, ...old.records] })),
        missed: () => setRound((old) => old + 1),
        fault: (fault) => setState((old) => ({ ...old, fault })),
      });
    };
    readPage(name, null, ending.signal).then(
      (page) => {
        setState({ ...page, isReading: false, fault: null });
        followFrom(page.records[0]?.cursor ?? null);
      },
      (error: unknown) => {
        if (!ending.signal.aborted) setState((old) => ({ ...old, isReading: false, fault: asFault(error) }));
      },
    );
    return () => {
      ending.abort();
      reading.current?.abort();
      unfollow();
    };
  }, [name, round]);

  const readMore = (): void => {
    const { records, after, isReading } = state;
    if (isReading) return;
    if (records === null) return setRound((old) => old + 1);
    if (after === null) return;
    const ending = new AbortController();
    reading.current = ending;
    setState((old) => ({ ...old, isReading: true, fault: null }));
    readPage(name, after, ending.signal).then(
      (page) =>
        setState((old) => ({
          records: [...(old.records ?? []), ...page.records],
          after: page.after,
          isReading: false,
          fault: null,
        })),
      (error: unknown) => {
        if (!ending.signal.aborted) setState((old) => ({ ...old, isReading: false, fault: asFault(error) }));
      },
    );
  };
  return { ...state, hasMore: state.after !== null, readMore };
}

async function readPage(name: string, after: string | null, signal: AbortSignal) {
  const { node } = await ask(NodeHistory, { name, first: PAGE, after }, signal);
  const { nodes, pageInfo } = node?.history ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
  // After an abort the answer may still come.
  signal.throwIfAborted();
  return { records: nodes, after: pageInfo.hasNextPage ? pageInfo.endCursor : null };
}
