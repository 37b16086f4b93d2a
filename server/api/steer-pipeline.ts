import type { Pipeline } from '../domain/pipeline.ts';
import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { resultType, type Refusal } from './errors.ts';
import { pipelineNotFound, PipelineNotFoundRef } from './pipeline-refusals.ts';
import { PipelineRef } from './pipeline.ts';

type NotFound = Refusal<'PipelineNotFound'>;

const DeletePipelinePayload = builder.objectRef<{ readonly name: string }>('DeletePipelinePayload').implement({
  role: 'VIEWER',
  description: 'The pipeline is deleted. Its runs stay.',
  fields: (t) => ({ name: t.exposeString('name', { description: 'What it was called.' }) }),
});
const DeletePipelineResult = builder.unionType('DeletePipelineResult', {
  description: 'What became of `deletePipeline`.',
  types: [DeletePipelinePayload, PipelineNotFoundRef],
  resolveType: resultType('DeletePipelinePayload'),
});

const PausePipelinePayload = pipelinePayload('PausePipelinePayload', 'The pipeline is paused.');
const PausePipelineResult = builder.unionType('PausePipelineResult', {
  description: 'What became of `pausePipeline`.',
  types: [PausePipelinePayload, PipelineNotFoundRef],
  resolveType: resultType('PausePipelinePayload'),
});

const ResumePipelinePayload = pipelinePayload('ResumePipelinePayload', 'The pipeline takes runs again.');
const ResumePipelineResult = builder.unionType('ResumePipelineResult', {
  description: 'What became of `resumePipeline`.',
  types: [ResumePipelinePayload, PipelineNotFoundRef],
  resolveType: resultType('ResumePipelinePayload'),
});

function pipelinePayload(name: string, description: string) {
  return builder.objectRef<{ readonly pipeline: Pipeline }>(name).implement({
    role: 'VIEWER',
    description,
    fields: (t) => ({
      pipeline: t.field({ type: PipelineRef, description: 'As it is now.', resolve: ({ pipeline }) => pipeline }),
    }),
  });
}

const PipelineNameInput = builder.inputType('PipelineNameInput', {
  description: 'Which pipeline.',
  fields: (t) => ({ name: t.string({ description: 'What it is called.' }) }),
});

async function deletePipeline(name: string, { ports, viewer, loaders }: ApiContext) {
  const isDeleted = await ports.store.pipelines.delete(name, viewer.name, ports.clock.now());
  loaders.pipelines.clear(name);
  return isDeleted ? { name } : pipelineNotFound(name);
}

async function setPaused(
  name: string,
  isPaused: boolean,
  { ports, viewer, loaders }: ApiContext,
): Promise<{ readonly pipeline: Pipeline } | NotFound> {
  const isKnown = await ports.store.pipelines.setPaused(name, isPaused, viewer.name, ports.clock.now());
  loaders.pipelines.clear(name);
  const pipeline = isKnown ? await loaders.pipelines.load(name) : null;
  return pipeline === null ? pipelineNotFound(name) : { pipeline };
}

builder.mutationFields((t) => ({
  deletePipeline: t.field({
    type: DeletePipelineResult,
    role: 'AUTHOR',
    args: { input: t.arg({ type: PipelineNameInput, description: 'Which one.' }) },
    description: 'Deletes a pipeline. Its runs stay, and one of the same name counts its versions on.',
    resolve: (_, { input }, context) => deletePipeline(input.name, context),
  }),
  pausePipeline: t.field({
    type: PausePipelineResult,
    role: 'OPERATOR',
    args: { input: t.arg({ type: PipelineNameInput, description: 'Which one.' }) },
    description: 'Refuses new runs of a pipeline from now on. Those that are going on go on.',
    resolve: (_, { input }, context) => setPaused(input.name, true, context),
  }),
  resumePipeline: t.field({
    type: ResumePipelineResult,
    role: 'OPERATOR',
    args: { input: t.arg({ type: PipelineNameInput, description: 'Which one.' }) },
    description: 'Takes new runs of a pipeline again.',
    resolve: (_, { input }, context) => setPaused(input.name, false, context),
  }),
}));
