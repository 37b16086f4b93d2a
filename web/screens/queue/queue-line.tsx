import Link from 'next/link';
import type { QueueRow } from '../../client/operations.ts';
import { Took } from '../../design/times.tsx';
import { TIERS } from './reason-words.ts';

/** A task run that waits. */
export function QueueLine({ entry }: { readonly entry: QueueRow }) {
  const { position, since, priority, tier, summary, unblock, taskRun } = entry;
  const { id, runId, taskKey, mapIndex, run } = taskRun;
  const help = unblock[0]?.message ?? summary.remedy;
  return (
    <div className="queue-row">
      <span className="number">{position.toLocaleString()}</span>
      <span className="queue-task">
        <Link className="clip mono cover-row" href={`/runs/${runId}?task=${id}&view=why`} data-row>
          {mapIndex === null ? taskKey : `${taskKey}[${mapIndex}]`}
        </Link>
        <Link className="clip quiet faint above-cover" href={`/runs/${runId}`}>
          {run?.pipelineName ?? runId}
        </Link>
      </span>
      <span className="number queue-since">
        <Took from={since} to={null} />
      </span>
      <span className="queue-tier">
        {tier === null ? null : <span className={`queue-badge tone-${TIERS[tier].tone}`}>{TIERS[tier].word}</span>}
      </span>
      <span className="queue-task queue-why" title={help === null ? summary.message : `${summary.message}\n${help}`}>
        <span className="clip">{summary.message}</span>
        <span className="clip faint">{help}</span>
      </span>
      <span className="number queue-priority" title={`Priority ${priority}`}>
        {priority}
      </span>
    </div>
  );
}
