import Link from 'next/link';
import { AreaChart } from '../../design/area-chart.tsx';
import { useLiveSamples } from './live-samples.ts';

/** As many resources are drawn: those that are fullest. */
const DRAWN = 3;

/** A pool: its queue, and how much of its nodes is in use, over the last hour. */
export function PoolCard({ name }: { readonly name: string }) {
  const { data, fault } = useLiveSamples(name);
  const samples = data ?? [];
  const latest = samples.at(-1);
  const resources = (latest?.resources ?? [])
    .filter(({ capacity }) => capacity > 0)
    .toSorted((one, other) => other.held / other.capacity - one.held / one.capacity)
    .slice(0, DRAWN);
  return (
    <section className="panel pool-card">
      <header className="panel-head">
        <h2>
          Pool <Link href={`/queue?pool=${encodeURIComponent(name)}`}>{name}</Link>
        </h2>
        <span className="faint">{latest === undefined ? '' : `${latest.runningCount} running`}</span>
      </header>
      <div className="panel-body charts">
        {fault ? <p className="wrong">{fault.message}</p> : null}
        <AreaChart
          title="In the queue"
          top={1}
          text={String}
          points={samples.map(({ at, queueLength }) => ({ at: Date.parse(at), value: queueLength }))}
        />
        {resources.map(({ resource }) => (
          <AreaChart
            key={resource}
            title={`${resource} in use`}
            top={1}
            text={(share) => `${Math.round(100 * share)} %`}
            points={samples.map((sample) => {
              const amount = sample.resources.find((each) => each.resource === resource);
              return { at: Date.parse(sample.at), value: amount?.capacity ? amount.held / amount.capacity : 0 };
            })}
          />
        ))}
      </div>
    </section>
  );
}
