import { isTerminalRun, type Run } from '../domain/run.ts';
import { builder } from './builder.ts';
import { connectionOf, pageArgs, readPageArgs } from './connections.ts';
import { readRunId } from './loaders.ts';
import { PipelineRef, PipelineVersionRef } from './pipeline.ts';
import { PoolRef } from './pool.ts';
import { readRunFilter, RunConnection, RunFilter, RunRef, RunState, Trigger } from './run-list.ts';
import { TaskRunConnection, TaskRunState } from './task-run-list.ts';
import { ReasonRef } from './vocabulary.ts';

const RunCounts = builder.objectRef<Run>('RunCounts').implement({
  role: 'VIEWER',
  description: 'How many task runs a run has, and how they fared.',
  fields: (t) => ({
    total: t.exposeInt('taskRunCount', { description: 'All of them. Grows when a task fans out.' }),
    finished: t.exposeInt('finishedCount', { description: 'Those that have ended, one way or the other.' }),
    failed: t.exposeInt('failedCount', { description: 'Those of the finished that failed.' }),
  }),
});

RunRef.implement({
  role: 'VIEWER',
  description: 'One execution of a pipeline version with its params, in one pool.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'A UUIDv7.' }),
    state: t.expose('state', { type: RunState, description: 'Where it stands.' }),
    isFinished: t.boolean({ description: 'Whether it has ended.', resolve: ({ state }) => isTerminalRun(state) }),
    pipelineName: t.exposeString('pipeline', { description: 'Its pipeline’s name.' }),
    pipeline: t.field({
      type: PipelineRef,
      nullable: true,
      description: 'Its pipeline; null when that was deleted.',
      resolve: ({ pipeline }, _, { loaders }) => loaders.pipelines.load(pipeline),
    }),
    versionNumber: t.exposeInt('version', { description: 'The number of the pipeline version that it pins.' }),
    version: t.field({
      type: PipelineVersionRef,
      nullable: true,
      description: 'The pipeline version that it pins.',
      resolve: ({ pipeline, version }, _, { loaders }) => loaders.versions.load({ pipeline, number: version }),
    }),
    params: t.field({
      type: 'JSON',
      description: 'What was handed in, with defaults filled in.',
      resolve: ({ params }) => params,
    }),
    priority: t.exposeInt('priority', { description: 'Higher goes first.' }),
    trigger: t.expose('trigger', { type: Trigger, description: 'What set it going.' }),
    createdBy: t.exposeString('createdBy', { description: 'The name of the token that asked for it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its first task was given to a node.',
    }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    duration: t.field({
      type: 'Duration',
      nullable: true,
      description: 'From its start to its end, or until now; null before it has started.',
      resolve: ({ startedAt, finishedAt }, _, { ports }) =>
        startedAt === null ? null : Math.max((finishedAt ?? ports.clock.now()) - startedAt, 0),
    }),
    reason: t.field({
      type: ReasonRef,
      nullable: true,
      description: 'Why it failed or was cancelled.',
      resolve: ({ reason }) => reason,
    }),
    counts: t.field({
      type: RunCounts,
      description: 'How many task runs it has, and how they fared.',
      resolve: (run) => run,
    }),
    taskRuns: t.field({
      type: TaskRunConnection,
      args: {
        ...pageArgs(),
        states: t.arg({ type: [TaskRunState], required: false, description: 'Only those that stand at one of these.' }),
      },
      description: 'Its task runs, in the order of their ordinals.',
      resolve: ({ id }, { states, ...args }, { loaders }) =>
        connectionOf(
          readPageArgs(args),
          loaders.taskRunPages.load({ run: id, args: readPageArgs(args), states: states ?? undefined }),
        ),
    }),
    retryOf: t.field({
      type: RunRef,
      nullable: true,
      description: 'The run that it repeats; null also when that has been deleted.',
      resolve: ({ retryOf }, _, { loaders }) => (retryOf === null ? null : loaders.runs.load(retryOf)),
    }),
    retryOfId: t.exposeID('retryOf', {
      nullable: true,
      description: 'The id of the run that it repeats, also when that has been deleted.',
    }),
    revision: t.exposeFloat('revision', {
      description:
        'Grows with every change of the run: of two answers about it, the one with the higher revision is newer.',
    }),
    poolName: t.exposeString('pool', { description: 'Its pool’s name.' }),
    pool: t.field({
      type: PoolRef,
      nullable: true,
      description: 'Its pool.',
      resolve: ({ pool }, _, { loaders }) => loaders.pools.load(pool),
    }),
  }),
});

builder.queryFields((t) => ({
  runs: t.field({
    type: RunConnection,
    role: 'VIEWER',
    args: { ...pageArgs(), filter: t.arg({ type: RunFilter, required: false, description: 'Which ones.' }) },
    description: 'Runs, newest first.',
    resolve: (_, { filter, ...args }, { ports }) => {
      const wanted = readRunFilter(filter);
      return connectionOf(readPageArgs(args), ports.store.runs.page(readPageArgs(args), wanted), () =>
        ports.store.runs.count(wanted),
      );
    },
  }),
  run: t.field({
    type: RunRef,
    role: 'VIEWER',
    nullable: true,
    args: { id: t.arg.id({ description: 'Its id.' }) },
    description: 'One run; null when there is none with this id.',
    resolve: (_, { id }, { loaders }) => {
      const known = readRunId(id);
      return known === null ? null : loaders.runs.load(known);
    },
  }),
}));
