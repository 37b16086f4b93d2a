import { useId, useState, type FormEvent } from 'react';
import { act } from '../../client/act.ts';
import { asFault, type Fault } from '../../client/fault.ts';
import { CreateToken, type Role } from '../../client/operations.ts';
import { Dialog } from '../../design/dialog.tsx';
import { ROLE_NAMES, ROLES } from './roles.ts';
import { SecretView } from './secret-view.tsx';

interface CreateTokenDialogProps {
  /** The names of tokens that are good: none may have it again. */
  readonly taken: readonly string[];
  readonly created: () => void;
  readonly close: () => void;
}

interface Made {
  readonly name: string;
  readonly secret: string;
}

/** As the API reads them; null for ever. */
const LIFETIMES: readonly { readonly words: string; readonly expiresIn: string | null }[] = [
  { words: '1 day', expiresIn: 'P1D' },
  { words: '7 days', expiresIn: 'P7D' },
  { words: '30 days', expiresIn: 'P30D' },
  { words: '90 days', expiresIn: 'P90D' },
  { words: '1 year', expiresIn: 'P365D' },
  { words: 'Never', expiresIn: null },
];

/** Makes a token, and shows it this once. */
export function CreateTokenDialog({ taken, created, close }: CreateTokenDialogProps) {
  const [made, setMade] = useState<Made | null>(null);
  const [isKept, setKept] = useState(false);
  const [isWarned, setWarned] = useState(false);
  // Esc and the backdrop are hit by mistake, and a token that was not copied is lost.
  const leave = (): void => {
    if (made === null || isKept || isWarned) close();
    else setWarned(true);
  };
  return (
    <Dialog title={made === null ? 'New token' : `The token ${made.name}`} close={leave}>
      {made === null ? (
        <TokenForm
          taken={taken}
          made={(next) => {
            setMade(next);
            created();
          }}
          close={close}
        />
      ) : (
        <SecretView secret={made.secret} isWarned={isWarned && !isKept} copied={() => setKept(true)} close={close} />
      )}
    </Dialog>
  );
}

/** What is wrong with the name of a token to be; null when nothing is. */
function problemOf(name: string, taken: readonly string[]): string | null {
  if (name === '') return 'Say who or what the token is for.';
  if (!/^[\w.@-]{1,64}$/.test(name)) return 'A name has 1 to 64 letters, digits, “-”, “_”, “.”, “@”.';
  if (taken.includes(name)) return `There is a token “${name}” already. Revoke it first, or take another name.`;
  return null;
}

interface TokenFormProps {
  readonly taken: readonly string[];
  readonly made: (made: Made) => void;
  readonly close: () => void;
}

function TokenForm({ taken, made, close }: TokenFormProps) {
  const id = useId();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('VIEWER');
  const [expiresIn, setExpiresIn] = useState<string | null>('P30D');
  const [isTried, setTried] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const problem = isTried ? problemOf(name, taken) : null;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (isBusy || problemOf(name, taken) !== null) return;
    setBusy(true);
    setFault(null);
    try {
      const { secret } = await act(CreateToken, { input: { name, role, expiresIn } });
      made({ name, secret });
    } catch (error) {
      setFault(asFault(error));
      setBusy(false);
    }
  };
  return (
    <form className="stack" noValidate onSubmit={(event) => void submit(event)}>
      <div className="field">
        <label htmlFor={`${id}name`}>Name</label>
        <input
          id={`${id}name`}
          className="input"
          autoComplete="off"
          value={name}
          aria-invalid={problem !== null}
          aria-describedby={`${id}name-hint`}
          onChange={({ target }) => setName(target.value.trim())}
        />
        <p id={`${id}name-hint`} className={problem === null ? 'hint' : 'wrong'} role={problem ? 'alert' : undefined}>
          {problem ?? 'Who or what it is for: the audit log has it beside everything that is done with it.'}
        </p>
      </div>
      <div className="field">
        <label htmlFor={`${id}role`}>Role</label>
        <select
          id={`${id}role`}
          className="input"
          value={role}
          aria-describedby={`${id}role-hint`}
          onChange={({ target }) => setRole(target.value as Role)}
        >
          {ROLE_NAMES.map((each) => (
            <option key={each} value={each}>
              {each.toLowerCase()}
            </option>
          ))}
        </select>
        <p id={`${id}role-hint`} className="hint">
          {ROLES[role]}
        </p>
      </div>
      <div className="field">
        <label htmlFor={`${id}expiry`}>Expires after</label>
        <select
          id={`${id}expiry`}
          className="input"
          value={expiresIn ?? ''}
          onChange={({ target }) => setExpiresIn(target.value === '' ? null : target.value)}
        >
          {LIFETIMES.map(({ words, expiresIn: value }) => (
            <option key={words} value={value ?? ''}>
              {words}
            </option>
          ))}
        </select>
      </div>
      {fault === null ? null : (
        <p className="wrong" role="alert">
          {fault.message}
        </p>
      )}
      <div className="actions end">
        <button type="button" className="button" onClick={close}>
          Back
        </button>
        <button type="submit" className="button primary" aria-disabled={isBusy}>
          Make the token
        </button>
      </div>
    </form>
  );
}
