import type { FollowedEvent } from '../events/follow.ts';
import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { notFound } from './errors.ts';
import { readRunId } from './loaders.ts';
import { readRunFilter, RunFilter, RunRef } from './run-list.ts';
import { source } from './source.ts';
import { TaskRunRef } from './task-run-list.ts';

/** What is told of a run; `run` is null where some events were dropped and nobody knows of which. */
type RunEvent = Exclude<FollowedEvent, { node: string }>;

const RunEventRef = builder.objectRef<RunEvent>('RunEvent').implement({
  role: 'VIEWER',
  description: 'A run or one of its task runs has changed.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Hand it in as `after` to go on behind this event.' }),
    type: t.exposeString('type', {
      description:
        'What happened: `run.started`, `taskRun.succeeded`, … `taskRun.progressed`: it is further, as `taskRun.progress` says. `run.deleted`: the run is gone, and `run` is null. `RESYNC`: this client read too slowly and some events were dropped; read anew what you show, and go on.',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was committed.' }),
    runId: t.id({
      nullable: true,
      description: 'The id of the run; null with RESYNC of many runs.',
      resolve: (event) => ('run' in event ? event.run : null),
    }),
    run: t.field({
      type: RunRef,
      nullable: true,
      description: 'The run as it is now; null with RESYNC of many runs, and when it has been deleted.',
      resolve: (event, _, { loaders }) => ('run' in event ? loaders.runs.load(event.run) : null),
    }),
    taskRun: t.field({
      type: TaskRunRef,
      nullable: true,
      description: 'The task run as it is now; null when it is about the run itself, or when that has been deleted.',
      resolve: (event, _, { loaders }) =>
        'taskRun' in event && event.taskRun !== null ? loaders.taskRuns.load(event.taskRun) : null,
    }),
  }),
});

/** The id of a run that there is; throws NOT_FOUND otherwise. */
async function existingRun(id: string, { loaders }: ApiContext) {
  const known = readRunId(id);
  const run = known === null ? null : await loaders.runs.load(known);
  if (run === null) throw notFound(`There is no run “${id.slice(0, 64)}”. \`runs\` lists what there is.`);
  return run.id;
}

function runsScope(filter: typeof RunFilter.$inferInput | null | undefined) {
  const { pipeline, pool, states } = readRunFilter(filter);
  return {
    kind: 'RUNS' as const,
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(pool === undefined ? {} : { pool }),
    ...(states === undefined ? {} : { states }),
  };
}

builder.subscriptionFields((t) => ({
  run: t.field({
    type: RunEventRef,
    role: 'VIEWER',
    args: {
      id: t.arg.id({ description: 'The run’s id.' }),
      after: t.arg.string({ required: false, description: 'Goes on behind the event with this cursor.' }),
    },
    description:
      'A run and its task runs as they change. Without `after` it begins with the run as it is. Completes after the event that ended the run.',
    extensions: { sharing: 'FROM_NOW_WITH_FIRST' },
    subscribe: async (_, { id, after }, context) => {
      const run = await existingRun(id, context);
      return source(
        context,
        (signal) =>
          context.ports.events.followRuns({ kind: 'RUN', run }, after ?? undefined, signal) as AsyncIterable<RunEvent>,
      );
    },
    resolve: (event, { id }) => ('run' in event ? event : { ...event, run: readRunId(id)!, taskRun: null }),
  }),
  runs: t.field({
    type: RunEventRef,
    role: 'VIEWER',
    args: {
      filter: t.arg({
        type: RunFilter,
        required: false,
        description: 'Which ones, by pipeline, pool and the state that they come to. The rest of it is not looked at.',
      }),
      after: t.arg.string({ required: false, description: 'Goes on behind the event with this cursor.' }),
    },
    description:
      'Runs as they change or are deleted, without their task runs; of those whose task runs change, that they do (`run.progressed`), once a second, unless the filter names states. Without `after` it begins now.',
    extensions: { sharing: 'FROM_NOW' },
    subscribe: (_, { filter, after }, context) =>
      source(
        context,
        (signal) =>
          context.ports.events.followRuns(runsScope(filter), after ?? undefined, signal) as AsyncIterable<RunEvent>,
      ),
    resolve: (event) => event,
  }),
}));
