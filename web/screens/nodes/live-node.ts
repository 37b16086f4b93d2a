import { Fault } from '../../client/fault.ts';
import {
  NodeDetail,
  NodeLoadsFeed,
  NodesFeed,
  type NodeDetailData,
  type NodeRow,
  type NodesFeedData,
} from '../../client/operations.ts';
import { newest } from '../../client/newest.ts';
import { askInOrder, follow } from '../../client/socket.ts';
import { useLive, type Live } from '../../client/use-live.ts';

/** A node with what runs there now. */
export interface NodeView {
  node: NodeRow;
  taskRuns: NonNullable<NodeDetailData['node']>['taskRuns'];
}

/** As many task runs as are shown. */
export const SHOWN = 100;

/** The newer of two states of a node. Revisions count by pool: in another pool it begins again. */
export const newestNode = (known: NodeRow | undefined, given: NodeRow): NodeRow =>
  known?.poolName === given.poolName ? newest(known, given) : given;

/** A node, live: its state, what it holds, what runs there. */
export function useLiveNode(name: string): Live<NodeView> {
  return useLive<NodeView, NodesFeedData, { pool?: string | null; after?: string | null }>(name, () => ({
    load: async (known) => {
      const { node } = await askInOrder(NodeDetail, { name, first: SHOWN });
      if (node === null) throw new Fault(`There is no node ${name}.`, 'NOT_FOUND');
      return { node: newestNode(known?.node, node), taskRuns: node.taskRuns };
    },
    feed: NodesFeed,
    variables: {},
    cursorOf: ({ nodes }) => nodes.cursor,
    apply: (view, { nodes: { node } }) => {
      if (node === null) return false;
      if (node.name !== name) return true;
      view.node = newestNode(view.node, node);
      return true;
    },
    // What runs there has changed: read anew, at most once a second.
    besides: ({ missed, fault }) =>
      follow(NodeLoadsFeed, {}, null, {
        event: ({ nodeLoads }) => {
          if (nodeLoads.nodes.some((load) => load.name === name)) missed();
        },
        missed,
        fault,
      }),
  }));
}
