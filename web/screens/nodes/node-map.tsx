import Link from 'next/link';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { NodeTile } from '../../client/operations.ts';
import { StateMark } from '../../design/state-mark.tsx';
import { VirtualRows } from '../../design/virtual-rows.tsx';
import { FillBars } from './fill-bars.tsx';
import { GroupHead } from './group-head.tsx';
import { fillsOf, nodeState, type NodeGroup } from './node-groups.ts';
import { standingText } from './node-state.tsx';

/** The least width of a tile, and what lies between tiles and at the sides. Pixels. */
const TILE = 148;
const GAP = 8;
const SIDE = 34;
const HEAD = 44;
/** The height of a tile without its bars, and of each of them. */
const BARE = 48;
const BAR = 7;

type Line = { readonly group: NodeGroup } | { readonly nodes: readonly NodeTile[] };

/** Nodes as tiles, as many a line as there is room for, under the names of their groups. */
export function NodeMapView({ groups, by }: { readonly groups: readonly NodeGroup[]; readonly by: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    observer.observe(frame.current!);
    return () => observer.disconnect();
  }, []);
  const columns = Math.max(1, Math.floor((width - SIDE + GAP) / (TILE + GAP)));
  const lines = useMemo(() => groups.flatMap((group) => linesOf(group, columns)), [groups, columns]);
  const resources = Math.max(1, ...groups.flatMap(({ nodes }) => nodes.map(({ capacity }) => capacity.length)));
  const height = BARE + BAR * resources + GAP;
  return (
    <div ref={frame} className="node-map">
      {width === 0 ? null : (
        <VirtualRows
          // Another number of columns makes other lines of the same names.
          key={`${columns} ${height}`}
          label="Nodes"
          count={lines.length}
          rowHeight={(index) => ('group' in lines[index]! ? HEAD : height)}
          keyOf={(index) => keyOf(lines[index]!)}
          row={(index) => {
            const line = lines[index]!;
            if ('group' in line) return <GroupHead group={line.group} by={by} />;
            return (
              <div className="node-tiles" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
                {line.nodes.map((node) => (
                  <Tile key={node.name} node={node} />
                ))}
              </div>
            );
          }}
        />
      )}
    </div>
  );
}

function linesOf(group: NodeGroup, columns: number): Line[] {
  const lines: Line[] = [{ group }];
  for (let at = 0; at < group.nodes.length; at += columns) lines.push({ nodes: group.nodes.slice(at, at + columns) });
  return lines;
}

const keyOf = (line: Line): string =>
  'group' in line ? `group ${line.group.name ?? ''}` : `nodes ${line.nodes[0]!.name}`;

function Tile({ node }: { readonly node: NodeTile }) {
  const { name, runningCount } = node;
  const isWell = nodeState(node) === 'ELIGIBLE';
  return (
    <Link
      className={isWell ? 'node-tile' : 'node-tile is-off'}
      href={`/nodes/${encodeURIComponent(name)}`}
      title={name}
      data-row
    >
      <span className="node-tile-head">
        <StateMark state={nodeState(node)} />
        <span className="clip mono">{name}</span>
      </span>
      <span className="node-tile-words">
        <span className={isWell ? 'visually-hidden' : undefined}>{standingText(node)}</span>
        <span className="faint">{runningCount === 0 ? 'idle' : `${runningCount} running`}</span>
      </span>
      <FillBars fills={fillsOf(node)} />
    </Link>
  );
}
