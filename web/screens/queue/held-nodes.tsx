import Link from 'next/link';
import type { HeldNodeText } from '../../client/operations.ts';
import { Took } from '../../design/times.tsx';

/** Nodes that stay partly empty on purpose, and for whom. */
export function HeldNodes({ held }: { readonly held: readonly HeldNodeText[] }) {
  return (
    <ul className="panel held-nodes" aria-label="Held nodes">
      {held.map(({ nodeName, since, taskRun }) => (
        <li key={nodeName}>
          <Link href={`/nodes/${encodeURIComponent(nodeName)}`}>{nodeName}</Link> is held
          {taskRun === null ? null : (
            <>
              {' '}
              for{' '}
              <Link className="mono" href={`/runs/${taskRun.runId}?task=${taskRun.id}&view=why`}>
                {taskRun.mapIndex === null ? taskRun.taskKey : `${taskRun.taskKey}[${taskRun.mapIndex}]`}
              </Link>
              , which has waited long and fits nowhere now
            </>
          )}
          : nothing that comes after it is placed there.{' '}
          <span className="faint">
            <Took from={since} to={null} />
          </span>
        </li>
      ))}
    </ul>
  );
}
