import { useState } from 'react';
import { AuditFeed, Tokens } from '../../client/operations.ts';
import { useAddress } from '../../client/use-address.ts';
import { useNews } from '../../client/use-news.ts';
import { useQuery } from '../../client/use-query.ts';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { useNow } from '../../design/times.tsx';
import { useRefusal } from '../session/viewer.ts';
import { CreateTokenDialog } from './create-token.tsx';
import { tokenState } from './token-row.ts';
import { TokenTable } from './token-table.tsx';

/** Who gets in, for whom that may be known. */
export function TokensTab() {
  const refusal = useRefusal('ADMIN');
  if (refusal === null) return <TokenList />;
  return (
    <Empty title="Tokens are for admins alone">
      <p>{refusal}</p>
      <p>Ask an admin for a token of your own, or sign in with another one.</p>
    </Empty>
  );
}

function TokenList() {
  const [read, write] = useAddress();
  const { data, fault, reload } = useQuery(Tokens, {});
  useNews(AuditFeed, {}, (event) => {
    if (event === null || event.auditRecords.action.startsWith('token.')) reload();
  });
  const [isCreating, setCreating] = useState(false);
  const now = useNow();
  const tokens = data?.tokens ?? [];
  const areEndedShown = read('ended') !== null;
  const good = tokens.filter((token) => tokenState(token, now) === 'GOOD');
  const ended = tokens.filter((token) => tokenState(token, now) !== 'GOOD');
  const shown = areEndedShown ? [...good, ...ended] : good;
  return (
    <>
      <div className="spread token-bar">
        <div className="filters">
          <span className="faint">{data === null ? '' : `${good.length} good`}</span>
          {ended.length === 0 ? null : (
            <button
              type="button"
              className="button chip-button"
              aria-pressed={areEndedShown}
              onClick={() => write({ ended: areEndedShown ? null : '1' })}
            >
              {ended.length} expired or revoked
            </button>
          )}
        </div>
        <button type="button" className="button primary" onClick={() => setCreating(true)}>
          New token …
        </button>
      </div>
      {fault ? <FaultNotice fault={fault} retry={reload} /> : null}
      {data === null && !fault ? <Loading what="tokens" /> : null}
      {data !== null && shown.length === 0 ? (
        <Empty title="No token is good">Make one: without any, nobody gets in again.</Empty>
      ) : null}
      {shown.length === 0 ? null : <TokenTable tokens={shown} changed={reload} />}
      {isCreating ? (
        <CreateTokenDialog taken={good.map(({ name }) => name)} created={reload} close={() => setCreating(false)} />
      ) : null}
    </>
  );
}
