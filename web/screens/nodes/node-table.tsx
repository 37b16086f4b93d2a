import Link from 'next/link';
import { useMemo } from 'react';
import type { NodeRow, NodeTile } from '../../client/operations.ts';
import { VirtualRows } from '../../design/virtual-rows.tsx';
import { CordonButton } from './cordon-button.tsx';
import { FillBars } from './fill-bars.tsx';
import { GroupHead } from './group-head.tsx';
import { fillsOf, type NodeGroup } from './node-groups.ts';
import { NodeStateText } from './node-state.tsx';

interface NodeTableProps {
  readonly groups: readonly NodeGroup[];
  readonly by: string;
  readonly changed: (node: NodeRow) => void;
}

const ROW = 40;
const HEAD = 44;

type Line = { readonly group: NodeGroup } | { readonly node: NodeTile };

/** Nodes, one a row, under the names of their groups. */
export function NodeTable({ groups, by, changed }: NodeTableProps) {
  const lines = useMemo(
    () => groups.flatMap((group): Line[] => [{ group }, ...group.nodes.map((node) => ({ node }))]),
    [groups],
  );
  return (
    <VirtualRows
      label="Nodes"
      className="node-table"
      count={lines.length}
      rowHeight={(index) => ('group' in lines[index]! ? HEAD : ROW)}
      keyOf={(index) => keyOf(lines[index]!)}
      head={
        <div className="rows-head node-row">
          <span>State</span>
          <span>Node</span>
          <span>Fill</span>
          <span>Running</span>
          <span className="wide-only">Labels</span>
          <span>New work</span>
        </div>
      }
      row={(index) => {
        const line = lines[index]!;
        if ('group' in line) return <GroupHead group={line.group} by={by} />;
        return <NodeLine node={line.node} changed={changed} />;
      }}
    />
  );
}

const keyOf = (line: Line): string => ('group' in line ? `group ${line.group.name ?? ''}` : `node ${line.node.name}`);

interface NodeLineProps {
  readonly node: NodeTile;
  readonly changed: (node: NodeRow) => void;
}

function NodeLine({ node, changed }: NodeLineProps) {
  const labels = node.labels.map(({ key, value }) => `${key}=${value}`).join('  ');
  return (
    <div className="node-row">
      <NodeStateText node={node} />
      <Link className="clip mono cover-row" href={`/nodes/${encodeURIComponent(node.name)}`} data-row>
        {node.name}
      </Link>
      <FillBars fills={fillsOf(node)} />
      <span className="number">{node.runningCount}</span>
      <span className="clip faint wide-only" title={labels}>
        {labels}
      </span>
      <span className="above-cover">
        <CordonButton node={node} changed={changed} isBare />
      </span>
    </div>
  );
}
