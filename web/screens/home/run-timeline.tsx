import Link from 'next/link';
import type { RunRow } from '../../client/operations.ts';
import { lookOf } from '../../design/states.ts';
import { clockText, durationText } from '../../design/time.ts';
import { useNow } from '../../design/times.tsx';

interface RunTimelineProps {
  readonly runs: readonly RunRow[];
  /** How far back it goes. Milliseconds. */
  readonly spanMs: number;
}

/** As many pipelines have a lane of their own: those that ran last. */
const LANES = 12;

/** Which pipeline ran when, lane by lane. */
export function RunTimeline({ runs, spanMs }: RunTimelineProps) {
  const now = useNow();
  const begin = now - spanMs;
  const lanes = new Map<string, RunRow[]>();
  for (const run of runs) {
    if ((run.finishedAt === null ? now : Date.parse(run.finishedAt)) < begin) continue;
    const lane = lanes.get(run.pipelineName);
    if (lane === undefined) {
      if (lanes.size < LANES) lanes.set(run.pipelineName, [run]);
    } else lane.push(run);
  }
  return (
    <div className="run-timeline">
      {[...lanes].map(([pipeline, each]) => (
        <div key={pipeline} className="lane">
          <Link className="clip" href={`/pipelines/${encodeURIComponent(pipeline)}`}>
            {pipeline}
          </Link>
          <span className="lane-bars">
            {each.map((run) => (
              <LaneBar key={run.id} run={run} begin={begin} spanMs={spanMs} now={now} />
            ))}
          </span>
        </div>
      ))}
      <div className="lane faint">
        <span />
        <span className="spread">
          <span>{clockText(begin)}</span>
          <span>{clockText(begin + spanMs / 2)}</span>
          <span>now</span>
        </span>
      </div>
    </div>
  );
}

interface LaneBarProps extends Pick<RunTimelineProps, 'spanMs'> {
  readonly run: RunRow;
  readonly begin: number;
  readonly now: number;
}

function LaneBar({ run, begin, spanMs, now }: LaneBarProps) {
  const from = Math.max(begin, Date.parse(run.startedAt ?? run.createdAt));
  const to = run.finishedAt === null ? now : Date.parse(run.finishedAt);
  const title = `${lookOf(run.state).word}, ${durationText(to - from)}, from ${clockText(from)}`;
  return (
    <Link
      href={`/runs/${run.id}`}
      className={`lane-bar tone-${lookOf(run.state).tone} is-${run.state.toLowerCase()}`}
      title={title}
      style={{ left: `${(100 * (from - begin)) / spanMs}%`, width: `max(6px, ${(100 * (to - from)) / spanMs}%)` }}
    >
      <span className="visually-hidden">{title}</span>
    </Link>
  );
}
