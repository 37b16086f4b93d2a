import { askInOrder } from '../../client/socket.ts';
import { Fault } from '../../client/fault.ts';
import {
  PipelineDetail,
  PipelinesFeed,
  type PipelineDetailData,
  type PipelinesFeedData,
} from '../../client/operations.ts';
import { useLive, type Live } from '../../client/use-live.ts';

export type PipelineView = NonNullable<PipelineDetailData['pipeline']>;

/** A pipeline as it is now, whoever changes it. */
export function usePipeline(name: string): Live<PipelineView> {
  return useLive<PipelineView, PipelinesFeedData, { after?: null }>(name, () => ({
    load: async () => {
      const { pipeline } = await askInOrder(PipelineDetail, { name });
      if (pipeline === null) throw new Fault(`There is no pipeline ${name}. It may have been deleted.`, 'NOT_FOUND');
      return pipeline;
    },
    feed: PipelinesFeed,
    variables: {},
    cursorOf: null,
    // What is told of it is less than what is shown: it is read anew.
    apply: (_, { pipelines }) => pipelines.name !== name,
  }));
}
