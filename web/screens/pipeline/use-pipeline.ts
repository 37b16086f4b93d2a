import { askInOrder } from '../../client/socket.ts';
import { Fault } from '../../client/fault.ts';
import { PipelineDetail, RunsFeed, type PipelineDetailData, type RunsFeedData } from '../../client/operations.ts';
import { useLive, type Live } from '../../client/use-live.ts';

export type PipelineView = NonNullable<PipelineDetailData['pipeline']>;

/** A pipeline as it is now. Read again whenever something of it runs, for then it may have a new version. */
export function usePipeline(name: string): Live<PipelineView> {
  return useLive<PipelineView, RunsFeedData, { filter: { pipeline: string }; after?: string | null }>(name, () => ({
    load: async () => {
      const { pipeline } = await askInOrder(PipelineDetail, { name });
      if (pipeline === null) throw new Fault(`There is no pipeline ${name}. It may have been deleted.`, 'NOT_FOUND');
      return pipeline;
    },
    feed: RunsFeed,
    variables: { filter: { pipeline: name } },
    cursorOf: ({ runs }) => runs.cursor,
    apply: (pipeline, { runs: { run } }) => run !== null && run.versionNumber <= pipeline.latestVersion,
  }));
}
