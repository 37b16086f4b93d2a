import type { Problem } from '@gantry/plugin-kit/vocabulary';
import { isDeepStrictEqual } from 'node:util';
import { checkParams } from '../domain/params.ts';
import type { Run } from '../domain/run.ts';
import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { badInput, ErrorInterface, refusalType, resultType, type Refusal } from './errors.ts';
import { IdempotencyConflictRef, idempotencyConflict, KEY_DESCRIPTION, readKey } from './idempotency.ts';
import { pipelineNotFound, PipelineNotFoundRef } from './pipeline-refusals.ts';
import { RunRef } from './run-list.ts';
import { refusalOf, StorageFullRef } from './run-refusals.ts';
import { ProblemRef } from './vocabulary.ts';

interface InvalidParams extends Refusal<'InvalidParams'> {
  readonly problems: readonly Problem[];
}
const InvalidParamsRef = builder.objectRef<InvalidParams>('InvalidParams').implement({
  role: 'VIEWER',
  description: 'The params are not what the pipeline declares.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    problems: t.field({
      type: [ProblemRef],
      description: 'What is wrong with them. At least one.',
      resolve: ({ problems }) => [...problems],
    }),
  }),
});
const PipelinePausedRef = refusalType('PipelinePaused', 'The pipeline is paused and takes no new runs.');

interface Triggered {
  readonly run: Run;
  readonly isRepeated: boolean;
}
const TriggerRunPayload = builder.objectRef<Triggered>('TriggerRunPayload').implement({
  role: 'VIEWER',
  description: 'The run is durable and will be executed.',
  fields: (t) => ({
    run: t.field({ type: RunRef, description: 'The run.', resolve: ({ run }) => run }),
    isRepeated: t.exposeBoolean('isRepeated', {
      description: 'Whether the run had been triggered before under the same idempotency key.',
    }),
  }),
});

const TriggerRunResult = builder.unionType('TriggerRunResult', {
  description: 'What became of `triggerRun`.',
  types: [
    TriggerRunPayload,
    PipelineNotFoundRef,
    PipelinePausedRef,
    InvalidParamsRef,
    IdempotencyConflictRef,
    StorageFullRef,
  ],
  resolveType: resultType('TriggerRunPayload'),
});

const TriggerRunInput = builder.inputType('TriggerRunInput', {
  description: 'What to run.',
  fields: (t) => ({
    pipeline: t.string({ description: 'The pipeline’s name. Its latest version is taken.' }),
    params: t.field({ type: 'JSON', required: false, description: 'An object with a value for each param.' }),
    priority: t.int({ required: false, description: 'From −100 to 100; the pipeline’s own unless told.' }),
    idempotencyKey: t.string({ required: false, description: KEY_DESCRIPTION }),
  }),
});

type Refused =
  | Refusal<'PipelineNotFound'>
  | Refusal<'PipelinePaused'>
  | Refusal<'IdempotencyConflict'>
  | Refusal<'StorageFull'>
  | InvalidParams;

async function triggerRun(
  input: typeof TriggerRunInput.$inferInput,
  { ports, loaders, viewer }: ApiContext,
): Promise<Triggered | Refused> {
  const key = readKey(input.idempotencyKey);
  const pipeline = await loaders.pipelines.load(input.pipeline);
  const version =
    pipeline && (await loaders.versions.load({ pipeline: pipeline.name, number: pipeline.latestVersion }));
  if (pipeline === null || version === null) return pipelineNotFound(input.pipeline);
  const isFull = ports.storage.problem !== null;
  // A repetition starts nothing: it gets its answer whatever has become of the pipeline since.
  const isRefused = pipeline.paused || isFull;
  if (isRefused && !(key !== undefined && (await ports.store.commands.isKnown(viewer.name, key)))) {
    if (isFull) return { refusal: 'StorageFull', message: ports.storage.problem ?? '' };
    const message = `The pipeline “${pipeline.name}” is paused. Resume it with \`resumePipeline\`.`;
    return { refusal: 'PipelinePaused', message };
  }
  const { definition } = version;
  const given = readParams(input.params);
  const params = given === null ? NO_OBJECT : checkParams(definition.params, given);
  if (!params.ok) {
    const message = `The params do not fit the pipeline “${pipeline.name}”; \`problems\` says which, and why.`;
    return { refusal: 'InvalidParams', message, problems: params.problems };
  }
  const run = ports.newRunId();
  const priority = readPriority(input.priority) ?? definition.priority;
  const { command, receipt } = await ports.commands.submit(
    definition.pool,
    {
      type: 'TRIGGER_RUN',
      run,
      pipeline: pipeline.name,
      version: version.number,
      params: params.params,
      priority,
    },
    viewer.name,
    key,
  );
  // What somebody else's command came to is no answer to this one.
  const isSame =
    command.type === 'TRIGGER_RUN' &&
    command.pipeline === pipeline.name &&
    isDeepStrictEqual(command.params, params.params);
  if (!isSame) return idempotencyConflict;
  if (!receipt.ok) return refusalOf(receipt, 'PipelineNotFound');
  const found = await loaders.runs.clear(command.run).load(command.run);
  if (found === null && command.run !== run) {
    const message = `This idempotency key started the run ${command.run}, which has been deleted. Take a new key for a new run.`;
    return { refusal: 'IdempotencyConflict', message };
  }
  if (found === null) throw new Error(`The run ${command.run} was acknowledged and is not in the store.`);
  return { run: found, isRepeated: command.run !== run };
}

const NO_OBJECT: { readonly ok: false; readonly problems: readonly Problem[] } = {
  ok: false,
  problems: [{ code: 'NOT_AN_OBJECT', message: '`params` must be an object with a value for each param.', path: [] }],
};

/** Null for what is no object. */
function readParams(params: unknown): Readonly<Record<string, unknown>> | null {
  if (params === null || params === undefined) return {};
  return typeof params === 'object' && !Array.isArray(params) ? (params as Record<string, unknown>) : null;
}

function readPriority(priority: number | null | undefined): number | null {
  if (priority === null || priority === undefined) return null;
  if (priority < -100 || priority > 100) throw badInput(`\`priority\` is from -100 to 100, not ${priority}.`);
  return priority;
}

builder.mutationFields((t) => ({
  triggerRun: t.field({
    type: TriggerRunResult,
    role: 'OPERATOR',
    args: { input: t.arg({ type: TriggerRunInput, description: 'What to run.' }) },
    description: 'Runs the latest version of a pipeline. Answers as soon as the run is durable; follow it with `run`.',
    resolve: (_, { input }, context) => triggerRun(input, context),
  }),
}));
