import { PoolNames } from '../client/operations.ts';
import { useAddress } from '../client/use-address.ts';
import { useQuery } from '../client/use-query.ts';
import { ActionButton } from '../design/action-button.tsx';
import { Empty, FaultNotice, Loading } from '../design/notices.tsx';
import { Page } from '../design/page.tsx';
import { useLiveQueue } from '../screens/queue/live-queue.ts';
import { QueueTable } from '../screens/queue/queue-table.tsx';

const FIRST = 100;
/** More than this nobody reads, and each change would read it all. */
const MOST = 1_000;

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
            onChange={({ target }) => write({ pool: target.value, shown: null })}
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
      {pool === null ? null : <PoolQueue key={pool} pool={pool} />}
    </Page>
  );
}

function PoolQueue({ pool }: { readonly pool: string }) {
  const [read, write] = useAddress();
  const shown = Math.min(MOST, Math.max(FIRST, Math.floor(Number(read('shown'))) || FIRST));
  const { data, fault, reload } = useLiveQueue(pool, shown);
  if (data === null) return fault ? <FaultNotice fault={fault} retry={reload} /> : <Loading what="the queue" />;
  const { length, entries, hasMore } = data;
  return (
    <>
      {fault ? <FaultNotice fault={fault} retry={reload} /> : null}
      {length === null ? (
        <Empty title="Another server runs this pool">Ask that one what waits in it.</Empty>
      ) : entries.length === 0 ? (
        <Empty title="Nothing waits">
          Every task that may start has a node. What has to wait shows up here by itself.
        </Empty>
      ) : (
        <>
          <p className="faint" role="status">
            {length === 1 ? 'One task waits' : `${length.toLocaleString()} tasks wait`}
            {entries.length < length ? `; the first ${entries.length.toLocaleString()} are shown` : ''}.
          </p>
          <QueueTable entries={entries} />
        </>
      )}
      {hasMore && shown < MOST ? (
        <div className="actions">
          <ActionButton act={() => write({ shown: String(Math.min(MOST, 2 * shown)) })}>Show more</ActionButton>
        </div>
      ) : null}
    </>
  );
}
