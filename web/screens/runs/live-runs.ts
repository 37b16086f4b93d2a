import { askInOrder } from '../../client/socket.ts';
import { RunsPage, type RunFilter, type RunsFeedData } from '../../client/operations.ts';
import { useLive, type Live } from '../../client/use-live.ts';
import { extendRuns, runsSource, type ReadRuns, type RunList } from './run-list.ts';

const PAGE = 100;

const readRuns: ReadRuns = async (first, filter, after) => (await askInOrder(RunsPage, { first, filter, after })).runs;

/** The runs that fit a filter, live. What comes to fit is put in its place, what ceases to is taken out. */
export function useLiveRuns(filter: RunFilter, first = PAGE): Live<RunList> {
  return useLive<RunList, RunsFeedData, { filter: RunFilter; after?: string | null }>(
    JSON.stringify([filter, first]),
    () => runsSource(filter, first, readRuns),
  );
}

/** Reads on where the list ends. */
export async function readMoreRuns(live: Live<RunList>, filter: RunFilter): Promise<void> {
  const { data } = live;
  if (data === null || !data.hasMore) return;
  const { end } = data;
  const page = await readRuns(PAGE, filter, end);
  live.change((list) => {
    // The list may have been read again meanwhile, and end elsewhere.
    if (list.end === end) extendRuns(list, page, filter);
  });
}
