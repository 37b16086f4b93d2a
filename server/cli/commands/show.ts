import type { Command, Context } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { existingRun } from '../existing-run.ts';
import { CommandFailure } from '../failure.ts';
import { styleOfState, type Column } from '../output.ts';
import { firstRows, type Page } from '../pages.ts';
import { labelOf, progressText, reasonText, type RunView, type TaskRunView } from '../run-progress.ts';
import { showTask } from '../show-task.ts';
import { oneLine } from '../terminal-text.ts';
import { elapsedBetween, elapsedText } from '../time-text.ts';
import { concludeWatching, watchRun } from '../watch-run.ts';

export const show: Command = {
  name: 'show',
  summary: 'Shows a run and its task runs, or one of its tasks with the config that it ran with.',
  arguments: [
    { name: 'run', summary: 'The id of the run, or of a task run.' },
    { name: 'task', summary: 'The task, or one instance of it: shows what it was executed with.', isOptional: true },
  ],
  options: [
    { flags: '-f, --follow', summary: 'Shows it until it ends, and exits with its outcome.' },
    { flags: '--limit <number>', summary: 'How many task runs at most.', default: '1000' },
  ],
  examples: [
    { command: 'gantry show 019aa1c8-…', meaning: 'where it stands, and why it failed' },
    { command: 'gantry show 019aa1c8-… --follow', meaning: 'watch it to its end' },
    { command: "gantry show 019aa1c8-… 'train[3]'", meaning: 'the command of an instance, as it ran' },
  ],
  async run({ arguments: [id = '', task], options, context }) {
    const client = context.connect();
    if (task !== undefined || id.includes('.')) return showTask(client, id, task, context);
    if (options.is('follow')) return concludeWatching(await watchRun(client, id, context), id, context);
    const run = await existingRun(client, id);
    const limit = Number(options.text('limit'));
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new CommandFailure({ code: 'USAGE', message: '--limit must be a whole number from 0.' });
    }
    type Data = { readonly run: { readonly taskRuns: Page<TaskRunView> } | null };
    const none: Page<TaskRunView> = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
    const taskRuns = await firstRows<TaskRunView, Data>(
      client,
      'run-task-runs',
      { id },
      (data) => data.run?.taskRuns ?? none,
      limit,
    );
    context.output.result({ ...run, taskRuns }, () => runLines(run, taskRuns, context));
    return EXIT_CODES.SUCCEEDED.code;
  },
};

function runLines(run: RunView, taskRuns: readonly TaskRunView[], { output, now }: Context): readonly string[] {
  const table = output.table<TaskRunView>(
    [
      { heading: 'task', value: labelOf },
      { heading: 'state', value: ({ state }) => state, style: ({ state }) => styleOfState(state) },
      { heading: 'attempt', value: ({ attempt }) => attempt?.number ?? '', alignsRight: true },
      { heading: 'node', value: ({ attempt }) => attempt?.nodeName ?? '' },
      { heading: 'took', value: (taskRun) => tookText(taskRun, now()), alignsRight: true },
      ...usageColumns(taskRuns, output.rendering !== 'HUMAN'),
      { heading: 'why', value: whyText },
    ],
    taskRuns,
    'It has no task runs yet.',
  );
  if (output.rendering !== 'HUMAN') return table;
  const took = elapsedBetween(run.startedAt, run.finishedAt, now());
  const facts: readonly (readonly [string, string])[] = [
    ['run', run.id],
    ['pipeline', `${oneLine(run.pipelineName)} v${run.versionNumber}, pool ${oneLine(run.poolName)}`],
    ['state', output.styled(styleOfState(run.state), run.state)],
    ...(run.reason === null ? [] : [['why', oneLine(run.reason.message)] as const]),
    ['tasks', `${run.counts.finished} of ${run.counts.total} ended, ${run.counts.failed} failed`],
    ['created', `${run.createdAt} by ${oneLine(run.createdBy)}, priority ${run.priority}`],
    ...(took === null ? [] : [['took', elapsedText(took)] as const]),
    ['params', oneLine(JSON.stringify(run.params))],
  ];
  return [...facts.map(([name, value]) => `${output.styled('dim', name.padEnd(9))} ${value}`), '', ...table];
}

/** Why it failed, or how far it is. */
const whyText = (taskRun: TaskRunView): string =>
  reasonText(taskRun) ?? (taskRun.progress ? progressText(taskRun.progress) : '');

/** Memory and processor time, in a pipe always, on a terminal where any task told of them. */
function usageColumns(taskRuns: readonly TaskRunView[], isAlways: boolean): readonly Column<TaskRunView>[] {
  if (!isAlways && !taskRuns.some(({ attempt }) => attempt?.usage)) return [];
  return [
    { heading: 'memory', value: ({ attempt }) => bytesText(attempt?.usage?.peakMemoryBytes), alignsRight: true },
    { heading: 'cpu', value: ({ attempt }) => spanText(attempt?.usage?.cpuMs), alignsRight: true },
  ];
}

const spanText = (ms: number | null | undefined): string => (ms === null || ms === undefined ? '' : elapsedText(ms));

/** Bytes as a person reads them, `1.5 GiB`. */
function bytesText(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return '';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const unit = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  const amount = bytes / 1_024 ** unit;
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}

function tookText({ attempt }: TaskRunView, now: number): string {
  const took = attempt === null ? null : elapsedBetween(attempt.startedAt, attempt.finishedAt, now);
  return took === null ? '' : elapsedText(took);
}
