import { PoolNames, SchedulerPlugins } from '../../client/operations.ts';
import { useAddress } from '../../client/use-address.ts';
import { useQuery } from '../../client/use-query.ts';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { Page } from '../../design/page.tsx';
import { Tabs } from '../../design/tabs.tsx';
import { useLivePool } from './live-pool.ts';
import { ReplayTab } from './replay-tab.tsx';
import { SchedulerTab } from './scheduler-tab.tsx';
import { SimulationTab } from './simulation-tab.tsx';

type Tab = 'scheduler' | 'simulation' | 'replay';
const TABS: readonly { readonly name: Tab; readonly title: string }[] = [
  { name: 'scheduler', title: 'Scheduler' },
  { name: 'simulation', title: 'Simulation' },
  { name: 'replay', title: 'Replay' },
];

/** The schedulers of a pool: the one at work, what another would do, and what others would have done. */
export function SchedulersScreen() {
  const [read, write] = useAddress();
  const name = read('pool') ?? 'default';
  const tab = TABS.find((each) => each.name === read('tab'))?.name ?? 'scheduler';
  const live = useLivePool(name);
  const { data: known, fault, reload } = useQuery(SchedulerPlugins, {});
  const pool = live.data?.pool ?? null;
  return (
    <Page title="Schedulers" beside={<PoolChoice name={name} choose={(pool) => write({ pool })} />}>
      {live.fault ? <FaultNotice fault={live.fault} retry={live.reload} /> : null}
      {fault ? <FaultNotice fault={fault} retry={reload} /> : null}
      {(live.data === null && !live.fault) || (known === null && !fault) ? <Loading what="the schedulers" /> : null}
      {live.data !== null && pool === null ? (
        <Empty title={`There is no pool “${name}”`}>Choose another above.</Empty>
      ) : null}
      {pool !== null && known !== null ? (
        <Tabs<Tab> label="Views of the schedulers" tabs={TABS} chosen={tab} choose={(next) => write({ tab: next })}>
          <div key={pool.name} className="stack">
            {tab === 'scheduler' ? <SchedulerTab live={live} pool={pool} plugins={known.plugins} /> : null}
            {tab === 'simulation' ? <SimulationTab pool={pool} plugins={known.plugins} /> : null}
            {tab === 'replay' ? <ReplayTab pool={pool.name} plugins={known.plugins} /> : null}
          </div>
        </Tabs>
      ) : null}
    </Page>
  );
}

interface PoolChoiceProps {
  readonly name: string;
  readonly choose: (name: string) => void;
}

/** Which pool, where there are several. */
function PoolChoice({ name, choose }: PoolChoiceProps) {
  const { data } = useQuery(PoolNames, {});
  const names = data?.pools.map((pool) => pool.name) ?? [];
  if (names.length <= 1 && names[0] === name) return <span className="faint">pool {name}</span>;
  return (
    <select
      className="input pool-choice"
      aria-label="Pool"
      value={name}
      onChange={({ target }) => choose(target.value)}
    >
      {names.includes(name) ? null : <option value={name}>{name}</option>}
      {names.map((each) => (
        <option key={each}>{each}</option>
      ))}
    </select>
  );
}
