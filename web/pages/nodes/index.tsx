import { useMemo } from 'react';
import { useAddress } from '../../client/use-address.ts';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { Page } from '../../design/page.tsx';
import { StateMark } from '../../design/state-mark.tsx';
import { lookOf } from '../../design/states.ts';
import { FillFacts } from '../../screens/nodes/fill-bars.tsx';
import { useLiveNodes, type NodeMap } from '../../screens/nodes/live-nodes.ts';
import { withTile } from '../../screens/nodes/live-tile.ts';
import { NodeFilters } from '../../screens/nodes/node-filters.tsx';
import { groupings, groupNodes, nodeState, totalFill } from '../../screens/nodes/node-groups.ts';
import { NodeMapView } from '../../screens/nodes/node-map.tsx';
import { NodeTable } from '../../screens/nodes/node-table.tsx';

/** Every node: how full it is, how it fares, grouped as the reader likes. */
export default function Nodes() {
  const live = useLiveNodes();
  const { data, fault, revision, reload, change } = live;
  return (
    <Page title="Nodes">
      {fault ? <FaultNotice fault={fault} retry={reload} /> : null}
      {data === null && !fault ? <Loading what="nodes" /> : null}
      {data !== null && data.size === 0 ? (
        <Empty title="No node has ever come">
          The server’s own node comes as soon as its agent has started: its log says what keeps it.
        </Empty>
      ) : null}
      {data !== null && data.size > 0 ? (
        <Cluster
          nodes={data}
          revision={revision}
          changed={(node) => change((all) => void all.set(node.name, withTile(all.get(node.name), node)))}
        />
      ) : null}
    </Page>
  );
}

interface ClusterProps {
  readonly nodes: NodeMap;
  readonly revision: number;
  readonly changed: Parameters<typeof NodeTable>[0]['changed'];
}

function Cluster({ nodes, revision, changed }: ClusterProps) {
  const [read] = useAddress();
  const search = read('name') ?? '';
  const view = read('view') === 'list' ? 'list' : 'map';
  // The revision says that the nodes have changed in place.
  const ways = useMemo(() => groupings(nodes.values()), [nodes, revision]);
  const by = ways.find((way) => way.by === read('by'))?.by ?? 'pool';
  const groups = useMemo(() => groupNodes(nodes.values(), by, search), [nodes, revision, by, search]);
  const shown = groups.reduce((sum, group) => sum + group.nodes.length, 0);
  return (
    <>
      <ClusterSummary nodes={nodes} revision={revision} />
      <NodeFilters groupings={ways} by={by} view={view}>
        <span className="faint" role="status">
          {shown === nodes.size ? countText(shown) : `${shown.toLocaleString()} of ${countText(nodes.size)}`}
        </span>
      </NodeFilters>
      {shown === 0 ? <Empty title="No node is called that">Take the filter away to see all.</Empty> : null}
      {shown > 0 && view === 'map' ? <NodeMapView groups={groups} by={by} /> : null}
      {shown > 0 && view === 'list' ? <NodeTable groups={groups} by={by} changed={changed} /> : null}
    </>
  );
}

const countText = (count: number): string => (count === 1 ? '1 node' : `${count.toLocaleString()} nodes`);

function ClusterSummary({ nodes, revision }: Pick<ClusterProps, 'nodes' | 'revision'>) {
  const { fills, states } = useMemo(() => {
    const counts = new Map<ReturnType<typeof nodeState>, number>();
    for (const node of nodes.values()) counts.set(nodeState(node), (counts.get(nodeState(node)) ?? 0) + 1);
    return { fills: totalFill(nodes.values()), states: [...counts] };
  }, [nodes, revision]);
  return (
    <section className="panel cluster" aria-label="All nodes together">
      <FillFacts fills={fills} />
      <ul className="cluster-states">
        {states.map(([state, count]) => (
          <li key={state} className="state">
            <StateMark state={state} />
            <span className="strong">{count.toLocaleString()}</span> {lookOf(state).word.toLowerCase()}
          </li>
        ))}
      </ul>
    </section>
  );
}
