import { parseAttemptId } from '../domain/ids.ts';
import type { LogChunk } from '../store/store.ts';
import { builder } from './builder.ts';
import { notFound } from './errors.ts';
import { source } from './source.ts';
import { readTaskRunId } from './task-run.ts';
import { enumOf } from './vocabulary.ts';

const LogStream = enumOf<LogChunk['stream']>('LogStream', 'Where output came from.', {
  STDOUT: 'Standard output.',
  STDERR: 'Standard error.',
  SYSTEM: 'Gantry itself, for example to say that something was left out.',
});

const LogChunkRef = builder.objectRef<LogChunk & { readonly cursor: string }>('LogChunk').implement({
  role: 'VIEWER',
  description: 'A piece of what an attempt printed.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Hand it in as `after` to go on behind this chunk.' }),
    attemptId: t.exposeID('attempt', { description: 'The id of the attempt.' }),
    attemptNumber: t.int({
      description: 'The number of the attempt.',
      resolve: ({ attempt }) => parseAttemptId(attempt)?.number ?? 0,
    }),
    // A number beyond 32 bits is none of GraphQL's Int, and an agent that was started again begins far up.
    seq: t.exposeFloat('seq', {
      description:
        'Its place within the attempt’s output, from 1. Grows, without gaps but where the node’s agent was restarted.',
    }),
    stream: t.expose('stream', { type: LogStream, description: 'Where it came from.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was printed.' }),
    text: t.exposeString('text', { description: 'As it was printed; what was not UTF-8 is U+FFFD.' }),
  }),
});

builder.subscriptionFields((t) => ({
  logs: t.field({
    type: LogChunkRef,
    role: 'VIEWER',
    args: {
      taskRun: t.arg.id({ description: 'The task run’s id.' }),
      after: t.arg.string({ required: false, description: 'Goes on behind the chunk with this cursor.' }),
      follow: t.arg.boolean({
        required: false,
        defaultValue: true,
        description: 'Goes on until the task run has ended; otherwise it completes when it has caught up.',
      }),
    },
    description: 'What all attempts of a task run printed, and print.',
    subscribe: async (_, { taskRun: id, after, follow }, context) => {
      const key = readTaskRunId(id);
      const taskRun = key === null ? null : await context.loaders.taskRuns.load(key);
      if (taskRun === null) throw notFound(`There is no task run “${id.slice(0, 64)}”.`);
      return source(context, (signal) =>
        context.ports.events.followLogs(taskRun, after ?? undefined, follow ?? true, signal),
      );
    },
    resolve: (chunk) => chunk,
  }),
}));
