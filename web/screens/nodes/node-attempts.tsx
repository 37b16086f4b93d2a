import Link from 'next/link';
import { Empty } from '../../design/notices.tsx';
import { StateText } from '../../design/state-mark.tsx';
import { Took } from '../../design/times.tsx';
import { SHOWN, type NodeView } from './live-node.ts';

/** What runs on a node now. */
export function NodeAttempts({ view: { node, taskRuns } }: { readonly view: NodeView }) {
  if (taskRuns.length === 0) {
    return (
      <Empty title="Nothing runs here now">
        {node.eligibility === 'ELIGIBLE' ? 'What is placed here shows up by itself.' : 'It gets no new work.'}
      </Empty>
    );
  }
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th>State</th>
            <th>Task</th>
            <th>Pipeline</th>
            <th className="number">Attempt</th>
            <th className="number">For</th>
          </tr>
        </thead>
        <tbody>
          {taskRuns.map(({ id, runId, taskKey, mapIndex, state, attempt, run }) => (
            <tr key={id}>
              <td>
                <StateText state={state} />
              </td>
              <td>
                <Link className="mono" href={`/runs/${runId}?task=${id}`} data-row>
                  {mapIndex === null ? taskKey : `${taskKey}[${mapIndex}]`}
                </Link>
              </td>
              <td>{run?.pipelineName}</td>
              <td className="number">{attempt?.number}</td>
              <td className="number">
                <Took from={attempt?.startedAt ?? attempt?.assignedAt ?? null} to={attempt?.finishedAt ?? null} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {node.runningCount > SHOWN ? (
        <p className="hint pad">
          The {SHOWN} that came first, of {node.runningCount.toLocaleString()}.
        </p>
      ) : null}
    </div>
  );
}
