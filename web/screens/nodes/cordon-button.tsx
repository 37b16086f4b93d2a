import { act } from '../../client/act.ts';
import { CordonNode, UncordonNode, type NodeTile } from '../../client/operations.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { say } from '../../design/toast.tsx';
import { useRefusal } from '../session/viewer.ts';

interface CordonButtonProps {
  readonly node: Pick<NodeTile, 'name' | 'eligibility'>;
  /** Told what it is then, before the feed says so. */
  readonly changed: (eligibility: NodeTile['eligibility']) => void;
  readonly isBare?: boolean;
}

/** Keeps new work away from a node, or lets it come again. */
export function CordonButton({ node: { name, eligibility }, changed, isBare = false }: CordonButtonProps) {
  const refusal = useRefusal('ADMIN');
  const isOpen = eligibility === 'ELIGIBLE';
  const toggle = async (): Promise<void> => {
    const input = { input: { name } };
    const { node } = isOpen ? await act(CordonNode, input) : await act(UncordonNode, input);
    changed(node.eligibility);
    say(isOpen ? `${name} gets no new work. What runs there goes on.` : `${name} gets work again.`);
  };
  const word = isOpen ? 'Cordon' : 'Uncordon';
  return (
    <ActionButton
      act={toggle}
      refusal={refusal}
      label={`${word} ${name}`}
      {...(isBare ? { look: 'bare' as const } : {})}
    >
      {word}
    </ActionButton>
  );
}
