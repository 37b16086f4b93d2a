import Link from 'next/link';
import { useEffect } from 'react';
import { TaskRunDetail, type TaskRunDetailData, type TaskRunRow } from '../../client/operations.ts';
import { useQuery } from '../../client/use-query.ts';
import { FaultNotice, Loading } from '../../design/notices.tsx';
import { JsonView } from '../../design/json-view.tsx';
import { StateBadge, StateText } from '../../design/state-mark.tsx';
import { Tabs } from '../../design/tabs.tsx';
import { At, Took } from '../../design/times.tsx';
import { LogView } from '../log/log-view.tsx';
import { Fact } from '../../design/fact.tsx';
import { progressText } from './progress-text.ts';
import { labelOf } from './task-counts.ts';
import { TaskConfig } from './task-config.tsx';
import { WhyView } from './why-view.tsx';

export type TaskTab = 'log' | 'attempts' | 'config' | 'why';

interface TaskPanelProps {
  readonly taskRun: TaskRunRow;
  readonly tab: TaskTab;
  readonly chooseTab: (tab: TaskTab) => void;
  readonly close: () => void;
}

type Detail = NonNullable<TaskRunDetailData['taskRun']>;

/** A task run: what it prints, what was tried, what it is made of, and why it is where it is. */
export function TaskPanel({ taskRun, tab, chooseTab, close }: TaskPanelProps) {
  const { id, state, attempt, failures, losses } = taskRun;
  const { data, fault, reload } = useQuery(TaskRunDetail, { id });
  useEffect(() => {
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape' && document.querySelector('dialog[open]') === null) close();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [close]);
  // The row is live; what is read once is read again when the row says that it is old.
  const version = `${state} ${attempt?.number ?? 0} ${attempt?.state ?? ''}`;
  useEffect(() => reload(), [version, reload]);
  const detail = data?.taskRun ?? null;
  return (
    <aside className="task-panel panel" aria-label={`Task ${labelOf(taskRun)}`}>
      <header className="panel-head">
        <h2 className="mono clip">{labelOf(taskRun)}</h2>
        <StateBadge state={state} />
        <button className="button bare" type="button" onClick={close}>
          <span aria-hidden="true">✕</span>
          <span className="visually-hidden">Close the task</span>
        </button>
      </header>
      {taskRun.progress === null ? null : (
        <div className="task-progress">
          <progress
            {...(taskRun.progress.fraction === null ? {} : { value: taskRun.progress.fraction })}
            aria-label="Progress"
          />
          <span>{progressText(taskRun.progress)}</span>
        </div>
      )}
      {detail === null ? null : <EndReason detail={detail} />}
      {attempt?.failure ? (
        <div className="notice tone-bad">
          <div>
            <strong>{attempt.failure.message}</strong>
            <p className="hint">
              {attempt.failure.kind.toLowerCase()} · {attempt.failure.code}
              {failures > 1 ? ` · failed ${failures} times` : ''}
              {losses > 0 ? ` · lost ${losses} times` : ''}
            </p>
            {attempt.failure.remedy === null ? null : <p>{attempt.failure.remedy}</p>}
          </div>
        </div>
      ) : null}
      <Tabs<TaskTab>
        label="About the task"
        chosen={tab}
        choose={chooseTab}
        tabs={[
          { name: 'log', title: 'Log' },
          { name: 'attempts', title: 'Attempts' },
          { name: 'config', title: 'Config' },
          { name: 'why', title: 'Why' },
        ]}
      >
        {tab === 'log' ? <LogView key={id} taskRun={id} name={labelOf(taskRun)} /> : null}
        {tab === 'why' ? <WhyView key={id} taskRun={id} /> : null}
        {tab === 'attempts' || tab === 'config' ? (
          fault ? (
            <FaultNotice fault={fault} retry={reload} />
          ) : detail === null ? (
            <Loading what="the task" />
          ) : tab === 'attempts' ? (
            <Attempts detail={detail} />
          ) : (
            <TaskConfig key={version} id={id} task={detail.task} hasRun={detail.attempt !== null} />
          )
        ) : null}
      </Tabs>
    </aside>
  );
}

/** Why it ended as it did, where its latest attempt does not say it already. */
function EndReason({ detail: { reason, attempt, state } }: { readonly detail: Detail }) {
  if (reason === null || reason.code === attempt?.failure?.code) return null;
  return (
    <div className={`notice tone-${state === 'FAILED' ? 'bad' : 'idle'}`}>
      <div>
        <strong>{reason.message}</strong>
        <p className="hint">{reason.code}</p>
        {reason.remedy === null ? null : <p>{reason.remedy}</p>}
      </div>
    </div>
  );
}

function Attempts({ detail: { attempts, outputs, dueAt } }: { readonly detail: Detail }) {
  return (
    <div className="stack">
      {dueAt === null ? null : (
        <p>
          The next attempt is due at <At at={dueAt} />.
        </p>
      )}
      {attempts.length === 0 ? <p className="faint">It has not been placed on a node yet.</p> : null}
      {attempts
        .toReversed()
        .map(({ id, number, state, nodeName, assignedAt, startedAt, finishedAt, failure, usage }) => (
          <section key={id} className="attempt">
            <header className="spread">
              <strong>Attempt {number}</strong>
              <StateText state={state} />
            </header>
            <dl className="facts">
              <Fact name="Node">
                <Link href={`/nodes/${encodeURIComponent(nodeName)}`}>{nodeName}</Link>
              </Fact>
              <Fact name="Assigned">
                <At at={assignedAt} />
              </Fact>
              <Fact name="Started after">
                <Took from={assignedAt} to={startedAt ?? finishedAt} />
              </Fact>
              <Fact name="Ran for">
                <Took from={startedAt} to={finishedAt} />
              </Fact>
              {usage === null ? null : (
                <Fact name="Used">
                  {[
                    usage.cpuMs === null ? null : `${(usage.cpuMs / 1000).toFixed(2)} s of processor`,
                    usage.peakMemoryBytes === null
                      ? null
                      : `${(usage.peakMemoryBytes / 2 ** 20).toFixed(1)} MiB at most`,
                  ]
                    .filter((each) => each !== null)
                    .join(', ')}
                </Fact>
              )}
              {failure === null ? null : (
                <Fact name="Failure">
                  {failure.message}
                  {failure.exitCode === null ? '' : ` (exit code ${failure.exitCode})`}
                  {failure.signal === null ? '' : ` (${failure.signal})`}
                </Fact>
              )}
            </dl>
          </section>
        ))}
      <section>
        <h3>Outputs</h3>
        <JsonView value={outputs} empty="It has handed nothing on." />
      </section>
    </div>
  );
}
