import Link from 'next/link';
import { useCallback, useMemo } from 'react';
import { useAddress } from '../../client/use-address.ts';
import { FaultNotice, Loading } from '../../design/notices.tsx';
import { JsonView } from '../../design/json-view.tsx';
import { Page } from '../../design/page.tsx';
import { StateBadge, StateMark } from '../../design/state-mark.tsx';
import { lookOf, TASK_RUN_STATES } from '../../design/states.ts';
import { Tabs } from '../../design/tabs.tsx';
import { Ago, Took } from '../../design/times.tsx';
import { TaskGraph } from '../graph/task-graph.tsx';
import { takeRun, useLiveRun, type RunView } from './live-run.ts';
import { RunActions } from './run-actions.tsx';
import { countByTask, type TaskCounts } from './task-counts.ts';
import { TaskPanel, type TaskTab } from './task-panel.tsx';
import { TaskTable } from './task-table.tsx';
import { Timeline } from './timeline.tsx';

type RunTab = 'graph' | 'timeline' | 'tasks' | 'about';
const TABS: readonly { readonly name: RunTab; readonly title: string }[] = [
  { name: 'graph', title: 'Graph' },
  { name: 'timeline', title: 'Timeline' },
  { name: 'tasks', title: 'Tasks' },
  { name: 'about', title: 'Params and origin' },
];
const TASK_TABS: readonly TaskTab[] = ['log', 'attempts', 'config', 'why'];

/** A run, live to its end. What is open is kept in the address. */
export function RunScreen({ id }: { readonly id: string }) {
  const live = useLiveRun(id);
  const [read, write] = useAddress();
  const view = live.data;
  const close = useCallback(() => write({ task: null, view: null }), [write]);
  if (view === null) {
    return (
      <Page title={`Run ${id}`} above={{ href: '/runs', name: 'Runs' }}>
        {live.fault ? <FaultNotice fault={live.fault} retry={live.reload} /> : <Loading what="the run" />}
      </Page>
    );
  }
  const { run, taskRuns } = view;
  const tab = TABS.find(({ name }) => name === read('tab'))?.name ?? 'graph';
  const chosen = taskRuns.find((taskRun) => taskRun.id === read('task')) ?? null;
  const taskTab = TASK_TABS.find((name) => name === read('view')) ?? 'log';
  const choose = (task: string): void => write({ task });
  const chooseKey = (key: string): void => {
    const runs = taskRuns.filter(({ taskKey }) => taskKey === key);
    if (runs.length === 1) choose(runs[0]!.id);
    else write({ tab: 'tasks', of: key });
  };
  return (
    <Page
      title={run.pipelineName}
      above={{ href: '/runs', name: 'Runs' }}
      beside={
        <>
          <StateBadge state={run.state} />
          <span className="mono faint">{run.id}</span>
        </>
      }
      actions={<RunActions view={view} changed={(now) => live.change((old) => takeRun(old, now))} />}
    >
      {live.fault ? <FaultNotice fault={live.fault} retry={live.reload} /> : null}
      {run.reason ? (
        <div className={`notice tone-${lookOf(run.state).tone}`}>
          <div>
            <strong>{run.reason.message}</strong> {run.reason.remedy}
          </div>
        </div>
      ) : null}
      <Summary view={view} revision={live.revision} />
      <div className={chosen ? 'run-body has-panel' : 'run-body'}>
        <Tabs<RunTab>
          label="Views of the run"
          tabs={TABS}
          chosen={tab}
          choose={(name) => write({ tab: name, of: null })}
        >
          {tab === 'graph' ? (
            <LiveGraph view={view} revision={live.revision} chosen={chosen?.taskKey ?? null} choose={chooseKey} />
          ) : null}
          {tab === 'timeline' ? (
            <Timeline
              taskRuns={taskRuns}
              revision={live.revision}
              from={run.createdAt}
              to={run.finishedAt}
              chosen={chosen?.id ?? null}
              choose={choose}
            />
          ) : null}
          {tab === 'tasks' ? (
            <TaskTable
              taskRuns={taskRuns}
              revision={live.revision}
              chosen={chosen?.id ?? null}
              choose={choose}
              taskKey={read('of')}
              clearTask={() => write({ of: null })}
            />
          ) : null}
          {tab === 'about' ? <About view={view} /> : null}
        </Tabs>
        {chosen ? (
          <TaskPanel
            key={chosen.id}
            taskRun={chosen}
            tab={taskTab}
            chooseTab={(name) => write({ view: name })}
            close={close}
          />
        ) : null}
      </div>
    </Page>
  );
}

