import { askInOrder } from '../../client/socket.ts';
import { PoolHistory, PoolSamples, type PoolSampleText, type PoolSamplesData } from '../../client/operations.ts';
import { useLive, type Live } from '../../client/use-live.ts';

/** So many are kept: an hour of them. */
const KEPT = 720;

/** How a pool has stood in the last hour, and how it stands. */
export function useLiveSamples(pool: string): Live<PoolSampleText[]> {
  return useLive<PoolSampleText[], PoolSamplesData, { pool: string; after?: string | null }>(`samples ${pool}`, () => ({
    load: async () => [...((await askInOrder(PoolHistory, { name: pool })).pool?.samples ?? [])],
    feed: PoolSamples,
    variables: { pool },
    // It begins with the present each time: nothing can be missed that a later sample does not tell.
    cursorOf: null,
    apply: (samples, { poolSamples }) => {
      // What has been read may hold it already, and later ones.
      if ((samples.at(-1)?.at ?? '') < poolSamples.at) samples.push(poolSamples);
      if (samples.length > KEPT) samples.shift();
      return true;
    },
  }));
}
