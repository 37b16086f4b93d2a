import type { Client } from './client.ts';
import type { Context } from './command.ts';
import { EXIT_CODES, type ExitCode } from './exit-code.ts';
import { CommandFailure } from './failure.ts';
import { namedTaskRuns } from './named-task-runs.ts';
import { styleOfState } from './output.ts';
import { failureText, labelOf, type TaskRunView } from './run-progress.ts';
import { oneLine } from './terminal-text.ts';

interface TaskRunConfig {
  readonly with: unknown;
  readonly env: Readonly<Record<string, unknown>> | null;
  readonly item: unknown;
  readonly problem: { readonly message: string } | null;
}

/** Shows a task run with the config that it was executed with. */
export async function showTask(
  client: Client,
  id: string,
  task: string | undefined,
  context: Context,
): Promise<ExitCode> {
  const found = await namedTaskRuns(client, id, task);
  const [taskRun] = found;
  if (found.length > 1 || taskRun === undefined) {
    throw new CommandFailure({
      code: 'USAGE',
      message: `The task “${oneLine(task ?? '')}” has ${found.length} instances.`,
      remedy: `Name one of them: ${found
        .slice(0, 3)
        .map((each) => `'${oneLine(labelOf(each))}'`)
        .join(', ')} …`,
    });
  }
  type Data = { readonly taskRunConfig: TaskRunConfig | null };
  const { taskRunConfig: config } = await client.ask<Data>('task-run-config', { id: taskRun.id });
  context.output.result({ ...taskRun, config }, () => taskLines(taskRun, config, context));
  return EXIT_CODES.SUCCEEDED.code;
}

function taskLines(taskRun: TaskRunView, config: TaskRunConfig | null, { output }: Context): readonly string[] {
  const { id, state, attempt } = taskRun;
  const facts: readonly (readonly [string, string])[] = [
    ['task', oneLine(labelOf(taskRun))],
    ['task run', id],
    ['state', output.styled(styleOfState(state), state)],
    ...(attempt === null ? [] : [['attempt', `${attempt.number} on ${oneLine(attempt.nodeName)}`] as const]),
    ...(attempt?.failure ? [['why', failureText(attempt.failure)] as const] : []),
    ...(config?.problem ? [['config', oneLine(config.problem.message)] as const] : []),
  ];
  const lines = facts.map(([name, value]) => `${output.styled('dim', name.padEnd(9))} ${value}`);
  if (config === null || config.problem !== null) return lines;
  const { with: given, env, item } = config;
  if (item !== null) lines.push('', output.styled('dim', 'item'), ...jsonLines(item));
  lines.push('', output.styled('dim', 'with'), ...withLines(given));
  if (env !== null && Object.keys(env).length > 0) lines.push('', output.styled('dim', 'env'), ...jsonLines(env));
  return lines;
}

/** Texts of several lines, such as commands, stand as they are; everything else is JSON. */
function withLines(given: unknown): readonly string[] {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return jsonLines(given);
  return Object.entries(given).flatMap(([name, value]) =>
    typeof value === 'string' && value.includes('\n')
      ? [
          `  ${oneLine(name)}:`,
          ...value
            .replace(/\n$/, '')
            .split('\n')
            .map((line) => `    ${oneLine(line)}`),
        ]
      : [`  ${oneLine(name)}: ${oneLine(JSON.stringify(value))}`],
  );
}

const jsonLines = (value: unknown): readonly string[] =>
  JSON.stringify(value, null, 2)
    .split('\n')
    .map((line) => `  ${oneLine(line)}`);
