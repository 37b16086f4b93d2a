import type { Client } from './client.ts';
import { existingRun } from './existing-run.ts';
import { CommandFailure } from './failure.ts';
import { firstRows, type Page } from './pages.ts';
import { labelOf, type TaskRunView } from './run-progress.ts';
import { oneLine } from './terminal-text.ts';

/** The task runs that a person means: one by its id, or those of a run, of one of its tasks, or of one instance. */
export async function namedTaskRuns(
  client: Client,
  id: string,
  task: string | undefined,
): Promise<readonly TaskRunView[]> {
  if (id.includes('.')) {
    const { taskRun } = await client.ask<{ readonly taskRun: TaskRunView | null }>('task-run', { id });
    if (taskRun !== null) return [taskRun];
    const message = `There is no task run ${id}.`;
    throw new CommandFailure({
      code: 'TASK_RUN_NOT_FOUND',
      message,
      remedy: 'gantry show <run> lists those of a run.',
    });
  }
  await existingRun(client, id);
  type Data = { readonly run: { readonly taskRuns: Page<TaskRunView> } };
  const all = await firstRows<TaskRunView, Data>(client, 'run-task-runs', { id }, (data) => data.run.taskRuns);
  if (task === undefined) return all;
  const wanted = all.filter((taskRun) => taskRun.taskKey === task || labelOf(taskRun) === task);
  if (wanted.length > 0) return wanted;
  const keys = [...new Set(all.map(({ taskKey }) => taskKey))];
  throw new CommandFailure({
    code: 'TASK_NOT_FOUND',
    message: `The run ${id} has no task “${oneLine(task)}”.`,
    remedy: `It has: ${keys.slice(0, 20).map(oneLine).join(', ')}${keys.length > 20 ? ', …' : ''}.`,
  });
}
