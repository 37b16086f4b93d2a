import type { Client } from '../client.ts';
import type { Command, Context } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { namedTaskRuns } from '../named-task-runs.ts';
import { labelOf, type TaskRunView } from '../run-progress.ts';
import { oneLine, terminalOutput } from '../terminal-text.ts';

interface LogChunkView {
  readonly cursor: string;
  readonly attemptId: string;
  readonly stream: 'STDOUT' | 'STDERR' | 'SYSTEM';
  readonly at: string;
  readonly text: string;
}

export const logs: Command = {
  name: 'logs',
  summary: 'Prints what a task run, or every task run of a run, has written.',
  details:
    'A task run’s id is its run’s id, a dot and its number. With a run’s id, a task may be named: `audit`, or `audit[3]` ' +
    'for one instance of a fan-out. On a terminal, control sequences other than colours are removed; in a pipe the ' +
    'text is as it was written.',
  arguments: [
    { name: 'id', summary: 'The id of a task run or of a run.' },
    { name: 'task', summary: 'With a run: the task, or one instance of it.', isOptional: true },
  ],
  options: [{ flags: '-f, --follow', summary: 'Goes on until the task runs have ended.' }],
  examples: [
    { command: 'gantry logs 019aa1c8-… merge', meaning: 'what one task has written' },
    { command: 'gantry logs 019aa1c8-….4 --follow', meaning: 'what a task run writes, while it writes it' },
  ],
  async run({ arguments: [id = '', task], options, context }) {
    const client = context.connect();
    const taskRuns = await namedTaskRuns(client, id, task);
    const ending = new AbortController();
    let isDetached = false;
    const off = context.onInterrupt(() => {
      isDetached = true;
      ending.abort();
    });
    try {
      for (const taskRun of taskRuns) {
        if (ending.signal.aborted) break;
        const label = taskRuns.length > 1 ? labelOf(taskRun) : null;
        await printLog(client, taskRun, label, options.is('follow'), context, ending.signal);
      }
    } finally {
      off();
    }
    return isDetached ? EXIT_CODES.DETACHED.code : EXIT_CODES.SUCCEEDED.code;
  },
};

async function printLog(
  client: Client,
  taskRun: TaskRunView,
  label: string | null,
  follow: boolean,
  context: Context,
  signal: AbortSignal,
): Promise<void> {
  const { output } = context;
  const events = client.follow<LogChunkView>(
    'follow-logs',
    { taskRun: taskRun.id, follow },
    {
      signal,
      cursorOf: (chunk) => chunk.cursor,
      eventOf: (data) => data['logs'] as LogChunkView,
      now: context.now,
      sleep: context.sleep,
    },
  );
  let endsLine = true;
  let isFirst = true;
  for await (const step of events) {
    if (step.kind !== 'EVENT') {
      output.note(step.kind === 'IN_CONTACT' ? 'in contact again' : 'no contact with the server; trying again');
      continue;
    }
    const chunk = step.event;
    if (output.rendering === 'JSON') {
      output.item({ taskRun: taskRun.id, task: labelOf(taskRun), ...chunk }, () => null);
      continue;
    }
    if (isFirst && label !== null) output.note(output.styled('dim', `── ${oneLine(label)} ──`));
    isFirst = false;
    const text = output.rendering === 'HUMAN' ? terminalOutput(chunk.text, output.hasColours) : chunk.text;
    output.write(chunk.stream === 'SYSTEM' ? output.styled('dim', text) : text);
    endsLine = text.endsWith('\n');
  }
  if (!endsLine) output.line();
}
