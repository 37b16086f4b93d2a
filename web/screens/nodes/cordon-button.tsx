import { useState } from 'react';
import { act } from '../../client/act.ts';
import { CordonNode, UncordonNode, type NodeRow, type NodeTile } from '../../client/operations.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { say } from '../../design/toast.tsx';
import { useRefusal } from '../session/viewer.ts';
import { CordonDialog } from './cordon-dialog.tsx';

interface CordonButtonProps {
  readonly node: Pick<NodeTile, 'name' | 'eligibility'>;
  /** Told what it is then, before the feed says so. */
  readonly changed: (node: NodeRow) => void;
  readonly isBare?: boolean;
  /** Before it is cordoned, why: where there is room for the question. */
  readonly asksWhy?: boolean;
}

/** Keeps new work away from a node, or lets it come again. */
export function CordonButton({ node, changed, isBare = false, asksWhy = false }: CordonButtonProps) {
  const { name, eligibility } = node;
  const refusal = useRefusal('ADMIN');
  const [isAsking, setAsking] = useState(false);
  const isOpen = eligibility === 'ELIGIBLE';
  const cordon = async (message: string | null): Promise<void> => {
    changed((await act(CordonNode, { input: { name, message } })).node);
    say(`${name} gets no new work. What runs there goes on.`);
  };
  const uncordon = async (): Promise<void> => {
    changed((await act(UncordonNode, { input: { name } })).node);
    say(`${name} gets work again.`);
  };
  const word = isOpen ? 'Cordon' : 'Uncordon';
  return (
    <>
      <ActionButton
        act={() => (!isOpen ? uncordon() : asksWhy ? setAsking(true) : cordon(null))}
        refusal={refusal}
        label={`${word} ${name}`}
        {...(isBare ? { look: 'bare' as const } : {})}
      >
        {isOpen && asksWhy ? `${word} …` : word}
      </ActionButton>
      {isAsking ? <CordonDialog name={name} close={() => setAsking(false)} cordon={cordon} /> : null}
    </>
  );
}
