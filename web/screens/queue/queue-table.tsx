import Link from 'next/link';
import { useState } from 'react';
import { Took } from '../../design/times.tsx';
import { VirtualRows } from '../../design/virtual-rows.tsx';
import type { QueueEntry } from './live-queue.ts';

const ROW = 62;
/** Where the reason stands below the task. */
const NARROW_ROW = 112;

/** What waits, the most urgent first: since when, why, and what would help. */
export function QueueTable({ entries }: { readonly entries: readonly QueueEntry[] }) {
  const [isNarrow] = useState(() => matchMedia('(max-width: 860px)').matches);
  return (
    <VirtualRows
      label="What waits"
      className="queue-table"
      count={entries.length}
      rowHeight={isNarrow ? NARROW_ROW : ROW}
      keyOf={(index) => entries[index]!.taskRun.id}
      head={
        <div className="rows-head queue-row">
          <span>Place</span>
          <span>Task</span>
          <span>Waits</span>
          <span className="wide-only">Why, and what would help</span>
          <span className="wide-only">Priority</span>
        </div>
      }
      row={(index) => <QueueLine entry={entries[index]!} />}
    />
  );
}

function QueueLine({ entry }: { readonly entry: QueueEntry }) {
  const { position, since, priority, summary, unblock, taskRun } = entry;
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
      <span className="number">
        <Took from={since} to={null} />
      </span>
      <span className="queue-task queue-why" title={help === null ? summary.message : `${summary.message}\n${help}`}>
        <span className="clip">{summary.message}</span>
        <span className="clip faint">{help}</span>
      </span>
      <span className="number wide-only">{priority}</span>
    </div>
  );
}
