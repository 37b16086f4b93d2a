import Link from 'next/link';
import type { PoolRow } from '../../client/operations.ts';
import { Ago } from '../../design/times.tsx';

interface DivergencesProps {
  readonly divergences: NonNullable<PoolRow['shadow']>['divergences'];
  /** All there were. */
  readonly count: number;
  readonly scheduler: string;
  readonly shadow: string;
}

const Place = ({ node }: { readonly node: string | null }) =>
  node === null ? (
    <span className="faint">left it in the queue</span>
  ) : (
    <Link className="mono" href={`/nodes/${encodeURIComponent(node)}`}>
      {node}
    </Link>
  );

/** The page of a task run, by its id: `<run>.<ordinal>`. */
export const taskRunHref = (id: string): string =>
  `/runs/${encodeURIComponent(id.slice(0, id.lastIndexOf('.')))}?task=${encodeURIComponent(id)}&view=why`;

/** The last task runs that the shadow would have placed elsewhere. */
export function Divergences({ divergences, count, scheduler, shadow }: DivergencesProps) {
  if (divergences.length === 0) return <p>Both have always decided alike.</p>;
  return (
    <section className="stack" aria-label="Where they differed">
      <h3>
        Where they differed
        {count > divergences.length ? ` (the last ${divergences.length} of ${count.toLocaleString()})` : ''}
      </h3>
      <div className="scroll divergences" tabIndex={0} role="region" aria-label="Divergences">
        <table>
          <thead>
            <tr>
              <th>When</th>
              <th>Task run</th>
              <th className="mono">{scheduler}</th>
              <th className="mono">{shadow}</th>
            </tr>
          </thead>
          <tbody>
            {divergences.map(({ at, taskRunId, nodeName, shadowNodeName }) => (
              <tr key={`${at} ${taskRunId}`}>
                <td className="nowrap">
                  <Ago at={at} />
                </td>
                <td>
                  <Link data-row className="mono clip task-link" href={taskRunHref(taskRunId)} title={taskRunId}>
                    …{taskRunId.slice(-12)}
                  </Link>
                </td>
                <td>
                  <Place node={nodeName} />
                </td>
                <td>
                  <Place node={shadowNodeName} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
