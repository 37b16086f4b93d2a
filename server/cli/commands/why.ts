import type { Command, Context } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { styleOfState } from '../output.ts';
import { namedTaskRuns } from '../named-task-runs.ts';
import { labelOf, type TaskRunView } from '../run-progress.ts';
import { oneLine } from '../terminal-text.ts';

interface ReasonView {
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
}
interface NodeVerdictView {
  readonly nodeName: string;
  readonly verdict: 'FITS' | 'FULL' | 'REFUSED';
  readonly obstacles: readonly ReasonView[];
}
interface PlacementView {
  readonly verdict: string;
  readonly tier: string | null;
  readonly summary: ReasonView;
  readonly reasons: readonly ReasonView[];
  readonly queuePosition: number | null;
  readonly queueLength: number | null;
  readonly nodeCount: number;
  readonly nodes: readonly NodeVerdictView[];
  readonly decision: {
    readonly id: string;
    readonly at: string;
    readonly schedulerName: string;
    readonly schedulerVersion: string;
    readonly offered: number;
  } | null;
  readonly candidates: readonly { readonly nodeName: string; readonly score: number }[] | null;
  readonly unblock: readonly { readonly message: string }[];
}
type Explained = Pick<TaskRunView, 'id' | 'taskKey' | 'mapIndex' | 'state'> & {
  readonly placement: PlacementView | null;
};

export const why: Command = {
  name: 'why',
  summary: 'Explains why a task run waits, or why it is where it is.',
  details:
    'Looks through all layers: what the task needs, its run, the rules of its placement, what is free, limits, its ' +
    'gang, and the scheduler; node by node while it is in the queue.',
  arguments: [
    { name: 'id', summary: 'The id of a task run or of a run.' },
    {
      name: 'task',
      summary: 'With a run: the task, or one instance of it; the first that has not ended.',
      isOptional: true,
    },
  ],
  options: [
    { flags: '--nodes <number>', summary: 'How many nodes to show at most, the nearest first.', default: '10' },
  ],
  examples: [
    { command: 'gantry why 019aa1c8-… train', meaning: 'why the task `train` of a run waits' },
    { command: 'gantry why 019aa1c8-….4 --json', meaning: 'the same for a task run, for a program' },
  ],
  async run({ arguments: [id = '', task], options, context }) {
    const client = context.connect();
    const nodes = Number(options.text('nodes'));
    if (!Number.isSafeInteger(nodes) || nodes < 0 || nodes > 1_000) {
      throw new CommandFailure({ code: 'USAGE', message: '--nodes must be a whole number from 0 to 1000.' });
    }
    const named = await namedTaskRuns(client, id, task);
    const { id: meant = '' } = named.find(({ isFinished }) => !isFinished) ?? named[0] ?? {};
    const { taskRun } = await client.ask<{ readonly taskRun: Explained | null }>('task-run-placement', {
      id: meant,
      nodes,
    });
    if (taskRun === null || taskRun.placement === null) {
      throw new CommandFailure({ code: 'TASK_RUN_NOT_FOUND', message: `There is no task run ${meant} any more.` });
    }
    const { placement } = taskRun;
    context.output.result(taskRun, () => lines(taskRun, placement, context));
    return EXIT_CODES.SUCCEEDED.code;
  },
};

function lines(taskRun: Explained, placement: PlacementView, { output }: Context): readonly string[] {
  const { summary, reasons, queuePosition, queueLength, nodes, nodeCount, unblock } = placement;
  const head = `${oneLine(labelOf(taskRun))} is ${output.styled(styleOfState(taskRun.state), taskRun.state)}`;
  const place = queuePosition === null ? '' : `, number ${queuePosition} of ${queueLength} in the queue`;
  const said = [`${head}${place}.`, oneLine(summary.message)];
  if (summary.remedy !== null) said.push(`→ ${oneLine(summary.remedy)}`);
  for (const { code, message } of reasons) if (code !== summary.code) said.push(`- ${oneLine(message)}`);
  if (unblock.length > 0) said.push('', 'What would help:', ...unblock.map(({ message }) => `- ${oneLine(message)}`));
  said.push(...decisionLines(placement));
  if (nodes.length === 0) return said;
  const table = output.table<NodeVerdictView>(
    [
      { heading: 'node', value: ({ nodeName }) => nodeName },
      { heading: 'verdict', value: ({ verdict }) => verdict },
      { heading: 'why', value: ({ obstacles }) => obstacles.map(({ message }) => message).join(' ') },
    ],
    nodes,
    '',
  );
  const more = nodeCount > nodes.length ? [`… and ${nodeCount - nodes.length} more nodes (--nodes shows them).`] : [];
  return [...said, '', ...table, ...more];
}

/** Why there: who decided, and what else there was. */
function decisionLines({ decision, candidates }: PlacementView): readonly string[] {
  if (decision === null) return [];
  const { id, at, schedulerName, schedulerVersion, offered } = decision;
  const scheduler = `${oneLine(schedulerName)} ${oneLine(schedulerVersion)}`;
  const among = `${offered === 1 ? 'one task run' : `${offered} task runs`} to place`;
  const others = (candidates ?? []).map(
    ({ nodeName, score }) => `${oneLine(nodeName)} ${Number(score.toPrecision(4))}`,
  );
  return [
    `Decided by ${scheduler} at ${at}, with ${among} (decision ${id}).`,
    ...(others.length === 0 ? [] : [`Its best candidates, with their scores: ${others.join(', ')}.`]),
  ];
}
