import { useEffect, useRef, useState } from 'react';
import { ask } from '../../client/ask.ts';
import { asFault, type Fault } from '../../client/fault.ts';
import { EndedAttempts, NodeLoadsFeed, type EndedAttempt } from '../../client/operations.ts';
import { useNews } from '../../client/use-news.ts';

/** What has ended on a node, as far back as it has been read. */
export interface EndedAttemptPages {
  /** Of the newest run first; null until the first page has come. */
  readonly attempts: readonly EndedAttempt[] | null;
  readonly hasMore: boolean;
  readonly isReading: boolean;
  readonly fault: Fault | null;
  /** Reads on; from the beginning where nothing has been read. */
  readonly readMore: () => void;
}

const PAGE = 20;
/** Of so many that are shown it is looked whether they are the newest still. */
const MAX_RENEWED = 100;
/** What ends is shown at once, and then at most this often: it has to be looked for. Milliseconds. */
const RENEW_MS = 3_000;

interface State {
  readonly attempts: readonly EndedAttempt[] | null;
  /** Where the next page begins; null when there is none. */
  readonly after: string | null;
  readonly isReading: boolean;
  readonly fault: Fault | null;
}

const BEGINNING: State = { attempts: null, after: null, isReading: true, fault: null };

/** Reads what has ended on a node page by page; what ends meanwhile comes in by itself. */
export function useEndedAttempts(name: string): EndedAttemptPages {
  const [state, setState] = useState<State>(BEGINNING);
  const shown = useRef(0);
  shown.current = state.attempts?.length ?? 0;
  const renewing = useRef<{ timer: ReturnType<typeof setTimeout> | null; at: number }>({ timer: null, at: -Infinity });
  const ending = useRef(new AbortController());

  const read = (first: number, after: string | null, taken: (old: State, page: Page) => State): void => {
    const { signal } = ending.current;
    readPage(name, first, after, signal).then(
      (page) => setState((old) => taken(old, page)),
      (error: unknown) => {
        if (!signal.aborted) setState((old) => ({ ...old, isReading: false, fault: asFault(error) }));
      },
    );
  };
  const renew = (): void => {
    renewing.current = { timer: null, at: performance.now() };
    read(Math.min(Math.max(shown.current, PAGE), MAX_RENEWED), null, renewed);
  };
  useEffect(() => {
    setState(BEGINNING);
    renew();
    return () => {
      ending.current.abort();
      ending.current = new AbortController();
      if (renewing.current.timer !== null) clearTimeout(renewing.current.timer);
      renewing.current = { timer: null, at: -Infinity };
    };
    // The name says what is read.
  }, [name]);
  useNews(NodeLoadsFeed, {}, (event) => {
    if (event !== null && !event.nodeLoads.nodes.some((load) => load.name === name)) return;
    const { timer, at } = renewing.current;
    if (timer !== null) return;
    renewing.current = { at, timer: setTimeout(renew, Math.max(0, at + RENEW_MS - performance.now())) };
  });

  const readMore = (): void => {
    const { attempts, after, isReading } = state;
    if (isReading) return;
    setState((old) => ({ ...old, isReading: true, fault: null }));
    if (attempts === null) return renew();
    read(PAGE, after, (old, page) => extended(old, page, after));
  };
  return { ...state, hasMore: state.after !== null, readMore };
}

interface Page {
  readonly attempts: readonly EndedAttempt[];
  readonly after: string | null;
}

/** With an older page, if it still goes on where the list ends. */
function extended(old: State, page: Page, after: string | null): State {
  if (old.after !== after) return { ...old, isReading: false };
  const known = new Set(old.attempts?.map(({ id }) => id));
  const further = page.attempts.filter(({ id }) => !known.has(id));
  return { attempts: [...(old.attempts ?? []), ...further], after: page.after, isReading: false, fault: null };
}

/** The newest as they are now, and what had been read behind them; where nothing links the two, the newest alone. */
function renewed(old: State, page: Page): State {
  const ids = new Set(page.attempts.map(({ id }) => id));
  const isLinked = old.attempts?.some(({ id }) => ids.has(id)) ?? false;
  const behind = isLinked ? old.attempts!.filter(({ id }) => !ids.has(id)) : [];
  return {
    attempts: [...page.attempts, ...behind],
    after: behind.length > 0 ? old.after : page.after,
    isReading: old.attempts !== null && old.isReading,
    fault: null,
  };
}

async function readPage(name: string, first: number, after: string | null, signal: AbortSignal): Promise<Page> {
  const { node } = await ask(EndedAttempts, { name, first, after }, signal);
  // After an abort the answer may still come.
  signal.throwIfAborted();
  if (!node) return { attempts: [], after: null };
  const { nodes, pageInfo } = node.endedAttempts;
  return { attempts: nodes, after: pageInfo.hasNextPage ? pageInfo.endCursor : null };
}
