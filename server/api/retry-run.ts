import { isDeepStrictEqual } from 'node:util';
import type { Command } from '../domain/command.ts';
import type { Run } from '../domain/run.ts';
import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { badInput, resultType, type Refusal } from './errors.ts';
import { IdempotencyConflictRef, idempotencyConflict, KEY_DESCRIPTION, readKey } from './idempotency.ts';
import { readRunId } from './loaders.ts';
import { PipelineNotFoundRef } from './pipeline-refusals.ts';
import { RunRef } from './run-list.ts';
import {
  refusalOf,
  RunNotFinishedRef,
  RunNotFoundRef,
  runNotFound,
  StorageFullRef,
  TaskNotFoundRef,
} from './run-refusals.ts';
import { enumOf } from './vocabulary.ts';

interface Retried {
  readonly run: Run;
  readonly isRepeated: boolean;
}
const RetryRunPayload = builder.objectRef<Retried>('RetryRunPayload').implement({
  role: 'VIEWER',
  description: 'A new run repeats the old one, or a part of it.',
  fields: (t) => ({
    run: t.field({ type: RunRef, description: 'The new run.', resolve: ({ run }) => run }),
    isRepeated: t.exposeBoolean('isRepeated', {
      description: 'Whether the new run had been asked for before under the same idempotency key.',
    }),
  }),
});

const RetryRunResult = builder.unionType('RetryRunResult', {
  description: 'What became of `retryRun`.',
  types: [
    RetryRunPayload,
    RunNotFoundRef,
    RunNotFinishedRef,
    PipelineNotFoundRef,
    TaskNotFoundRef,
    IdempotencyConflictRef,
    StorageFullRef,
  ],
  resolveType: resultType('RetryRunPayload'),
});

type RetryRun = Extract<Command, { type: 'RETRY_RUN' }>;
const RetryFromEnum = enumOf<RetryRun['from']>('RetryFrom', 'What of a run is done again.', {
  FAILED:
    'What did not succeed, instance by instance, and what was not run because of it. The rest is taken over, and so ' +
    'is a failure that its task tolerates. Of a gang, all or nothing is done again.',
  ALL: 'All of it.',
  TASKS: 'The tasks that are named, whole, and everything downstream of them; beside that, what FAILED does again.',
});
const RetryRunInput = builder.inputType('RetryRunInput', {
  description: 'What to do again.',
  fields: (t) => ({
    id: t.id({ description: 'The id of a run that has ended.' }),
    from: t.field({ type: RetryFromEnum, required: false, defaultValue: 'FAILED', description: 'What of it.' }),
    tasks: t.stringList({ required: false, description: 'With TASKS: their keys.' }),
    idempotencyKey: t.string({ required: false, description: KEY_DESCRIPTION }),
  }),
});
type Input = typeof RetryRunInput.$inferInput;

const REFUSALS = ['RunNotFound', 'RunNotFinished', 'PipelineNotFound', 'TaskNotFound'] as const;
type Refused = Refusal<(typeof REFUSALS)[number]> | Refusal<'IdempotencyConflict'> | Refusal<'StorageFull'>;

async function retryRun(input: Input, { ports, loaders, viewer }: ApiContext): Promise<Retried | Refused> {
  const key = readKey(input.idempotencyKey);
  const wanted = readRetry(input);
  const known = readRunId(input.id);
  const original = known === null ? null : await loaders.runs.load(known);
  if (original === null) return runNotFound(input.id);
  const full = ports.storage.problem;
  // A repetition starts nothing: it gets its answer.
  if (full !== null && !(key !== undefined && (await ports.store.commands.isKnown(viewer.name, key))))
    return { refusal: 'StorageFull', message: full };
  const command: RetryRun = { type: 'RETRY_RUN', of: original.id, run: ports.newRunId(), ...wanted };
  const { command: stored, receipt } = await ports.commands.submit(original.pool, command, viewer.name, key);
  // What somebody else's command came to is no answer to this one.
  if (!isSame(stored, command)) return idempotencyConflict;
  if (!receipt.ok) return refusalOf(receipt, ...REFUSALS);
  const run = await loaders.runs.clear(stored.run).load(stored.run);
  if (run === null && stored.run !== command.run) {
    const message = `This idempotency key started the run ${stored.run}, which has been deleted. Take a new key for a new run.`;
    return { refusal: 'IdempotencyConflict', message };
  }
  if (run === null) throw new Error(`The run ${stored.run} was acknowledged and is not in the store.`);
  return { run, isRepeated: stored.run !== command.run };
}

/** Whether the stored command asks for the same, but for the id of the run that it makes. */
function isSame(stored: Command, { of, from, tasks }: RetryRun): stored is RetryRun {
  if (stored.type !== 'RETRY_RUN' || stored.of !== of || stored.from !== from) return false;
  return isDeepStrictEqual(stored.tasks.toSorted(), tasks.toSorted());
}

function readRetry({ from, tasks }: Input): Pick<RetryRun, 'from' | 'tasks'> {
  const isByTask = from === 'TASKS';
  if (isByTask !== (tasks?.length ?? 0) > 0) throw badInput('Name `tasks` with `from: TASKS`, and only then.');
  return { from: from ?? 'FAILED', tasks: tasks ?? [] };
}

builder.mutationFields((t) => ({
  retryRun: t.field({
    type: RetryRunResult,
    role: 'OPERATOR',
    args: { input: t.arg({ type: RetryRunInput, description: 'Which one, and what of it.' }) },
    description: 'Makes a new run that repeats one that has ended, with the same version and params.',
    resolve: (_, { input }, context) => retryRun(input, context),
  }),
}));
