import { useMemo, useState } from 'react';
import type { TaskRunRow } from '../../client/operations.ts';
import { StateMark } from '../../design/state-mark.tsx';
import { lookOf } from '../../design/states.ts';
import { Took } from '../../design/times.tsx';
import { VirtualRows } from '../../design/virtual-rows.tsx';
import { progressText } from './progress-text.ts';
import { labelOf } from './task-counts.ts';

interface TaskTableProps {
  readonly taskRuns: readonly TaskRunRow[];
  readonly revision: number;
  readonly chosen: string | null;
  readonly choose: (id: string) => void;
  /** Only those of one task. */
  readonly taskKey: string | null;
  readonly clearTask: () => void;
}

const ROW = 36;

/** Every task run of a run: however many there are. */
export function TaskTable({ taskRuns, revision, chosen, choose, taskKey, clearTask }: TaskTableProps) {
  const [search, setSearch] = useState('');
  const [isFailedOnly, setFailedOnly] = useState(false);
  const rows = useMemo(
    () =>
      taskRuns.filter(
        (taskRun) =>
          (taskKey === null || taskRun.taskKey === taskKey) &&
          (!isFailedOnly || taskRun.state === 'FAILED') &&
          (search === '' || `${labelOf(taskRun)} ${taskRun.attempt?.nodeName ?? ''}`.includes(search)),
      ),
    // The revision says that the list has changed in place.
    [taskRuns, revision, search, isFailedOnly, taskKey],
  );
  return (
    <>
      <div className="filters">
        <input
          className="input"
          type="search"
          placeholder="Task or node"
          aria-label="Only tasks or nodes that are called"
          value={search}
          onChange={({ target }) => setSearch(target.value)}
        />
        <button
          type="button"
          className="button"
          aria-pressed={isFailedOnly}
          onClick={() => setFailedOnly(!isFailedOnly)}
        >
          Failed only
        </button>
        {taskKey === null ? null : (
          <button type="button" className="button" onClick={clearTask}>
            Only {taskKey} ✕
          </button>
        )}
        <span className="faint">
          {rows.length === taskRuns.length ? `${rows.length} task runs` : `${rows.length} of ${taskRuns.length}`}
        </span>
      </div>
      <VirtualRows
        label="Task runs"
        className="task-table"
        count={rows.length}
        rowHeight={ROW}
        keyOf={(index) => rows[index]!.id}
        head={
          <div className="rows-head task-row">
            <span>State</span>
            <span>Task</span>
            <span>Node</span>
            <span>Attempt</span>
            <span>Waited</span>
            <span>Ran</span>
            <span className="wide-only">What it says</span>
          </div>
        }
        row={(index) => <TaskLine taskRun={rows[index]!} isChosen={rows[index]!.id === chosen} choose={choose} />}
      />
    </>
  );
}

interface TaskLineProps {
  readonly taskRun: TaskRunRow;
  readonly isChosen: boolean;
  readonly choose: (id: string) => void;
}

function TaskLine({ taskRun, isChosen, choose }: TaskLineProps) {
  const { id, state, attempt, readyAt, finishedAt, isFinished } = taskRun;
  const began = attempt?.startedAt ?? attempt?.assignedAt ?? null;
  return (
    <div className={isChosen ? 'task-row is-chosen' : 'task-row'}>
      <span className="state">
        <StateMark state={state} />
        {lookOf(state).word}
      </span>
      <button type="button" className="link clip mono cover-row" data-row onClick={() => choose(id)}>
        {labelOf(taskRun)}
      </button>
      <span className="clip">{attempt?.nodeName ?? <span className="faint">–</span>}</span>
      <span className="number">{attempt?.number ?? <span className="faint">–</span>}</span>
      <span className="number">
        <Took from={readyAt} to={attempt?.assignedAt ?? (isFinished ? (finishedAt ?? readyAt) : null)} />
      </span>
      <span className="number">
        <Took from={began} to={attempt?.finishedAt ?? null} />
      </span>
      <span className="clip faint wide-only" title={attempt?.failure?.message}>
        {attempt?.failure ? `${attempt.failure.code}: ${attempt.failure.message}` : progressText(taskRun.progress)}
      </span>
    </div>
  );
}
