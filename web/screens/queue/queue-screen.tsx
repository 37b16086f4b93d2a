import { useAddress } from '../../client/use-address.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { useLiveQueue } from './live-queue.ts';
import { filterOf, NO_FILTER, QueueFilters } from './queue-filters.tsx';
import { HeldNodes } from './held-nodes.tsx';
import { QueueReasons } from './queue-reasons.tsx';
import { QueueTable } from './queue-table.tsx';

/** What waits in a pool, and why. */
export function QueueScreen({ pool }: { readonly pool: string }) {
  const [read, write] = useAddress();
  const { data, fault, reload, see } = useLiveQueue(pool, filterOf(read));
  if (data === null) return fault ? <FaultNotice fault={fault} retry={reload} /> : <Loading what="the queue" />;
  const { length, overview, heldNodes, total, filter } = data;
  const isFiltered = Object.keys(filter).length > 0;
  const notice = fault ? <FaultNotice fault={fault} retry={reload} /> : null;
  if (length === null) {
    return (
      <>
        {notice}
        <Empty title="Another server runs this pool">Ask that one what waits in it.</Empty>
      </>
    );
  }
  if (length === 0 && !isFiltered) {
    return (
      <>
        {notice}
        <Empty title="Nothing waits">
          Every task that may start has a node. What has to wait shows up here by itself.
        </Empty>
      </>
    );
  }
  return (
    <>
      {notice}
      {overview === null ? null : <QueueReasons overview={overview} length={length} filter={filter} />}
      {heldNodes.length === 0 ? null : <HeldNodes held={heldNodes} />}
      <QueueFilters filter={filter} pipelines={overview?.pipelines ?? []}>
        <span className="faint" role="status">
          {isFiltered
            ? `${total.toLocaleString()} of ${length.toLocaleString()} shown`
            : length === 1
              ? 'One task waits.'
              : `${length.toLocaleString()} tasks wait.`}
        </span>
        {isFiltered ? <ActionButton act={() => write(NO_FILTER)}>Show all</ActionButton> : null}
      </QueueFilters>
      {total === 0 ? (
        <Empty title="Nothing of this kind waits">What comes to wait shows up here by itself.</Empty>
      ) : (
        <QueueTable key={JSON.stringify(filter)} view={data} see={see} />
      )}
    </>
  );
}