function Summary({ view: { run, taskRuns }, revision }: { readonly view: RunView; readonly revision: number }) {
  // Everything here is counted from the list, which is what the other tabs show, so that the numbers agree.
  const ended = useMemo(
    () => taskRuns.reduce((sum, { isFinished }) => sum + (isFinished ? 1 : 0), 0),
    [taskRuns, revision],
  );
  const states = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { state } of taskRuns) counts.set(state, (counts.get(state) ?? 0) + 1);
    return TASK_RUN_STATES.flatMap((state) => (counts.has(state) ? [{ state, count: counts.get(state)! }] : []));
    // The revision says that the list has changed in place.
  }, [taskRuns, revision]);
  return (
    <div className="summary">
      <div className="summary-counts">
        {states.map(({ state, count }) => (
          <span key={state} className="state">
            <StateMark state={state} />
            {count} {lookOf(state).word.toLowerCase()}
          </span>
        ))}
      </div>
      <div className="meter" role="img" aria-label={`${ended} of ${taskRuns.length} task runs have ended`}>
        {states.map(({ state, count }) => (
          <span
            key={state}
            className={`tone-${lookOf(state).tone}${run.isFinished || !['READY', 'WAITING', 'BLOCKED'].includes(state) ? '' : ' is-open'}`}
            style={{ flexGrow: count }}
          />
        ))}
      </div>
      <span className="nowrap faint">
        <Took from={run.startedAt ?? run.createdAt} to={run.finishedAt} /> · created <Ago at={run.createdAt} /> by{' '}
        {run.createdBy}
      </span>
    </div>
  );
}

interface LiveGraphProps {
  readonly view: RunView;
  readonly revision: number;
  readonly chosen: string | null;
  readonly choose: (key: string) => void;
}

function LiveGraph({ view: { run, taskRuns }, revision, chosen, choose }: LiveGraphProps) {
  // The revision says that the list has changed in place.
  const counts = useMemo(() => countByTask(taskRuns), [taskRuns, revision]);
  const tasks = run.version?.tasks ?? [];
  const runners = useMemo(() => new Map(tasks.map(({ key, runner }) => [key, runner])), [tasks]);
  return (
    <TaskGraph
      tasks={tasks}
      chosen={chosen}
      choose={choose}
      lookOf={(key) => `tone-${lookOf(counts.get(key)?.worst ?? 'WAITING').tone}`}
      box={(key) => <TaskBox name={key} runner={runners.get(key) ?? ''} counts={counts.get(key)} />}
    />
  );
}

interface TaskBoxProps {
  readonly name: string;
  readonly runner: string;
  readonly counts: TaskCounts | undefined;
}

function TaskBox({ name, runner, counts }: TaskBoxProps) {
  const state = counts?.worst ?? 'WAITING';
  return (
    <>
      <StateMark state={state} />
      <span className="graph-words">
        <span className="clip mono">{name}</span>
        <span className="clip faint">
          {lookOf(state).word}
          {counts !== undefined && counts.total > 1 ? ` · ${counts.ended} of ${counts.total}` : ''} · {runner}
        </span>
      </span>
    </>
  );
}

function About({ view: { run } }: { readonly view: RunView }) {
  const pipeline = `/pipelines/${encodeURIComponent(run.pipelineName)}`;
  return (
    <div className="stack pad">
      <dl className="facts">
        <div className="pair">
          <dt>Pipeline</dt>
          <dd>
            <Link href={pipeline}>{run.pipelineName}</Link>, version {run.versionNumber}
          </dd>
        </div>
        <div className="pair">
          <dt>Pool</dt>
          <dd>
            <Link href={`/queue?pool=${encodeURIComponent(run.poolName)}`}>{run.poolName}</Link>, priority{' '}
            {run.priority}
          </dd>
        </div>
        <div className="pair">
          <dt>Set going</dt>
          <dd>
            {run.retryOf ? (
              <>
                as a retry of{' '}
                <Link className="mono" href={`/runs/${run.retryOf.id}`}>
                  {run.retryOf.id}
                </Link>
              </>
            ) : run.retryOfId ? (
              <>
                as a retry of <span className="mono">{run.retryOfId}</span>, which has been deleted
              </>
            ) : (
              `by ${run.createdBy}`
            )}
          </dd>
        </div>
      </dl>
      <section>
        <h2>Params</h2>
        <JsonView value={run.params} empty="The pipeline takes none." />
      </section>
    </div>
  );
}
