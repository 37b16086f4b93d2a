import { askInOrder } from '../../client/socket.ts';
import {
  RunDetail,
  RunFeed,
  RunTaskRuns,
  type RunDetailData,
  type RunFeedData,
  type RunRow,
  type TaskRunRow,
} from '../../client/operations.ts';
import { Fault } from '../../client/fault.ts';
import { newest } from '../../client/newest.ts';
import { useLive, type Live } from '../../client/use-live.ts';

/** A run with all of its task runs. */
export interface RunView {
  run: NonNullable<RunDetailData['run']>;
  /** By ordinal, which is the order in which the task runs came to be. */
  taskRuns: TaskRunRow[];
}

const PAGE = 500;

async function load(id: string, known: RunView | null): Promise<RunView> {
  const { run } = await askInOrder(RunDetail, { id });
  if (run === null) throw new Fault(`There is no run ${id}. It may have been removed.`, 'NOT_FOUND');
  const taskRuns = known?.taskRuns.slice() ?? [];
  for (let after: string | null = null; ;) {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(id, after);
    if (page === undefined) break;
    for (const taskRun of page.nodes) taskRuns[taskRun.ordinal] = newest(taskRuns[taskRun.ordinal], taskRun);
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  return { run: newest(known?.run, run), taskRuns };
}

const readPage = async (id: string, after: string | null) =>
  (await askInOrder(RunTaskRuns, { id, first: PAGE, after })).run?.taskRuns;

/** Takes in what an event, or the answer to a mutation, says of the run itself. */
export function takeRun(view: RunView, run: RunRow): void {
  view.run = newest(view.run, { ...view.run, ...run });
}

/** A run, live to its end. */
export function useLiveRun(id: string): Live<RunView> {
  return useLive<RunView, RunFeedData, { id: string; after?: string | null }>(id, () => ({
    load: (known) => load(id, known),
    beginsWithPresent: true,
    feed: RunFeed,
    variables: { id },
    cursorOf: ({ run }) => run.cursor,
    apply: (view, { run: { type, run, taskRun } }) => {
      if (type === 'RESYNC') return false;
      if (run !== null) takeRun(view, run);
      if (taskRun === null) return true;
      // Of what came to be between two that are known nothing has been heard yet.
      if (taskRun.ordinal > view.taskRuns.length) return false;
      view.taskRuns[taskRun.ordinal] = newest(view.taskRuns[taskRun.ordinal], taskRun);
      return true;
    },
  }));
}
