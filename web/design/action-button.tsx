import { useState, type ReactNode } from 'react';
import { complain } from './toast.tsx';

interface ActionButtonProps {
  readonly children: ReactNode;
  /** What it does; a rejection is told to the reader. */
  readonly act: () => unknown;
  /** Why it cannot be done now: shown, and the button does nothing. */
  readonly refusal?: string | null | undefined;
  readonly look?: 'primary' | 'danger' | 'bare' | undefined;
  /** Asked before; for what cannot be taken back. */
  readonly confirm?: string;
  readonly label?: string;
}

/** A button that does something. It stays where it is when it may not, can be reached, and says why. */
export function ActionButton({ children, act, refusal = null, look, confirm, label }: ActionButtonProps) {
  const [isBusy, setBusy] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const isOff = refusal !== null || isBusy;
  const run = async (): Promise<void> => {
    if (isOff) return;
    if (confirm !== undefined && !isAsking) return setAsking(true);
    setAsking(false);
    setBusy(true);
    try {
      await act();
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      className={`button${look === undefined ? '' : ` ${look}`}`}
      aria-disabled={isOff}
      // What is asked is part of the name, or only those who see it would know.
      aria-label={isAsking && label !== undefined ? `${confirm} ${label}` : label}
      title={refusal ?? undefined}
      onBlur={() => setAsking(false)}
      onClick={() => void run()}
    >
      {isAsking ? confirm : children}
    </button>
  );
}
