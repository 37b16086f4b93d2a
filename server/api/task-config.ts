import type { Json, Reason } from '@gantry/plugin-kit/vocabulary';
import type { RunId } from '../domain/ids.ts';
import { configOf, tasksNamedBy, type TaskConfig } from '../domain/task-config.ts';
import type { Task } from '../domain/task.ts';
import type { Store } from '../store/store.ts';
import { builder } from './builder.ts';
import { MAX_PAGE } from './connections.ts';
import type { ApiContext } from './context.ts';
import { readTaskRunId } from './task-run.ts';
import { ReasonRef } from './vocabulary.ts';

/** What a task run is or was executed with, or why that cannot be said. */
interface TaskRunConfig {
  readonly config: TaskConfig | null;
  readonly problem: Reason | null;
}

/** A longer config is not sent: nobody reads it. Characters, as JSON. */
const LONGEST = 1 << 20;

const TaskRunConfigRef = builder.objectRef<TaskRunConfig>('TaskRunConfig').implement({
  role: 'VIEWER',
  description:
    'What a task run is executed with: what its task says under `with` and `env`, with params, outputs and its item ' +
    'filled in. Where a secret goes its name stands. All attempts of a task run have the same.',
  fields: (t) => ({
    with: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The runner’s config; null where it cannot be said.',
      resolve: ({ config }) => config?.with ?? null,
    }),
    env: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The environment variables that its author gave it, by name; null where they cannot be said.',
      resolve: ({ config }) => config?.env ?? null,
    }),
    item: t.field({
      type: 'JSON',
      nullable: true,
      description: 'Its item of the list that its task fans out over.',
      resolve: ({ config }) => config?.item ?? null,
    }),
    problem: t.field({
      type: ReasonRef,
      nullable: true,
      description: 'Why it cannot be said: what it needs has not ended yet, above all.',
      resolve: ({ problem }) => problem,
    }),
  }),
});

/** The outputs of some tasks of a run: by key, of a fan-out as a list by map index. */
async function outputsOf(store: Store, run: RunId, tasks: ReadonlyMap<string, Task>, keys: ReadonlySet<string>) {
  const order = [...tasks.keys()];
  const wanted = [...keys].filter((key) => tasks.has(key));
  const isPlain = wanted.every((key) => tasks.get(key)!.forEach === null);
  const outputs = new Map<string, Json>();
  if (isPlain) {
    // The first task runs of a run are one for each task, in the order of its definition.
    const found = await store.taskRuns.byIds(wanted.map((key) => ({ run, ordinal: order.indexOf(key) })));
    wanted.forEach((key, at) => outputs.set(key, found[at]?.outputs ?? null));
    return outputs;
  }
  const lists = new Map<string, Json[]>();
  for (let after: string | undefined; ;) {
    const [page] = await store.taskRuns.pagesOfRuns(
      [run],
      { first: MAX_PAGE, ...(after === undefined ? {} : { after }) },
      {},
    );
    for (const { row, cursor } of page?.rows ?? []) {
      after = cursor;
      const { taskKey, mapIndex, outputs: own } = row;
      if (!keys.has(taskKey)) continue;
      if (mapIndex === null) outputs.set(taskKey, own);
      else {
        const list = lists.get(taskKey) ?? [];
        lists.set(taskKey, list);
        list[mapIndex] = own;
      }
    }
    if (!page?.hasNextPage) break;
  }
  for (const [key, list] of lists) outputs.set(key, list);
  return outputs;
}

async function taskRunConfig(id: string, { loaders, ports }: ApiContext): Promise<TaskRunConfig | null> {
  const key = readTaskRunId(id);
  const taskRun = key === null ? null : await loaders.taskRuns.load(key);
  if (taskRun === null) return null;
  const [run, tasks] = await Promise.all([loaders.runs.load(taskRun.run), loaders.tasks.load(taskRun.run)]);
  const task = tasks?.get(taskRun.taskKey);
  if (!run || !tasks || !task) {
    return { config: null, problem: { code: 'VERSION_GONE', message: 'Its pipeline’s version is not kept any more.' } };
  }
  if (taskRun.state === 'WAITING' && taskRun.attempt === null) {
    return {
      config: null,
      problem: { code: 'NEEDS_OPEN', message: 'It is filled in when what the task needs has ended.' },
    };
  }
  const outputs = await outputsOf(ports.store, run.id, tasks, tasksNamedBy(task));
  const rendered = configOf(task, taskRun.mapIndex, { id: run.id, params: run.params, outputs });
  if (!rendered.ok) return { config: null, problem: rendered.reason };
  const size = JSON.stringify(rendered.config).length;
  if (size <= LONGEST) return { config: rendered.config, problem: null };
  const message = `It has ${size} characters, and ${LONGEST} at most are shown. Print what you want to see in the task.`;
  return { config: null, problem: { code: 'CONFIG_TOO_LONG', message } };
}

builder.queryFields((t) => ({
  taskRunConfig: t.field({
    type: TaskRunConfigRef,
    role: 'VIEWER',
    nullable: true,
    args: { id: t.arg.id({ description: 'The task run’s id.' }) },
    description: 'What a task run is or was executed with; null when there is none with this id.',
    resolve: (_, { id }, context) => taskRunConfig(id, context),
  }),
}));
