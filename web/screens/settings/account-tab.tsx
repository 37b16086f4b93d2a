import { signOut } from '../../client/session.ts';
import { At, Until } from '../../design/times.tsx';
import { useViewer } from '../session/viewer.ts';
import { ROLES } from './roles.ts';

/** Who the reader is to this server, and the way out. */
export function AccountTab() {
  const { name, role, expiresAt } = useViewer();
  return (
    <section className="panel account-panel" aria-labelledby="account">
      <header className="panel-head">
        <h2 id="account">Signed in as {name}</h2>
      </header>
      <div className="panel-body stack">
        <dl className="facts">
          <dt>Token</dt>
          <dd className="mono">{name}</dd>
          <dt>Role</dt>
          <dd>
            {role.toLowerCase()}
            <p className="hint">{ROLES[role]}</p>
          </dd>
          <dt>Expires</dt>
          <dd>
            {expiresAt === null ? (
              'never'
            ) : (
              <>
                <Until at={expiresAt} />
                <p className="hint">
                  <At at={expiresAt} />
                </p>
              </>
            )}
          </dd>
        </dl>
        <p className="hint">
          This browser keeps the token until you sign out. The token itself stays good: whoever has it can sign in
          again. An admin can revoke it.
        </p>
        <div className="actions">
          <button type="button" className="button" onClick={() => signOut()}>
            Sign out
          </button>
        </div>
      </div>
    </section>
  );
}
