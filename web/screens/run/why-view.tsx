import { useEffect, useState } from 'react';
import { ask } from '../../client/ask.ts';
import { asFault, type Fault } from '../../client/fault.ts';
import { DecisionRerun, PlacementFeed, TaskRunPlacement, type PlacementText } from '../../client/operations.ts';
import { follow } from '../../client/socket.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { At } from '../../design/times.tsx';

/** Why a task run waits, and what would help; or why it is where it is. Live as long as it waits. */
export function WhyView({ taskRun }: { readonly taskRun: string }) {
  const [placement, setPlacement] = useState<PlacementText | null | undefined>(undefined);
  const [fault, setFault] = useState<Fault | null>(null);
  useEffect(() => {
    let isOver = false;
    ask(TaskRunPlacement, { id: taskRun }).then(
      ({ taskRun: found }) => {
        if (!isOver) setPlacement((now) => now ?? found?.placement ?? null);
      },
      (error: unknown) => {
        if (!isOver) setFault(asFault(error));
      },
    );
    const stop = follow(PlacementFeed, { taskRun } as { taskRun: string; after?: string }, () => '', {
      event: ({ placement: now }) => setPlacement(now),
      missed: () => undefined,
      fault: setFault,
    });
    return () => {
      isOver = true;
      stop();
    };
  }, [taskRun]);
  if (fault) return <FaultNotice fault={fault} />;
  if (placement === undefined) return <Loading what="the explanation" />;
  if (placement === null) return <Empty title="Nothing is known of its placement">Its pool is not served now.</Empty>;
  const { summary, reasons, verdict, tier, queuePosition, queueLength, unblock } = placement;
  return (
    <div className="why">
      <div className={`notice tone-${verdict === 'PENDING' ? 'warn' : verdict === 'PLACED' ? 'good' : 'idle'}`}>
        <div>
          <strong>{summary.message}</strong>
          {summary.remedy === null ? null : <p>{summary.remedy}</p>}
        </div>
      </div>
      <dl className="facts">
        {tier === null ? null : (
          <div className="pair">
            <dt>Kept by</dt>
            <dd>{tier.toLowerCase()}</dd>
          </div>
        )}
        {queuePosition === null ? null : (
          <div className="pair">
            <dt>Queue</dt>
            <dd>
              {queuePosition} of {queueLength}
            </dd>
          </div>
        )}
      </dl>
      {reasons.length > 1 ? (
        <section>
          <h3>All that keeps it</h3>
          <ul className="list">
            {reasons.map(({ code, message, remedy }) => (
              <li key={code + message}>
                {message} {remedy === null ? null : <span className="faint">{remedy}</span>}
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      {unblock.length > 0 ? (
        <section>
          <h3>What would help</h3>
          <ul className="list">
            {unblock.map(({ message, nodeCount, nodes }) => (
              <li key={message} title={nodes.join(', ')}>
                {message} <span className="faint">({nodeCount === 1 ? nodes[0] : `${nodeCount} nodes`})</span>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      <DecisionFacts placement={placement} />
      <Verdicts placement={placement} />
    </div>
  );
}

function DecisionFacts({ placement: { decision, candidates } }: { readonly placement: PlacementText }) {
  const [rerun, setRerun] = useState<string | null>(null);
  if (decision === null) return null;
  const { id, at, schedulerName, schedulerVersion, offered, placed } = decision;
  const again = async (): Promise<void> => {
    const { decision: found } = await ask(DecisionRerun, { id });
    const result = found?.rerun;
    if (!result) setRerun('The decision is not kept any more.');
    else if (result.isIdentical) setRerun(`Made again, it is the same: ${result.placedNow} placed.`);
    else setRerun(`${result.differenceCount} differ. ${result.note?.message ?? ''}`);
  };
  return (
    <section>
      <h3>Who decided</h3>
      <p>
        {schedulerName} {schedulerVersion}, <At at={at} />: {offered} offered, {placed} placed.{' '}
        <ActionButton act={again}>Make the decision again</ActionButton>
      </p>
      {rerun === null ? null : <p role="status">{rerun}</p>}
      {candidates === null || candidates.length === 0 ? null : (
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th>Candidate</th>
                <th className="number">Score</th>
              </tr>
            </thead>
            <tbody>
              {candidates.map(({ nodeName, score }) => (
                <tr key={nodeName}>
                  <td className="mono">{nodeName}</td>
                  <td className="number">{score.toPrecision(5)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

const VERDICTS = { FITS: ['good', 'fits'], FULL: ['warn', 'full'], REFUSED: ['idle', 'will not do'] } as const;

function Verdicts({ placement: { nodes, nodeCount, verdict } }: { readonly placement: PlacementText }) {
  if (nodes.length === 0 || verdict === 'ENDED') return null;
  return (
    <section>
      <h3>Node by node{nodeCount > nodes.length ? ` (the first ${nodes.length} of ${nodeCount})` : ''}</h3>
      <div className="scroll">
        <table>
          <tbody>
            {nodes.map(({ nodeName, verdict: each, obstacles }) => (
              <tr key={nodeName}>
                <td className="mono">{nodeName}</td>
                <td>
                  <span className={`badge tone-${VERDICTS[each][0]}`}>{VERDICTS[each][1]}</span>
                </td>
                <td>{obstacles.map(({ message }) => message).join(' ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
