import type { Command } from '../domain/command.ts';
import type { Run } from '../domain/run.ts';
import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { badInput, resultType, type Refusal } from './errors.ts';
import { readRunId } from './loaders.ts';
import { PipelineNotFoundRef } from './pipeline-refusals.ts';
import { RunRef } from './run-list.ts';
import {
  refusalOf,
  RunAlreadyFinishedRef,
  RunNotFinishedRef,
  RunNotFoundRef,
  runNotFound,
  TaskNotFoundRef,
} from './run-refusals.ts';
import { enumOf } from './vocabulary.ts';

interface Steered {
  readonly run: Run;
}

function payload(verb: string, description: string) {
  return builder.objectRef<Steered>(`${verb}RunPayload`).implement({
    role: 'VIEWER',
    description,
    fields: (t) => ({
      run: t.field({ type: RunRef, description: 'The run as it is now.', resolve: ({ run }) => run }),
    }),
  });
}

const CancelRunResult = builder.unionType('CancelRunResult', {
  description: 'What became of `cancelRun`.',
  types: [payload('Cancel', 'The run is being cancelled, or is.'), RunNotFoundRef, RunAlreadyFinishedRef],
  resolveType: resultType('CancelRunPayload'),
});
const PauseRunResult = builder.unionType('PauseRunResult', {
  description: 'What became of `pauseRun`.',
  types: [payload('Pause', 'Nothing new of the run is begun.'), RunNotFoundRef, RunAlreadyFinishedRef],
  resolveType: resultType('PauseRunPayload'),
});
const ResumeRunResult = builder.unionType('ResumeRunResult', {
  description: 'What became of `resumeRun`.',
  types: [payload('Resume', 'The run goes on.'), RunNotFoundRef, RunAlreadyFinishedRef],
  resolveType: resultType('ResumeRunPayload'),
});
const RetryRunResult = builder.unionType('RetryRunResult', {
  description: 'What became of `retryRun`.',
  types: [
    payload('Retry', 'A new run repeats the old one, or a part of it.'),
    RunNotFoundRef,
    RunNotFinishedRef,
    PipelineNotFoundRef,
    TaskNotFoundRef,
  ],
  resolveType: resultType('RetryRunPayload'),
});

const RunIdInput = builder.inputType('RunIdInput', {
  description: 'Which run.',
  fields: (t) => ({ id: t.id({ description: 'Its id.' }) }),
});
const CancelRunInput = builder.inputType('CancelRunInput', {
  description: 'Which run, and why.',
  fields: (t) => ({
    id: t.id({ description: 'Its id.' }),
    message: t.string({ required: false, description: 'Why; kept as the run’s reason. At most 1,000 characters.' }),
  }),
});

type RetryFrom = Extract<Command, { type: 'RETRY_RUN' }>['from'];
const RetryFromEnum = enumOf<RetryFrom>('RetryFrom', 'What of a run is done again.', {
  FAILED: 'What did not succeed, and everything downstream of it. The rest is taken over.',
  ALL: 'All of it.',
  TASKS: 'The tasks that are named, and everything downstream of them.',
});
const RetryRunInput = builder.inputType('RetryRunInput', {
  description: 'What to do again.',
  fields: (t) => ({
    id: t.id({ description: 'The id of a run that has ended.' }),
    from: t.field({ type: RetryFromEnum, required: false, defaultValue: 'FAILED', description: 'What of it.' }),
    tasks: t.stringList({ required: false, description: 'With TASKS: their keys.' }),
  }),
});

/**
 * Submits a command about a run to the run's pool, and answers with the run that `shown` names. `expected` are the
 * engine's refusals that the mutation's union has.
 */
async function steer<const Name extends Parameters<typeof refusalOf>[1]>(
  id: string,
  commandOf: (run: Run) => { readonly command: Command; readonly shown: Run['id'] },
  { ports, loaders, viewer }: ApiContext,
  ...expected: readonly Name[]
): Promise<Steered | Refusal<'RunNotFound'> | Refusal<Name>> {
  const known = readRunId(id);
  const run = known === null ? null : await loaders.runs.load(known);
  if (run === null) return runNotFound(id);
  const { command, shown } = commandOf(run);
  const { receipt } = await ports.commands.submit(run.pool, command, viewer.name);
  if (!receipt.ok) return refusalOf<Name | 'RunNotFound'>(receipt, 'RunNotFound', ...expected) as Refusal<Name>;
  const now = await loaders.runs.clear(shown).load(shown);
  if (now === null) throw new Error(`The run ${shown} was acknowledged and is not in the store.`);
  return { run: now };
}

function readRetry({ from, tasks }: typeof RetryRunInput.$inferInput): { from: RetryFrom; tasks: readonly string[] } {
  const isByTask = from === 'TASKS';
  if (isByTask !== (tasks?.length ?? 0) > 0) throw badInput('Name `tasks` with `from: TASKS`, and only then.');
  return { from: from ?? 'FAILED', tasks: tasks ?? [] };
}

const RETRY_REFUSALS = ['RunNotFinished', 'PipelineNotFound', 'TaskNotFound'] as const;

function cancelCommand(run: Run['id'], message: string | null | undefined): Command {
  if (message === null || message === undefined) return { type: 'CANCEL_RUN', run };
  if (message.length > 1_000) throw badInput('`message` has at most 1,000 characters.');
  return { type: 'CANCEL_RUN', run, message };
}

builder.mutationFields((t) => ({
  cancelRun: t.field({
    type: CancelRunResult,
    role: 'OPERATOR',
    args: { input: t.arg({ type: CancelRunInput, description: 'Which one.' }) },
    description: 'Stops a run: what waits is cancelled at once, what runs is asked to stop and then killed.',
    resolve: (_, { input }, context) =>
      steer(
        input.id,
        ({ id }) => ({ command: cancelCommand(id, input.message), shown: id }),
        context,
        'RunAlreadyFinished',
      ),
  }),
  pauseRun: t.field({
    type: PauseRunResult,
    role: 'OPERATOR',
    args: { input: t.arg({ type: RunIdInput, description: 'Which one.' }) },
    description: 'Begins nothing new of a run. What runs goes on.',
    resolve: (_, { input }, context) =>
      steer(
        input.id,
        ({ id }) => ({ command: { type: 'PAUSE_RUN', run: id }, shown: id }),
        context,
        'RunAlreadyFinished',
      ),
  }),
  resumeRun: t.field({
    type: ResumeRunResult,
    role: 'OPERATOR',
    args: { input: t.arg({ type: RunIdInput, description: 'Which one.' }) },
    description: 'Lets a paused run go on.',
    resolve: (_, { input }, context) =>
      steer(
        input.id,
        ({ id }) => ({ command: { type: 'RESUME_RUN', run: id }, shown: id }),
        context,
        'RunAlreadyFinished',
      ),
  }),
  retryRun: t.field({
    type: RetryRunResult,
    role: 'OPERATOR',
    args: { input: t.arg({ type: RetryRunInput, description: 'Which one, and what of it.' }) },
    description: 'Makes a new run that repeats one that has ended, with the same version and params.',
    resolve: (_, { input }, context) => {
      const run = context.ports.newRunId();
      const command = (of: Run): Command => ({ type: 'RETRY_RUN', of: of.id, run, ...readRetry(input) });
      return steer(input.id, (of) => ({ command: command(of), shown: run }), context, ...RETRY_REFUSALS) as never;
    },
  }),
}));
