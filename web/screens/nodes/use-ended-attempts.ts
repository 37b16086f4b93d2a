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
  /** Something has ended that is not shown. */
  readonly hasNews: boolean;
  /** Reads on; from the beginning where nothing has been read. */
  readonly readMore: () => void;
  readonly beginAnew: () => void;
}

const PAGE = 20;
/** Who has read further back than this reads on undisturbed: what ends then is only said to be there. */
const MAX_RENEWED = 100;
/** What ends is shown at once, and then at most this often: it has to be looked for. Milliseconds. */
const RENEW_MS = 3_000;

interface State {
  readonly attempts: readonly EndedAttempt[] | null;
  /** Where the next page begins; null when there is none. */
  readonly after: string | null;
  readonly hasNews: boolean;
  readonly isReading: boolean;
  readonly fault: Fault | null;
}

const BEGINNING: State = { attempts: null, after: null, hasNews: false, isReading: true, fault: null };

/** Reads what has ended on a node page by page; what ends meanwhile comes in by itself. */
export function useEndedAttempts(name: string): EndedAttemptPages {
  const [state, setState] = useState<State>(BEGINNING);
  /** How many have been asked for. */
  const depth = useRef(PAGE);
  const renewing = useRef<{ timer: ReturnType<typeof setTimeout> | null; at: number }>({ timer: null, at: -Infinity });
  const ending = useRef(new AbortController());
  /** Grows with each renewal: the answer to an earlier one is older, whenever it comes. */
  const renewals = useRef(0);

  const read = (first: number, after: string | null, taken: (page: Page) => void): void => {
    const { signal } = ending.current;
    readPage(name, first, after, signal).then(taken, (error: unknown) => {
      if (!signal.aborted) setState((old) => ({ ...old, isReading: false, fault: asFault(error) }));
    });
  };
  const renew = (): void => {
    renewing.current = { timer: null, at: performance.now() };
    const first = depth.current;
    if (first > MAX_RENEWED) setState((old) => ({ ...old, hasNews: true }));
    else {
      const renewal = ++renewals.current;
      read(first, null, (page) => {
        if (renewal !== renewals.current) return;
        // When more has been asked for meanwhile, more is to be read.
        if (depth.current === first) setState((old) => renewed(old, page, first));
        else renewSoon();
      });
    }
  };
  const renewSoon = (): void => {
    const { timer, at } = renewing.current;
    if (timer !== null) return;
    renewing.current = { at, timer: setTimeout(renew, Math.max(0, at + RENEW_MS - performance.now())) };
  };
  const beginAnew = (): void => {
    depth.current = PAGE;
    setState(BEGINNING);
    renew();
  };
  useEffect(() => {
    beginAnew();
    return () => {
      ending.current.abort();
      ending.current = new AbortController();
      if (renewing.current.timer !== null) clearTimeout(renewing.current.timer);
      renewing.current = { timer: null, at: -Infinity };
    };
    // The name says what is read.
  }, [name]);
  useNews(NodeLoadsFeed, {}, (event) => {
    if (event === null || event.nodeLoads.nodes.some((load) => load.name === name)) renewSoon();
  });

  const readMore = (): void => {
    const { attempts, after, isReading } = state;
    if (isReading) return;
    if (attempts === null) return beginAnew();
    depth.current += PAGE;
    setState((old) => ({ ...old, isReading: true, fault: null }));
    read(PAGE, after, (page) => setState((old) => extended(old, page, after)));
  };
  return { ...state, hasMore: state.after !== null, readMore, beginAnew };
}

interface Page {
  readonly attempts: readonly EndedAttempt[];
  readonly after: string | null;
}

/** With an older page, if it still goes on where the list ends. */
function extended(old: State, page: Page, after: string | null): State {
  if (old.after !== after) return { ...old, isReading: false };
  return { ...old, ...page, attempts: [...(old.attempts ?? []), ...page.attempts], isReading: false };
}

/** As things are now. A short page has not come to the end of what was read before: that stays behind it. */
function renewed(old: State, page: Page, first: number): State {
  const ids = new Set(page.attempts.map(({ id }) => id));
  const isShort = page.after !== null && page.attempts.length < first;
  const behind = isShort ? (old.attempts ?? []).filter(({ id }) => !ids.has(id)) : [];
  return {
    attempts: [...page.attempts, ...behind],
    after: behind.length > 0 ? old.after : page.after,
    hasNews: false,
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
