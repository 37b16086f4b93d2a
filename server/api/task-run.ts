import type { Progress } from '@gantry/plugin-kit/vocabulary';
import { attemptId, parseTaskRunId, taskRunId } from '../domain/ids.ts';
import { isActiveTaskRun, isTerminalTaskRun } from '../domain/task-run.ts';
import { AttemptRef, FailureRef, placedAttempt } from './attempt.ts';
import { builder } from './builder.ts';
import { badInput, notFound } from './errors.ts';
import { explainTaskRun, explanations } from './explain-task-run.ts';
import { readRunId, type TaskRunKey } from './loaders.ts';
import { PlacementRef } from './placement.ts';
import { RunRef } from './run-list.ts';
import { source } from './source.ts';
import { TaskRef } from './task.ts';
import { reasonOf } from './task-run-reason.ts';
import { TaskRunRef, TaskRunState } from './task-run-list.ts';
import { ReasonRef } from './vocabulary.ts';

/** As many task runs are told of at once by their ids. */
const MAX_IDS = 100;

/** Reads a task run's id; null for a text that is none. */
export function readTaskRunId(id: string): TaskRunKey | null {
  const parsed = parseTaskRunId(id);
  return parsed === null || readRunId(parsed.run) === null ? null : parsed;
}

const ProgressRef = builder.objectRef<Progress>('Progress').implement({
  role: 'VIEWER',
  description: 'How far a piece of work has come.',
  fields: (t) => ({
    fraction: t.exposeFloat('fraction', {
      nullable: true,
      description: 'From 0 to 1; null where nobody knows how much there is to do.',
    }),
    done: t.exposeFloat('done', {
      nullable: true,
      description: 'So much is done, in the work’s own unit; null when it told a fraction only.',
    }),
    total: t.exposeFloat('total', { nullable: true, description: 'Of so much; null where nobody knows.' }),
    message: t.exposeString('message', { nullable: true, description: 'What it is at.' }),
  }),
});

