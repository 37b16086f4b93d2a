import { Fault } from '../../client/fault.ts';
import {
  NodeDetail,
  NodeLoadsFeed,
  NodesFeed,
  type NodeDetailData,
  type NodeRow,
  type NodesFeedData,
} from '../../client/operations.ts';
import { askInOrder, follow } from '../../client/socket.ts';
import { useLive, type Live } from '../../client/use-live.ts';

/** Something that has happened to a node while it was watched. */
export interface NodeHappening {
  readonly type: string;
  readonly at: string;
  readonly cursor: string;
}

/** A node with what runs there now. */
export interface NodeView {
  node: NodeRow;
  taskRuns: NonNullable<NodeDetailData['node']>['taskRuns'];
  /** Newest first, since the page was opened. */
  happenings: readonly NodeHappening[];
}

/** As many task runs as are shown, and as many happenings as are kept. */
export const SHOWN = 100;

/** A node, live: its state, what it holds, what runs there, what happens to it. */
export function useLiveNode(name: string): Live<NodeView> {
  return useLive<NodeView, NodesFeedData, { pool?: string | null; after?: string | null }>(name, () => {
    let happenings: readonly NodeHappening[] = [];
    return {
      load: async () => {
        const { node } = await askInOrder(NodeDetail, { name, first: SHOWN });
        if (node === null) throw new Fault(`There is no node ${name}.`, 'NOT_FOUND');
        return { node, taskRuns: node.taskRuns, happenings };
      },
      feed: NodesFeed,
      variables: {},
      cursorOf: ({ nodes }) => nodes.cursor,
      apply: (view, { nodes: { node, type, at, cursor } }) => {
        if (node === null) return false;
        if (node.name !== name) return true;
        view.node = node;
        happenings = [{ type, at, cursor }, ...happenings].slice(0, SHOWN);
        view.happenings = happenings;
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
    };
  });
}
