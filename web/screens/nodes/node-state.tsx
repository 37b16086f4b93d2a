import type { NodeTile } from '../../client/operations.ts';
import { StateBadge, StateMark } from '../../design/state-mark.tsx';
import { lookOf } from '../../design/states.ts';
import { nodeState } from './node-groups.ts';

type Standing = Pick<NodeTile, 'connection' | 'eligibility' | 'conditions'>;

const CONDITION_WORDS: Readonly<Record<NodeTile['conditions'][number]['type'], string>> = { DISK_FULL: 'disk full' };

/** In words: `Lost, cordoned`. A node that works well is just eligible. */
export function standingText(node: Standing): string {
  const { word } = lookOf(nodeState(node));
  const isPlain = node.connection === 'READY' || node.eligibility === 'ELIGIBLE';
  const words = isPlain ? [word] : [word, lookOf(node.eligibility).word.toLowerCase()];
  return [...words, ...node.conditions.map(({ type }) => CONDITION_WORDS[type])].join(', ');
}

/** Its mark and its word. */
export function NodeStateText({ node }: { readonly node: Standing }) {
  return (
    <span className="state">
      <StateMark state={nodeState(node)} />
      {standingText(node)}
    </span>
  );
}

/** What is the matter with a node, on its own page: both its connection and its eligibility where both matter. */
export function NodeBadges({ node }: { readonly node: Standing }) {
  return (
    <>
      <StateBadge state={nodeState(node)} />
      {node.connection === 'READY' || node.eligibility === 'ELIGIBLE' ? null : <StateBadge state={node.eligibility} />}
      {node.conditions.map(({ type, message }) => (
        <span key={type} className="muted">
          {message}
        </span>
      ))}
    </>
  );
}
