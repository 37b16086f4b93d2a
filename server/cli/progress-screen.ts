import { styleOfState, type Output } from './output.ts';
import { failureText, labelOf, progressText, type RunProgress, type TaskGroup } from './run-progress.ts';
import { fitted, oneLine, widthOf } from './terminal-text.ts';
import { elapsedBetween, elapsedText } from './time-text.ts';

/** Tasks beyond this many are summed up in one line. */
const MOST_TASKS = 20;
const MOST_FAILURES = 5;
/** The title, two lines that sum up, one about contact, the cursor's own. */
const OTHER_LINES = 5;

const SYMBOLS: Readonly<Record<string, string>> = {
  SUCCEEDED: '✔',
  CACHED: '✔',
  FAILED: '✘',
  UPSTREAM_FAILED: '✘',
  CANCELLED: '■',
  SKIPPED: '–',
  RUNNING: '●',
  ASSIGNED: '●',
  CANCELLING: '●',
  BACKOFF: '↻',
  READY: '○',
  BLOCKED: '○',
  WAITING: '·',
};

/** The states of a group by weight: the first that is present is the group's. */
const BY_WEIGHT = [
  'FAILED',
  'CANCELLING',
  'BACKOFF',
  'RUNNING',
  'ASSIGNED',
  'READY',
  'BLOCKED',
  'UPSTREAM_FAILED',
  'CANCELLED',
  'WAITING',
  'SKIPPED',
  'CACHED',
  'SUCCEEDED',
];

const FINISHED: ReadonlySet<string> = new Set([
  'SUCCEEDED',
  'CACHED',
  'SKIPPED',
  'FAILED',
  'UPSTREAM_FAILED',
  'CANCELLED',
]);

/** The lines that a terminal shows of a run: one per task, instances of a fan-out counted together. */
export function progressLines(
  progress: RunProgress,
  now: number,
  output: Output,
  hasContact: boolean,
): readonly string[] {
  const { run } = progress;
  if (run === null) return [];
  const width = output.columns - 1;
  const elapsed = elapsedBetween(run.startedAt ?? run.createdAt, run.finishedAt, now) ?? 0;
  const groups = progress.groups();
  const failed = progress.failed();
  // What is taller than the screen cannot be drawn over.
  const room = Math.max(1, output.rows - OTHER_LINES - Math.min(MOST_FAILURES, failed.length));
  const shown = mostInteresting(groups, Math.min(MOST_TASKS, room));
  const keyWidth = Math.min(32, Math.max(4, ...shown.map(({ key }) => widthOf(oneLine(key)))));
  const title = `${oneLine(run.pipelineName)} v${run.versionNumber}`;
  const lines = [
    `${output.styled('bold', title)}  ${output.styled(styleOfState(run.state), run.state)}  ` +
      `${run.counts.finished}/${run.counts.total} tasks  ${elapsedText(elapsed)}  ${output.styled('dim', run.id)}`,
    ...shown.map((group) => groupLine(group, keyWidth, now, output, width)),
  ];
  if (shown.length < groups.length)
    lines.push(output.styled('dim', `  … and ${groups.length - shown.length} more tasks`));
  for (const taskRun of failed.slice(0, MOST_FAILURES)) {
    const why = taskRun.attempt?.failure;
    lines.push(
      output.styled('red', fitted(`  ✘ ${oneLine(labelOf(taskRun))}  ${why ? oneLine(failureText(why)) : ''}`, width)),
    );
  }
  if (failed.length > MOST_FAILURES)
    lines.push(output.styled('red', `  … and ${failed.length - MOST_FAILURES} more failed`));
  if (!hasContact) lines.push(output.styled('yellow', '  no contact with the server; trying again …'));
  return lines;
}

function groupLine(group: TaskGroup, keyWidth: number, now: number, output: Output, width: number): string {
  const state = BY_WEIGHT.find((each) => group.countByState.has(each)) ?? 'WAITING';
  const elapsed = elapsedBetween(group.startedAt, group.finishedAt, now);
  const name = fitted(oneLine(group.key), keyWidth);
  const left = `  ${output.styled(styleOfState(state), SYMBOLS[state] ?? '·')} ${name}${' '.repeat(keyWidth - widthOf(name))}`;
  const time = elapsed === null ? '' : elapsedText(elapsed);
  const rest = group.isFannedOut
    ? `${bar(finishedCount(group) / Math.max(group.total, 1), 20)} ${finishedCount(group)}/${group.total} ${countsText(group)}`.trimEnd()
    : group.progress === null || FINISHED.has(state)
      ? state
      : `${group.progress.fraction === null ? state : bar(group.progress.fraction, 20)} ${oneLine(progressText(group.progress))}`;
  const fittedRest = fitted(rest, Math.max(10, width - keyWidth - 18));
  return `${left}  ${time.padStart(8)}  ${output.styled(styleOfState(state), fittedRest)}`;
}

/** `████████░░░░`, the finished part filled. */
function bar(fraction: number, cells: number): string {
  const filled = Math.floor(Math.min(fraction, 1) * cells);
  return '█'.repeat(filled) + '░'.repeat(cells - filled);
}

function countsText(group: TaskGroup): string {
  const states = [...group.countByState].filter(([state]) => !(state === 'SUCCEEDED' || state === 'WAITING'));
  return states.map(([state, count]) => `${count} ${state}`).join(', ');
}

function finishedCount(group: TaskGroup): number {
  let count = 0;
  for (const [state, members] of group.countByState) if (FINISHED.has(state)) count += members;
  return count;
}

/** Those at work and those that failed, then the rest in order. */
function mostInteresting(groups: readonly TaskGroup[], most: number): readonly TaskGroup[] {
  if (groups.length <= most) return groups;
  const rank = (group: TaskGroup): number => {
    if (group.countByState.has('FAILED') || group.countByState.has('RUNNING')) return 0;
    return finishedCount(group) < group.total ? 1 : 2;
  };
  const chosen = new Set([...groups].sort((a, b) => rank(a) - rank(b)).slice(0, most));
  return groups.filter((group) => chosen.has(group));
}

/** Draws lines over the ones that it drew before. */
export class Screen {
  readonly #output: Output;
  #height = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  draw(lines: readonly string[]): void {
    const up = this.#height > 0 ? `\u001b[${this.#height}A` : '';
    // Each line is erased to its end, then whatever is left below.
    const body = lines.map((line) => `${line}\u001b[K\n`).join('');
    this.#output.write(`${up}\r${body}\u001b[J`);
    this.#height = lines.length;
  }
}
