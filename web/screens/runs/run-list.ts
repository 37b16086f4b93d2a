import {
  RunsFeed,
  type RunFilter,
  type RunRow,
  type RunsFeedData,
  type RunsPageData,
} from '../../client/operations.ts';
import type { LiveSource } from '../../client/live-view.ts';
import { Latest } from '../../client/newest.ts';

/** Runs, newest first, as far as they have been read. */
export interface RunList {
  rows: RunRow[];
  hasMore: boolean;
  end: string | null;
  /** The newest that is known of each run, whether it fits or not. */
  readonly latest: Latest<RunRow>;
}

/** As many as one question may yield. */
const MOST = 500;

/** Reads a page of runs. */
export type ReadRuns = (first: number, filter: RunFilter, after: string | null) => Promise<RunsPageData['runs']>;

const fits = (run: RunRow, { states, trigger, createdAfter }: RunFilter): boolean =>
  (!states?.length || states.includes(run.state)) &&
  (!trigger || run.trigger === trigger) &&
  (!createdAfter || run.createdAt > createdAfter);

/** Where a list of runs has it from. `first` are shown at least, where there are so many. */
export function runsSource(
  filter: RunFilter,
  first: number,
  read: ReadRuns,
): LiveSource<RunList, RunsFeedData, { filter: RunFilter; after?: string | null }> {
  const { pipeline = null, pool = null } = filter;
  const latest = new Latest<RunRow>();
  return {
    load: async (known) => {
      const wanted = Math.max(first, known?.rows.length ?? 0);
      const list: RunList = { rows: [], hasMore: true, end: null, latest };
      for (let count = 0; count < wanted && list.hasMore;) {
        const page = await read(Math.min(MOST, wanted - count), filter, list.end);
        count += page.nodes.length;
        extendRuns(list, page, filter);
      }
      return list;
    },
    feed: RunsFeed,
    // Of all states: one must hear of those that a run leaves, too.
    variables: { filter: { pipeline, pool } },
    cursorOf: ({ runs }) => runs.cursor,
    apply: (list, { runs: { run, runId } }) => {
      if (run !== null) return takeRun(list, run, filter, first);
      // Without an id some events were dropped; with one, the run has been deleted.
      if (runId === null) return false;
      list.rows = list.rows.filter(({ id }) => id !== runId);
      return true;
    },
  };
}

/** Takes a state of a run in, if it is the newest. `false`: the list has become too short, and there are more. */
function takeRun(list: RunList, given: RunRow, filter: RunFilter, first: number): boolean {
  const run = list.latest.take(given.id, given);
  const at = list.rows.findIndex(({ id }) => id === run.id);
  if (!fits(run, filter)) {
    if (at >= 0) list.rows.splice(at, 1);
    return !list.hasMore || list.rows.length >= first;
  }
  if (at >= 0) list.rows[at] = run;
  else put(list, run);
  return true;
}

/** Newest first, and by id among those of one moment, as the server does it. */
function put(list: RunList, run: RunRow): void {
  const at = list.rows.findIndex(
    ({ createdAt, id }) => createdAt < run.createdAt || (createdAt === run.createdAt && id < run.id),
  );
  if (at >= 0) list.rows.splice(at, 0, run);
  else if (!list.hasMore) list.rows.push(run);
}

/** Adds a page behind the end: what it says of a run counts as far as nothing newer is known. */
export function extendRuns(list: RunList, page: RunsPageData['runs'], filter: RunFilter): void {
  const known = new Set(list.rows.map(({ id }) => id));
  for (const given of page.nodes) {
    const run = list.latest.take(given.id, given);
    if (!known.has(run.id) && fits(run, filter)) list.rows.push(run);
  }
  list.hasMore = page.pageInfo.hasNextPage;
  list.end = page.pageInfo.endCursor;
}
