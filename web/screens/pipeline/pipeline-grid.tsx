import Link from 'next/link';
import { askInOrder } from '../../client/socket.ts';
import {
  GridRuns,
  GridTaskRuns,
  RunsFeed,
  type GridTaskRunsData,
  type RunBar,
  type RunsFeedData,
  type TaskRunState,
} from '../../client/operations.ts';
import { useLive } from '../../client/use-live.ts';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { runMs } from '../../design/run-bars.tsx';
import { StateMark } from '../../design/state-mark.tsx';
import { lookOf } from '../../design/states.ts';
import { durationText, localText } from '../../design/time.ts';
import { useNow } from '../../design/times.tsx';
import { countByTask } from '../run/task-counts.ts';

/** So many runs side by side, and so many task runs of each at most. */
const RUNS = 24;
const MAX_TASK_RUNS = 2_000;
const PAGE = 500;

type GridTaskRun = NonNullable<GridTaskRunsData['run']>['taskRuns']['nodes'][number];
interface GridRun extends RunBar {
  readonly taskRuns: readonly GridTaskRun[];
}
interface Cell {
  readonly state: TaskRunState;
  readonly count: number;
  readonly tookMs: number | null;
  readonly id: string;
}

/** Tasks against the latest runs: which task failed when, and what became slower. */
export function PipelineGrid({ name, tasks }: { readonly name: string; readonly tasks: readonly string[] }) {
  const live = useLive<readonly GridRun[], RunsFeedData, { filter: { pipeline: string }; after?: string | null }>(
    `grid ${name}`,
    () => ({
      load: async () => {
        const { pipeline } = await askInOrder(GridRuns, { name, first: RUNS });
        const runs = pipeline?.runs.nodes.toReversed() ?? [];
        return Promise.all(runs.map(async (run) => ({ ...run, taskRuns: await taskRunsOf(run.id) })));
      },
      feed: RunsFeed,
      variables: { filter: { pipeline: name } },
      cursorOf: ({ runs }) => runs.cursor,
      // A run has begun or ended: its tasks are others now.
      apply: () => false,
    }),
  );
  const now = useNow(live.data?.some(({ isFinished }) => !isFinished) ?? false);
  if (live.fault) return <FaultNotice fault={live.fault} retry={live.reload} />;
  if (live.data === null) return <Loading what="the grid" />;
  if (live.data.length === 0) return <Empty title="It has never run">Choose Run now, and its tasks appear here.</Empty>;
  const runs = live.data;
  const longest = Math.max(1, ...runs.map((run) => runMs(run, now) ?? 0));
  const cells = runs.map((run) => cellsOf(run));
  return (
    <div className="scroll panel" role="region" aria-label="Tasks by run" tabIndex={0}>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Task</th>
            {runs.map((run) => {
              const took = runMs(run, now);
              const title = `${lookOf(run.state).word}${took === null ? '' : `, ${durationText(took)}`}, ${localText(run.createdAt)}`;
              return (
                <th key={run.id} scope="col" className={`tone-${lookOf(run.state).tone}`}>
                  <Link href={`/runs/${run.id}`} title={title} className="grid-run">
                    <i style={{ height: `${14 + (86 * (took ?? 0)) / longest}%` }} />
                    <span className="visually-hidden">{title}</span>
                  </Link>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {tasks.map((key) => (
            <tr key={key}>
              <th scope="row" className="mono">
                {key}
              </th>
              {runs.map((run, at) => (
                <td key={run.id}>
                  <GridCell run={run.id} task={key} cell={cells[at]!.get(key)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

async function taskRunsOf(id: string): Promise<readonly GridTaskRun[]> {
  const all: GridTaskRun[] = [];
  for (let after: string | null = null; all.length < MAX_TASK_RUNS;) {
    const { run }: GridTaskRunsData = await askInOrder(GridTaskRuns, { id, first: PAGE, after });
    if (run === null) break;
    all.push(...run.taskRuns.nodes);
    if (!run.taskRuns.pageInfo.hasNextPage) break;
    after = run.taskRuns.pageInfo.endCursor;
  }
  return all;
}

function GridCell({
  run,
  task,
  cell,
}: {
  readonly run: string;
  readonly task: string;
  readonly cell: Cell | undefined;
}) {
  if (cell === undefined) return null;
  const { state, count, tookMs, id } = cell;
  const title = `${task}: ${lookOf(state).word}${count > 1 ? `, ${count} of it` : ''}${tookMs === null ? '' : `, ${durationText(tookMs)}`}`;
  const what = count > 1 ? `tab=tasks&of=${encodeURIComponent(task)}` : `task=${id}`;
  return (
    <Link href={`/runs/${run}?${what}`} className="grid-cell">
      <StateMark state={state} title={title} />
    </Link>
  );
}

/** By task: how it stands, and how long its longest run took. */
function cellsOf({ id, taskRuns }: GridRun): ReadonlyMap<string, Cell> {
  const counts = countByTask(taskRuns);
  const took = new Map<string, number>();
  const first = new Map<string, number>();
  for (const { taskKey, ordinal, attempt } of taskRuns) {
    if (!first.has(taskKey)) first.set(taskKey, ordinal);
    if (!attempt?.startedAt || !attempt.finishedAt) continue;
    const ms = Date.parse(attempt.finishedAt) - Date.parse(attempt.startedAt);
    took.set(taskKey, Math.max(took.get(taskKey) ?? 0, ms));
  }
  return new Map(
    [...counts].map(([key, { worst, total }]) => [
      key,
      { state: worst, count: total, tookMs: took.get(key) ?? null, id: `${id}.${first.get(key)}` },
    ]),
  );
}
