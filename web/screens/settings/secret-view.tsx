import { useEffect, useRef, useState } from 'react';

interface SecretViewProps {
  readonly secret: string;
  /** Somebody was about to leave without it. */
  readonly isWarned: boolean;
  /** It is in the clipboard. */
  readonly copied: () => void;
  readonly close: () => void;
}

/** A token itself, the one time that it is shown. */
export function SecretView({ secret, isWarned, copied, close }: SecretViewProps) {
  const field = useRef<HTMLInputElement>(null);
  const [outcome, setOutcome] = useState<string | null>(null);
  useEffect(() => field.current?.select(), []);
  const copy = async (): Promise<void> => {
    const isCopied = await putIntoClipboard(secret, field.current);
    setOutcome(isCopied ? 'Copied.' : 'This browser does not let it be copied. It is selected: press Ctrl C.');
    if (isCopied) copied();
  };
  return (
    <div className="stack">
      <p className="notice tone-warn">
        <span>
          <strong>This is the only time that it is shown.</strong> Nobody can read it again, not even an admin: keep it
          somewhere safe now.
        </span>
      </p>
      <div className="field">
        <label htmlFor="secret">Token</label>
        <div className="secret">
          <input
            id="secret"
            ref={field}
            className="input mono"
            readOnly
            autoComplete="off"
            spellCheck={false}
            value={secret}
            onFocus={({ target }) => target.select()}
          />
          <button type="button" className="button primary" onClick={() => void copy()}>
            Copy
          </button>
        </div>
        <p className="hint" role="status">
          {outcome ?? ''}
        </p>
      </div>
      {isWarned ? (
        <p className="wrong" role="alert">
          It has not been copied. Close once more to leave without it.
        </p>
      ) : null}
      <div className="actions end">
        <button type="button" className="button" onClick={close}>
          I have kept it
        </button>
      </div>
    </div>
  );
}

/** Whether it worked. Over plain HTTP, but from this machine, a page has no clipboard: then by way of the field. */
async function putIntoClipboard(text: string, field: HTMLInputElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field?.select();
    return document.execCommand('copy');
  }
}
