import { act } from '../../client/act.ts';
import { RevokeToken } from '../../client/operations.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { StateText } from '../../design/state-mark.tsx';
import { Ago, Until, useNow } from '../../design/times.tsx';
import { say } from '../../design/toast.tsx';
import { useViewer } from '../session/viewer.ts';
import { tokenState, type TokenRow } from './token-row.ts';

interface TokenTableProps {
  readonly tokens: readonly TokenRow[];
  /** A token was revoked. */
  readonly changed: () => void;
}

/** Tokens, without what is secret about them. */
export function TokenTable({ tokens, changed }: TokenTableProps) {
  return (
    <div className="panel scroll" role="region" aria-label="Tokens" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>Name</th>
            <th>Role</th>
            <th className="wide-only">Created</th>
            <th>Expires</th>
            <th className="wide-only">Last used</th>
            <th>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <Row key={token.id} token={token} changed={changed} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ token, changed }: { readonly token: TokenRow; readonly changed: () => void }) {
  const { id, name, role, prefix, createdAt, expiresAt, lastUsedAt, revokedAt } = token;
  const viewer = useViewer();
  const state = tokenState(token, useNow());
  // Of the tokens of one name, at most one is good: it is the reader's own.
  const isOwn = state === 'GOOD' && name === viewer.name;
  const revoke = async (): Promise<void> => {
    await act(RevokeToken, { input: { id } });
    say(`The token ${name} is accepted no more.`);
    changed();
  };
  return (
    <tr data-row tabIndex={-1} className={state === 'GOOD' ? undefined : 'faint'}>
      <td className="token-name">
        <span className="strong">{name}</span>
        {isOwn ? <span className="chip">yours</span> : null}
        <p className="mono hint">{prefix}…</p>
      </td>
      <td>{role.toLowerCase()}</td>
      <td className="wide-only nowrap">
        <Ago at={createdAt} />
      </td>
      <td className="nowrap">
        {state === 'GOOD' ? (
          expiresAt === null ? (
            'never'
          ) : (
            <Until at={expiresAt} />
          )
        ) : (
          <>
            <StateText state={state} />
            <p className="hint">
              <Ago at={revokedAt ?? expiresAt ?? createdAt} />
            </p>
          </>
        )}
      </td>
      <td className="wide-only nowrap">
        {lastUsedAt === null ? <span className="faint">never</span> : <Ago at={lastUsedAt} />}
      </td>
      <td className="number">
        {state === 'GOOD' ? (
          <ActionButton
            look="danger"
            label={`Revoke ${name}`}
            confirm={isOwn ? 'Really sign yourself out?' : 'Really revoke?'}
            act={revoke}
          >
            Revoke
          </ActionButton>
        ) : null}
      </td>
    </tr>
  );
}
