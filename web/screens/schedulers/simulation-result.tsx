import type { SimulatePlacementData } from '../../client/operations.ts';
import { Empty } from '../../design/notices.tsx';

type Simulation = SimulatePlacementData['simulatePlacement'];

/** How many are listed of each kind. */
const LISTED = 50;

/** Where everything would go, what would wait and why, and how full the nodes would be. */
export function SimulationResult({ result }: { readonly result: Simulation }) {
  const { placedCount, pendingCount, placements, pending, preemptions, utilization } = result;
  const byNode = countBy(placements.map(({ nodeName }) => nodeName));
  const byReason = countBy(pending.map(({ summary }) => summary.message));
  return (
    <section className="stack" aria-label="What it would come to" aria-live="polite">
      <dl className="figures">
        <div>
          <dt>Placed</dt>
          <dd>{placedCount}</dd>
        </div>
        <div>
          <dt>Waiting</dt>
          <dd>{pendingCount}</dd>
        </div>
        <div>
          <dt>Making room</dt>
          <dd>{preemptions.length}</dd>
        </div>
      </dl>
      <div className="panel panel-body">
        <h3>In use, before and after</h3>
        <div className="before-after">
          {utilization.map(({ resource, capacity, before, after }) => (
            <Use key={resource} resource={resource} capacity={capacity} before={before} after={after} />
          ))}
        </div>
      </div>
      {placedCount + pendingCount === 0 ? (
        <Empty title="Nothing waits">Suppose more tasks to see where they would go.</Empty>
      ) : null}
      <Counts title="Would go to" rows={byNode} />
      <Counts title="Would wait because" rows={byReason} />
      {pending[0] && pending[0].unblock.length > 0 ? (
        <div className="panel panel-body">
          <h3>What would help the first of them</h3>
          <ul className="list">
            {pending[0].unblock.map(({ message }) => (
              <li key={message}>{message}</li>
            ))}
          </ul>
        </div>
      ) : null}
      {preemptions.length > 0 ? (
        <Counts title="Would make room" rows={countBy(preemptions.map(({ taskRunId }) => taskRunId))} />
      ) : null}
    </section>
  );
}

interface UseProps {
  readonly resource: string;
  readonly capacity: number;
  readonly before: number;
  readonly after: number;
}

function Use({ resource, capacity, before, after }: UseProps) {
  const share = (amount: number): number => (capacity === 0 ? 0 : (100 * amount) / capacity);
  const kept = Math.min(before, after);
  return (
    <>
      <span className="clip">{resource}</span>
      <span className="meter" aria-hidden="true">
        <span className="tone-busy" style={{ width: `${share(kept)}%` }} />
        <span className="is-more" style={{ width: `${share(Math.max(after - before, 0))}%` }} />
      </span>
      <span className="number nowrap">
        {share(before).toFixed(0)} % → {share(after).toFixed(0)} %
      </span>
    </>
  );
}

function Counts({ title, rows }: { readonly title: string; readonly rows: readonly (readonly [string, number])[] }) {
  if (rows.length === 0) return null;
  return (
    <div className="panel">
      <table>
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col" className="number">
              Tasks
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, LISTED).map(([name, count]) => (
            <tr key={name}>
              <td>{name}</td>
              <td className="number">{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > LISTED ? <p className="panel-body faint">and {rows.length - LISTED} more</p> : null}
    </div>
  );
}

function countBy(names: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one);
}
