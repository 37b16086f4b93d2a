import { askInOrder } from '../../client/socket.ts';
import {
  PipelinesFeed,
  PipelinesPage,
  RunsFeed,
  type PipelinesPageData,
  type RunBar,
  type RunsFeedData,
} from '../../client/operations.ts';
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
  const live = useLive<PipelineList, RunsFeedData, { after?: string | null }>(`pipelines ${search}`, () => ({
    load: async () => {
      const filter = search === '' ? {} : { filter: { search } };
      const { pipelines } = await askInOrder(PipelinesPage, { first: PAGE, ...filter });
      const rows = pipelines.nodes.map((row) => ({ ...row, runs: [...row.runs.nodes] }));
      return { rows, totalCount: pipelines.totalCount };
    },
    feed: RunsFeed,
    variables: {},
    cursorOf: ({ runs }) => runs.cursor,
    apply: ({ rows }, { runs: { run } }) => {
      if (run === null) return false;
      const at = rows.findIndex(({ name }) => name === run.pipelineName);
      // A pipeline that was not there yet, unless it is only left out by the search.
      if (at < 0) return search !== '';
      const { runs } = rows[at]!;
      const known = runs.findIndex(({ id }) => id === run.id);
      if (known >= 0) runs[known] = run;
      else if (runs.length === 0 || run.createdAt >= runs[0]!.createdAt) runs.unshift(run);
      runs.splice(LATEST_RUNS);
      rows[at] = { ...rows[at]! };
      return true;
    },
  }));
  // Applied, paused or deleted, by whomever.
  useNews(PipelinesFeed, {}, live.reload);
  return live;
}
