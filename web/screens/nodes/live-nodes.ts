import { NodeLoadsFeed, NodeTiles, NodeTilesFeed, type NodeTilesFeedData } from '../../client/operations.ts';
import { askInOrder, follow } from '../../client/socket.ts';
import { useLive, type Live } from '../../client/use-live.ts';
import { withLoad, withTile, type LiveTile } from './live-tile.ts';

/** Every node by name. Changed in place; a node that has changed is another object. */
export type NodeMap = Map<string, LiveTile>;

/** As many as one question may yield. */
const PAGE = 150;

async function load(known: NodeMap | null): Promise<NodeMap> {
  const nodes: NodeMap = new Map();
  for (let after: string | null = null; ;) {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(after);
    for (const node of page.nodes) nodes.set(node.name, withTile(known?.get(node.name), node));
    if (!page.pageInfo.hasNextPage) return nodes;
    after = page.pageInfo.endCursor;
  }
}

const readPage = async (after: string | null) => (await askInOrder(NodeTiles, { first: PAGE, after })).nodes;

/** All nodes, live: as they come, go and change, and what they hold. */
export function useLiveNodes(): Live<NodeMap> {
  return useLive<NodeMap, NodeTilesFeedData, { after?: string | null }>('nodes', () => ({
    load,
    feed: NodeTilesFeed,
    variables: {},
    cursorOf: ({ nodes }) => nodes.cursor,
    apply: (all, { nodes: { node } }) => {
      if (node === null) return false;
      all.set(node.name, withTile(all.get(node.name), node));
      return true;
    },
    besides: ({ take, missed, fault }) =>
      follow(NodeLoadsFeed, {}, null, {
        event: ({ nodeLoads }) =>
          take((all) => {
            for (const load of nodeLoads.nodes) {
              const known = all.get(load.name);
              if (known !== undefined) all.set(load.name, withLoad(known, load));
            }
          }),
        missed,
        fault,
      }),
  }));
}
