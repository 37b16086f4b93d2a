import { useId, useState } from 'react';
import { ActionButton } from '../../design/action-button.tsx';
import { Dialog } from '../../design/dialog.tsx';

interface CordonDialogProps {
  readonly name: string;
  readonly close: () => void;
  /** `message` is null where nobody said why. */
  readonly cordon: (message: string | null) => Promise<void>;
}

/** As many as the API takes. */
const MAX_LENGTH = 1_000;

/** Asks why a node is to get no new work: who finds it so weeks later wants to know. */
export function CordonDialog({ name, close, cordon }: CordonDialogProps) {
  const id = useId();
  const [message, setMessage] = useState('');
  const act = (): Promise<void> => cordon(message.trim() === '' ? null : message.trim()).then(close);
  return (
    <Dialog title={`Cordon ${name}`} close={close}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          event.currentTarget.querySelector<HTMLButtonElement>('.primary')?.click();
        }}
      >
        <p className="faint">It gets no new work until it is uncordoned. What runs there goes on.</p>
        <div className="field">
          <label htmlFor={`${id}why`}>Why</label>
          <input
            id={`${id}why`}
            className="input"
            autoComplete="off"
            maxLength={MAX_LENGTH}
            value={message}
            aria-describedby={`${id}hint`}
            onChange={({ target }) => setMessage(target.value)}
          />
          <p id={`${id}hint`} className="hint">
            Kept in its history, with your name. May be left empty.
          </p>
        </div>
        <div className="actions end">
          <button type="button" className="button" onClick={close}>
            Back
          </button>
          <ActionButton look="primary" act={act}>
            Cordon
          </ActionButton>
        </div>
      </form>
    </Dialog>
  );
}
