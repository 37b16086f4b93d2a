import type { NodeEligibility, NodeConnectionState } from '../../client/operations.ts';
import { lookOf } from '../../design/states.ts';
import { fillText } from './fill-bars.tsx';
import { totalFill, type NodeGroup } from './node-groups.ts';

/** What a group is called, how many nodes it has, and how full they are together. */
export function GroupHead({ group: { name, nodes }, by }: { readonly group: NodeGroup; readonly by: string }) {
  const running = nodes.reduce((sum, { runningCount }) => sum + runningCount, 0);
  return (
    <div className="group-head">
      <h2>{titleOf(name, by)}</h2>
      <span className="faint nowrap">
        {nodes.length === 1 ? '1 node' : `${nodes.length.toLocaleString()} nodes`}
        {running > 0 ? `, ${running.toLocaleString()} running` : ''}
      </span>
      <span className="faint clip wide-only">{totalFill(nodes).map(fillText).join(' · ')}</span>
    </div>
  );
}

function titleOf(name: string | null, by: string): string {
  if (by === 'state') return lookOf(name as NodeEligibility | NodeConnectionState).word;
  if (!by.startsWith('label:')) return name ?? '';
  const key = by.slice('label:'.length);
  return name === null ? `No label ${key}` : `${key} = ${name}`;
}
