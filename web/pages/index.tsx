import Link from 'next/link';
import { useState } from 'react';
import { PoolNames } from '../client/operations.ts';
import { useAddress } from '../client/use-address.ts';
import { useQuery } from '../client/use-query.ts';
import { Empty } from '../design/notices.tsx';
import { Page } from '../design/page.tsx';
import { PoolCard } from '../screens/home/pool-card.tsx';
import { RunCard } from '../screens/home/run-card.tsx';
import { RunTimeline } from '../screens/home/run-timeline.tsx';
import { useLiveRuns } from '../screens/runs/live-runs.ts';

const SPANS = {
  '10m': ['The last ten minutes', 600_000],
  '1h': ['The last hour', 3_600_000],
  '24h': ['The last 24 hours', 86_400_000],
} as const;

/** What goes on now, what went wrong lately, and how busy the machines are. */
export default function Home() {
  const { data } = useQuery(PoolNames, {});
  return (
    <Page title="Home">
      <div className="home">
        <RunCard
          title="Running now"
          filter={{ states: ['RUNNING', 'QUEUED', 'PAUSED', 'CANCELLING'] }}
          href="/runs?states=RUNNING,QUEUED,PAUSED,CANCELLING"
          empty={
            <>
              Nothing runs. <Link href="/pipelines">Choose a pipeline</Link> to run.
            </>
          }
        />
        <RunCard
          title="Recent failures"
          filter={{ states: ['FAILED'] }}
          href="/runs?states=FAILED"
          empty="No run has failed."
        />
        <Recent />
        {data?.pools.map(({ name }) => (
          <PoolCard key={name} name={name} />
        ))}
      </div>
    </Page>
  );
}

function Recent() {
  const [read, write] = useAddress();
  const wanted = read('span');
  const span = wanted === '10m' || wanted === '24h' ? wanted : '1h';
  const [title, spanMs] = SPANS[span];
  const [opened] = useState(() => Date.now());
  const { data } = useLiveRuns({ createdAfter: new Date(opened - spanMs).toISOString() }, 200);
  return (
    <section className="panel timeline-card">
      <header className="panel-head">
        <h2>Recent runs</h2>
        <select
          className="input"
          aria-label="How far back"
          value={span}
          onChange={({ target }) => write({ span: target.value === '1h' ? null : target.value })}
        >
          {Object.entries(SPANS).map(([name, [each]]) => (
            <option key={name} value={name}>
              {each}
            </option>
          ))}
        </select>
      </header>
      <div className="panel-body">
        {data?.rows.length === 0 ? (
          <Empty title={`Nothing ran in ${title.toLowerCase()}`}>Look further back, or run something.</Empty>
        ) : (
          <RunTimeline runs={data?.rows ?? []} spanMs={spanMs} />
        )}
        {data?.hasMore ? (
          <p className="hint">
            The latest {data.rows.length} runs are drawn;{' '}
            <Link href={span === '10m' ? '/runs' : `/runs?since=${span}`}>the list</Link> has all of them.
          </p>
        ) : null}
      </div>
    </section>
  );
}
