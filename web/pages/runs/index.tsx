import { useState } from 'react';
import { act } from '../../client/act.ts';
import { CancelRun, RetryRun, type RunRow } from '../../client/operations.ts';
import { useAddress } from '../../client/use-address.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { Page } from '../../design/page.tsx';
import { complain, say } from '../../design/toast.tsx';
import { filterOf, RunFilters } from '../../screens/runs/run-filters.tsx';
import { readMoreRuns, useLiveRuns } from '../../screens/runs/live-runs.ts';
import { RunTable } from '../../screens/runs/run-table.tsx';
import { useRefusal } from '../../screens/session/viewer.ts';

/** All runs, live; several can be cancelled or retried at once. */
export default function Runs() {
  const [read] = useAddress();
  const [opened] = useState(() => Date.now());
  const filter = filterOf(read, opened);
  const live = useLiveRuns(filter);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const rows = live.data?.rows ?? [];
  const picked = rows.filter(({ id }) => chosen.has(id));
  const choose = (ids: readonly string[], isChosen: boolean): void =>
    setChosen((before) => (isChosen ? before.union(new Set(ids)) : before.difference(new Set(ids))));
  return (
    <Page title="Runs" actions={<Bulk picked={picked} done={() => setChosen(new Set())} />}>
      <RunFilters />
      {live.fault ? <FaultNotice fault={live.fault} retry={live.reload} /> : null}
      {live.data === null && !live.fault ? <Loading what="runs" /> : null}
      {live.data !== null && rows.length === 0 ? <NoRuns isFiltered={Object.keys(filter).length > 0} /> : null}
      {rows.length > 0 ? <RunTable rows={rows} chosen={chosen} choose={choose} /> : null}
      {live.data?.hasMore ? (
        <div className="actions">
          <ActionButton act={() => readMoreRuns(live, filter)}>Show older ones</ActionButton>
        </div>
      ) : null}
    </Page>
  );
}

function NoRuns({ isFiltered }: { readonly isFiltered: boolean }) {
  return isFiltered ? (
    <Empty title="No run fits these filters">Take one away to see more.</Empty>
  ) : (
    <Empty title="Nothing has run yet">
      Open a pipeline and choose <em>Run now</em>, or use <code>gantry run &lt;pipeline&gt;</code>.
    </Empty>
  );
}

/** As many requests at once. */
const AT_ONCE = 8;

function Bulk({ picked, done }: { readonly picked: readonly RunRow[]; readonly done: () => void }) {
  const refusal = useRefusal('OPERATOR');
  const live = picked.filter(({ isFinished }) => !isFinished);
  const ended = picked.filter(({ isFinished }) => isFinished);
  const each = async (runs: readonly RunRow[], what: string, one: (id: string) => Promise<unknown>): Promise<void> => {
    let failed = 0;
    for (let at = 0; at < runs.length; at += AT_ONCE) {
      const settled = await Promise.allSettled(runs.slice(at, at + AT_ONCE).map(({ id }) => one(id)));
      for (const result of settled) if (result.status === 'rejected' && ++failed <= 3) complain(result.reason);
    }
    if (failed < runs.length) say(`${runs.length - failed} ${what}`);
    done();
  };
  const none = 'Choose runs in the list first.';
  return (
    <>
      <ActionButton
        refusal={refusal ?? (live.length > 0 ? null : picked.length > 0 ? 'They have ended already.' : none)}
        confirm={`Really cancel ${live.length}?`}
        act={() => each(live, 'cancelled', (id) => act(CancelRun, { input: { id } }))}
      >
        Cancel{live.length > 0 ? ` ${live.length}` : ''}
      </ActionButton>
      <ActionButton
        refusal={refusal ?? (ended.length > 0 ? null : picked.length > 0 ? 'They have not ended yet.' : none)}
        act={() => each(ended, 'retried', (id) => act(RetryRun, { input: { id, from: 'FAILED' } }))}
      >
        Retry{ended.length > 0 ? ` ${ended.length}` : ''}
      </ActionButton>
    </>
  );
}