TaskRunRef.implement({
  role: 'VIEWER',
  description: 'One task in one run: one per map index where the task fans out.',
  fields: (t) => ({
    id: t.id({ description: 'The run’s id and the ordinal.', resolve: ({ run, ordinal }) => taskRunId(run, ordinal) }),
    revision: t.exposeFloat('revision', {
      description:
        'Grows with every change but `progress`: of two answers about it, the one with the higher revision is newer.',
    }),
    ordinal: t.exposeInt('ordinal', { description: 'Its place in the run, for ever.' }),
    taskKey: t.exposeString('taskKey', { description: 'The key of its task.' }),
    mapIndex: t.exposeInt('mapIndex', {
      nullable: true,
      description: 'Its place in the task’s fan-out; null when the task does not fan out, or has not yet.',
    }),
    state: t.expose('state', { type: TaskRunState, description: 'Where it stands.' }),
    isFinished: t.boolean({ description: 'Whether it has ended.', resolve: ({ state }) => isTerminalTaskRun(state) }),
    runId: t.exposeID('run', { description: 'The id of its run.' }),
    run: t.field({
      type: RunRef,
      nullable: true,
      description: 'Its run.',
      resolve: ({ run }, _, { loaders }) => loaders.runs.load(run),
    }),
    task: t.field({
      type: TaskRef,
      nullable: true,
      description: 'Its task, as the run’s version defines it.',
      resolve: async ({ run, taskKey }, _, { loaders }) => (await loaders.tasks.load(run))?.get(taskKey) ?? null,
    }),
    attempts: t.field({
      type: [AttemptRef],
      description: 'Its attempts, oldest first.',
      resolve: async (taskRun, _, { loaders }) =>
        (await loaders.attempts.load(taskRun)).map((attempt) => placedAttempt(attempt, taskRun)),
    }),
    attempt: t.field({
      type: AttemptRef,
      nullable: true,
      description: 'The latest attempt, alive or ended; null before the first.',
      resolve: (taskRun) => (taskRun.attempt === null ? null : placedAttempt(taskRun.attempt, taskRun)),
    }),
    progress: t.field({
      type: ProgressRef,
      nullable: true,
      description:
        'How far it is, as its latest attempt said last; null while it does not run and where it does not say. ' +
        'The subscription `run` tells of it as `taskRun.progressed`.',
      resolve: ({ run, ordinal, state, attempt }, _, { ports }) =>
        attempt === null || !isActiveTaskRun(state) ? null : ports.progress.of(attemptId(run, ordinal, attempt.number)),
    }),
    readyAt: t.expose('readyAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it has been in the queue, the last time.',
    }),
    dueAt: t.expose('dueAt', { type: 'DateTime', nullable: true, description: 'When its BACKOFF ends.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    failures: t.exposeInt('failures', { description: 'Failed tries, which spend the task’s retries.' }),
    losses: t.exposeInt('losses', {
      description:
        'Tries that were lost at work through no fault of the task; the fourth ends it. Tries that never began cost ' +
        'nothing.',
    }),
    reason: t.field({
      type: ReasonRef,
      nullable: true,
      description:
        'Why it ended as it did, also without an attempt: which task failed, who cancelled it, what it was taken ' +
        'over from. In BACKOFF, why it is tried again. Null when it succeeded, and while nothing has happened to it.',
      resolve: (taskRun, _, { loaders }) => reasonOf(taskRun, loaders),
    }),
    failure: t.field({
      type: FailureRef,
      nullable: true,
      description: 'Why its latest attempt did not succeed.',
      resolve: ({ attempt }) => attempt?.failure ?? null,
    }),
    outputs: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What it handed on; null until it has succeeded.',
      resolve: ({ outputs }) => outputs,
    }),
    placement: t.field({
      type: PlacementRef,
      nullable: true,
      description: 'Why it waits, or why it went where it went, across all layers; null when its run is gone.',
      resolve: (taskRun, _, context) => explainTaskRun(taskRun, context),
    }),
  }),
});

builder.queryFields((t) => ({
  taskRun: t.field({
    type: TaskRunRef,
    role: 'VIEWER',
    nullable: true,
    args: { id: t.arg.id({ description: 'Its id: `<run>.<ordinal>`.' }) },
    description: 'One task run; null when there is none with this id.',
    resolve: (_, { id }, { loaders }) => {
      const key = readTaskRunId(id);
      return key === null ? null : loaders.taskRuns.load(key);
    },
  }),
  taskRuns: t.field({
    type: [TaskRunRef],
    role: 'VIEWER',
    args: { ids: t.arg.idList({ description: `Their ids; ${MAX_IDS} at most.` }) },
    description: 'Some task runs, in the order of their ids; those that there are not are left out.',
    resolve: async (_, { ids }, { loaders }) => {
      if (ids.length > MAX_IDS) throw badInput(`Name ${MAX_IDS} task runs at most, not ${ids.length}.`);
      const keys = ids.map((id) => readTaskRunId(String(id))).filter((key) => key !== null);
      return (await Promise.all(keys.map((key) => loaders.taskRuns.load(key)))).filter((each) => each !== null);
    },
  }),
}));

builder.subscriptionFields((t) => ({
  placement: t.field({
    type: PlacementRef,
    role: 'VIEWER',
    args: { taskRun: t.arg.id({ description: 'The task run’s id.' }) },
    description:
      'Why a task run waits, or why it went where it went: now, and whenever that has changed, at most once a second. ' +
      'Completes when it has ended.',
    subscribe: async (_, { taskRun: id }, context) => {
      const key = readTaskRunId(id);
      const taskRun = key === null ? null : await context.loaders.taskRuns.load(key);
      if (taskRun === null) throw notFound(`There is no task run “${id.slice(0, 64)}”.`);
      return source(context, (signal) => explanations(taskRun, context.ports, signal));
    },
    resolve: (answer) => answer,
  }),
}));
