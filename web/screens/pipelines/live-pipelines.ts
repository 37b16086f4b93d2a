import { askInOrder } from '../../client/socket.ts';
import {
  PipelinesFeed,
  PipelinesPage,
  RunsFeed,
  type PipelinesPageData,
  type RunBar,
  type RunsFeedData,
} from '../../client/operations.ts';
import { Latest } from '../../client/newest.ts';
import { useLive, type Live } from '../../client/use-live.ts';
import { useNews } from '../../client/use-news.ts';

type Row = PipelinesPageData['pipelines']['nodes'][number];

/** A pipeline with its latest runs, newest first. */
export interface PipelineLine extends Omit<Row, 'runs'> {
  readonly runs: RunBar[];
}

export interface PipelineList {
  readonly rows: PipelineLine[];
  readonly totalCount: number;
}

const PAGE = 200;
/** So many of a pipeline’s latest runs are shown. */
export const LATEST_RUNS = 16;

/** The pipelines whose names hold a text, and their latest runs; live. */
export function useLivePipelines(search: string): Live<PipelineList> {
  const live = useLive<PipelineList, RunsFeedData, { after?: string | null }>(`pipelines ${search}`, () => {
    const latest = new Latest<RunBar>();
    return {
      load: async () => {
        const filter = search === '' ? {} : { filter: { search } };
        const { pipelines } = await askInOrder(PipelinesPage, { first: PAGE, ...filter });
        const rows = pipelines.nodes.map((row) => ({
          ...row,
          runs: row.runs.nodes.map((run) => latest.take(run.id, run)),
        }));
        return { rows, totalCount: pipelines.totalCount };
      },
      feed: RunsFeed,
      variables: {},
      cursorOf: ({ runs }) => runs.cursor,
      apply: ({ rows }, { runs: { run } }) => (run === null ? false : takeRun(rows, run.pipelineName, latest, run)),
    };
  });
  // Applied, paused or deleted, by whomever.
  useNews(PipelinesFeed, {}, live.reload);
  return live;
}

/** Takes a state of a run in, if it is the newest. Of a pipeline that is not shown the other feed tells. */
function takeRun(rows: PipelineLine[], pipeline: string, latest: Latest<RunBar>, given: RunBar): void {
  const run = latest.take(given.id, given);
  const at = rows.findIndex(({ name }) => name === pipeline);
  if (at < 0) return;
  const { runs } = rows[at]!;
  const known = runs.findIndex(({ id }) => id === run.id);
  if (known >= 0) runs[known] = run;
  else if (runs.length === 0 || run.createdAt >= runs[0]!.createdAt) runs.unshift(run);
  runs.splice(LATEST_RUNS);
  rows[at] = { ...rows[at]! };
}
