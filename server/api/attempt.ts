import type { Usage } from '@gantry/plugin-kit/vocabulary';
import type { Attempt, AttemptState as State } from '../domain/attempt.ts';
import type { Failure, FailureKind as Kind } from '../domain/failure.ts';
import { attemptId } from '../domain/ids.ts';
import { builder } from './builder.ts';
import type { TaskRunKey } from './loaders.ts';
import { NodeRef } from './node-list.ts';
import { TaskRunRef } from './task-run-list.ts';
import { enumOf } from './vocabulary.ts';

const AttemptState = enumOf<State>('AttemptState', 'Where an attempt stands.', {
  ASSIGNED: 'Given to a node.',
  STARTING: 'The node prepares it.',
  RUNNING: 'At work.',
  SUCCEEDED: 'Done.',
  FAILED: 'It failed.',
  TIMED_OUT: 'It took longer than its task allows.',
  CANCELLED: 'Stopped, because its run was cancelled, or to make room for more important work.',
  LOST: 'Its node was lost, or could not account for it.',
  REJECTED: 'Its node would not begin it.',
});

const FailureKind = enumOf<Kind>('FailureKind', 'Why an attempt did not succeed, and so who pays for the next try.', {
  APPLICATION: 'The work itself failed. Spends the task’s retries.',
  OOM: 'It needed more memory than it was given. Spends the task’s retries.',
  TIMEOUT: 'It took too long. Spends the task’s retries.',
  INFRASTRUCTURE: 'Not its fault: a node was lost, a process could not be started. Has a budget of its own.',
  PREEMPTED: 'It made room for more important work. Costs nothing.',
  CANCELLED: 'Somebody cancelled it. Never tried again.',
  UNKNOWN:
    'Nobody knows what was done: its node was lost, an answer never came, or its runner is at fault. Tried again only ' +
    'where the task is idempotent; a fault of the runner spends the task’s retries.',
});

export const FailureRef = builder.objectRef<Failure>('Failure').implement({
  role: 'VIEWER',
  description: 'What went wrong.',
  fields: (t) => ({
    kind: t.field({ type: FailureKind, description: 'Who pays for the next try.', resolve: ({ kind }) => kind }),
    code: t.string({ description: 'For programs.', resolve: ({ reason }) => reason.code }),
    message: t.string({ description: 'For people.', resolve: ({ reason }) => reason.message }),
    remedy: t.string({
      nullable: true,
      description: 'What would help.',
      resolve: ({ reason }) => reason.remedy ?? null,
    }),
    exitCode: t.int({
      nullable: true,
      description: 'The process’s exit code, where there was one.',
      resolve: ({ exitCode }) => exitCode ?? null,
    }),
    signal: t.string({
      nullable: true,
      description: 'The signal that ended the process: `SIGKILL`.',
      resolve: ({ signal }) => signal ?? null,
    }),
  }),
});

/** An attempt with the task run that it is of. */
export interface PlacedAttempt extends Attempt {
  readonly of: TaskRunKey;
}

/** The attempt with its task run. */
export const placedAttempt = (attempt: Attempt, of: TaskRunKey): PlacedAttempt => ({
  number: attempt.number,
  node: attempt.node,
  state: attempt.state,
  assignedAt: attempt.assignedAt,
  startedAt: attempt.startedAt,
  finishedAt: attempt.finishedAt,
  failure: attempt.failure,
  of,
});

const UsageRef = builder.objectRef<Usage>('Usage').implement({
  role: 'VIEWER',
  description: 'What an attempt used up.',
  fields: (t) => ({
    peakMemoryBytes: t.float({
      nullable: true,
      description: 'Bytes: the most memory that it held at one time; null where its runner cannot tell.',
      resolve: ({ peakMemoryBytes }) => peakMemoryBytes ?? null,
    }),
    cpuMs: t.float({
      nullable: true,
      description: 'Milliseconds: its time on processors; null where its runner cannot tell.',
      resolve: ({ cpuMs }) => cpuMs ?? null,
    }),
  }),
});

export const AttemptRef = builder.objectRef<PlacedAttempt>('Attempt').implement({
  role: 'VIEWER',
  description: 'One try of a task run on one node. Never overwritten: a retry is a new attempt.',
  fields: (t) => ({
    id: t.id({
      description: 'The task run’s id and the attempt’s number.',
      resolve: ({ of, number }) => attemptId(of.run, of.ordinal, number),
    }),
    taskRun: t.field({
      type: TaskRunRef,
      description: 'What it is a try of.',
      resolve: async ({ of }, _, { loaders }) => {
        const taskRun = await loaders.taskRuns.load(of);
        if (taskRun === null) throw new Error(`The task run ${of.run}.${of.ordinal} of an attempt is not stored.`);
        return taskRun;
      },
    }),
    number: t.exposeInt('number', { description: '1 for the first try.' }),
    state: t.expose('state', { type: AttemptState, description: 'Where it stands.' }),
    nodeName: t.exposeString('node', { description: 'The name of its node.' }),
    node: t.field({
      type: NodeRef,
      nullable: true,
      description: 'Its node; null when that was removed.',
      resolve: ({ node }, _, { loaders }) => loaders.nodes.load(node),
    }),
    assignedAt: t.expose('assignedAt', { type: 'DateTime', description: 'When it was given to its node.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the work proper began.',
    }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    duration: t.field({
      type: 'Duration',
      nullable: true,
      description: 'From its start to its end, or until now; null before it has started.',
      resolve: ({ startedAt, finishedAt }, _, { ports }) =>
        startedAt === null ? null : Math.max((finishedAt ?? ports.clock.now()) - startedAt, 0),
    }),
    usage: t.field({
      type: UsageRef,
      nullable: true,
      description: 'What it used up; null before its end, and where its runner does not tell.',
      resolve: ({ of: { run, ordinal }, number, finishedAt }, _, { loaders }) =>
        finishedAt === null ? null : loaders.usages.load({ run, ordinal, number }),
    }),
    failure: t.field({
      type: FailureRef,
      nullable: true,
      description: 'Why it did not succeed.',
      resolve: ({ failure }) => failure,
    }),
  }),
});
