import { PoolNames } from '../client/operations.ts';
import { useAddress } from '../client/use-address.ts';
import { useQuery } from '../client/use-query.ts';
import { FaultNotice, Loading } from '../design/notices.tsx';
import { Page } from '../design/page.tsx';
import { NO_FILTER } from '../screens/queue/queue-filters.tsx';
import { QueueScreen } from '../screens/queue/queue-screen.tsx';

/** What waits in a pool, and why. */
export default function Queue() {
  const [read, write] = useAddress();
  const { data, fault, reload } = useQuery(PoolNames, {});
  const pools = data?.pools ?? [];
  const pool = read('pool') ?? pools[0]?.name ?? null;
  return (
    <Page
      title="Queue"
      actions={
        pools.length > 1 || read('pool') !== null ? (
          <select
            className="input"
            aria-label="Pool"
            value={pool ?? ''}
            onChange={({ target }) => write({ ...NO_FILTER, pool: target.value })}
          >
            {pool !== null && !pools.some(({ name }) => name === pool) ? <option value={pool}>{pool}</option> : null}
            {pools.map(({ name }) => (
              <option key={name} value={name}>
                Pool {name}
              </option>
            ))}
          </select>
        ) : null
      }
    >
      {fault ? <FaultNotice fault={fault} retry={reload} /> : null}
      {pool === null && !fault ? <Loading what="pools" /> : null}
      {pool === null ? null : <QueueScreen key={pool} pool={pool} />}
    </Page>
  );
}
