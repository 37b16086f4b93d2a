import { askInOrder } from '../../client/socket.ts';
import { RunsFeed, RunsPage, type RunFilter, type RunRow, type RunsFeedData } from '../../client/operations.ts';
import { useLive, type Live } from '../../client/use-live.ts';

/** Runs, newest first, as far as they have been read. */
export interface RunList {
  rows: RunRow[];
  hasMore: boolean;
  end: string | null;
}

const PAGE = 100;

const fits = (run: RunRow, { states, trigger, createdAfter }: RunFilter): boolean =>
  (!states?.length || states.includes(run.state)) &&
  (!trigger || run.trigger === trigger) &&
  (!createdAfter || run.createdAt > createdAfter);

/** The runs that fit a filter, live. What comes to fit is put in its place, what ceases to is taken out. */
export function useLiveRuns(filter: RunFilter, first = PAGE): Live<RunList> {
  const { pipeline = null, pool = null } = filter;
  return useLive<RunList, RunsFeedData, { filter: RunFilter; after?: string | null }>(
    JSON.stringify([filter, first]),
    () => ({
      load: async () => {
        const { runs } = await askInOrder(RunsPage, { first, filter });
        return { rows: [...runs.nodes], hasMore: runs.pageInfo.hasNextPage, end: runs.pageInfo.endCursor };
      },
      feed: RunsFeed,
      // Of all states: one must hear of those that a run leaves, too.
      variables: { filter: { pipeline, pool } },
      cursorOf: ({ runs }) => runs.cursor,
      apply: (list, { runs: { run, runId } }) => {
        if (run === null) {
          // Without an id some events were dropped; with one, the run has been deleted.
          if (runId === null) return false;
          list.rows = list.rows.filter(({ id }) => id !== runId);
          return true;
        }
        const at = list.rows.findIndex(({ id }) => id === run.id);
        if (!fits(run, filter)) {
          if (at >= 0) list.rows.splice(at, 1);
        } else if (at >= 0) list.rows[at] = run;
        else put(list, run);
        return true;
      },
    }),
  );
}

/** Newest first, and by id among those of one moment, as the server does it. */
function put(list: RunList, run: RunRow): void {
  const at = list.rows.findIndex(
    ({ createdAt, id }) => createdAt < run.createdAt || (createdAt === run.createdAt && id < run.id),
  );
  if (at >= 0) list.rows.splice(at, 0, run);
  else if (!list.hasMore) list.rows.push(run);
}

/** Reads on where the list ends. */
export async function readMoreRuns(live: Live<RunList>, filter: RunFilter): Promise<void> {
  const { data } = live;
  if (data === null || !data.hasMore) return;
  const { runs } = await askInOrder(RunsPage, { first: PAGE, filter, after: data.end });
  live.change((list) => {
    const known = new Set(list.rows.map(({ id }) => id));
    list.rows.push(...runs.nodes.filter(({ id }) => !known.has(id)));
    list.hasMore = runs.pageInfo.hasNextPage;
    list.end = runs.pageInfo.endCursor;
  });
}
