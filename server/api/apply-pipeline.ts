import type { PipelineProblem } from '../definition/problem.ts';
import type { Pipeline, PipelineVersion } from '../domain/pipeline.ts';
import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { badInput, ErrorInterface, resultType, type Refusal } from './errors.ts';
import { PipelineRef, PipelineVersionRef } from './pipeline.ts';
import { enumOf } from './vocabulary.ts';

const PipelineProblemRef = builder.objectRef<PipelineProblem>('PipelineProblem').implement({
  role: 'VIEWER',
  description: 'Something wrong in a pipeline.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'For programs: `UNKNOWN_NEED`.' }),
    message: t.exposeString('message', { description: 'For people.' }),
    path: t.stringList({
      description: 'Where in the pipeline, indexes as digits: `tasks`, `2`, `needs`, `0`.',
      resolve: ({ path }) => path.map(String),
    }),
    line: t.exposeInt('line', { nullable: true, description: 'The line in the text, from 1; null without a text.' }),
    column: t.exposeInt('column', { nullable: true, description: 'The column, from 1; null without a text.' }),
    suggestion: t.exposeString('suggestion', { nullable: true, description: 'What to write instead.' }),
  }),
});

interface InvalidPipeline extends Refusal<'InvalidPipeline'> {
  readonly problems: readonly PipelineProblem[];
}
const InvalidPipelineRef = builder.objectRef<InvalidPipeline>('InvalidPipeline').implement({
  role: 'VIEWER',
  description: 'The pipeline was not stored, because something is wrong in it.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    problems: t.field({
      type: [PipelineProblemRef],
      description: 'What is wrong, in the order of the text. At least one.',
      resolve: ({ problems }) => [...problems],
    }),
  }),
});

type Change = 'CREATED' | 'CHANGED' | 'UNCHANGED';
const PipelineChange = enumOf<Change>('PipelineChange', 'What applying a pipeline did.', {
  CREATED: 'There was none of this name.',
  CHANGED: 'It has a new version.',
  UNCHANGED: 'The latest version is the same: nothing was stored.',
});

interface Applied {
  readonly change: Change;
  readonly version: PipelineVersion;
  readonly pipeline: Pipeline | null;
}
const ApplyPipelinePayload = builder.objectRef<Applied>('ApplyPipelinePayload').implement({
  role: 'VIEWER',
  description: 'The pipeline is valid and stored, or would be but for `dryRun`.',
  fields: (t) => ({
    change: t.expose('change', { type: PipelineChange, description: 'What it did, or would have done.' }),
    version: t.field({
      type: PipelineVersionRef,
      description: 'The version that it is now, or would be.',
      resolve: ({ version }) => version,
    }),
    pipeline: t.field({
      type: PipelineRef,
      nullable: true,
      description: 'The pipeline; null when it is new and this was a dry run.',
      resolve: ({ pipeline }) => pipeline,
    }),
  }),
});

const ApplyPipelineResult = builder.unionType('ApplyPipelineResult', {
  description: 'What became of `applyPipeline`.',
  types: [ApplyPipelinePayload, InvalidPipelineRef],
  resolveType: resultType('ApplyPipelinePayload'),
});

const ApplyPipelineInput = builder.inputType('ApplyPipelineInput', {
  description: 'A pipeline, either as text or as data.',
  fields: (t) => ({
    yaml: t.string({ required: false, description: 'As YAML, at most 1 MiB.' }),
    definition: t.field({ type: 'JSON', required: false, description: 'As data of the same shape.' }),
    dryRun: t.boolean({ required: false, defaultValue: false, description: 'Check it and store nothing.' }),
  }),
});

async function apply(
  input: typeof ApplyPipelineInput.$inferInput,
  { ports, loaders, viewer }: ApiContext,
): Promise<Applied | InvalidPipeline> {
  const parsed = ports.pipelines.parse(readSource(input));
  if (!parsed.ok) {
    const { problems } = parsed;
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    const message = `The pipeline has ${count} and was not stored. ${problems[0]?.message ?? ''}`.trimEnd();
    return { refusal: 'InvalidPipeline', message, problems };
  }
  const { definition, hash, source } = parsed;
  const { name } = definition;
  const before = await loaders.pipelines.load(name);
  const facts = { source, hash, actor: viewer.name, at: ports.clock.now() };
  const latest = before && (await loaders.versions.load({ pipeline: name, number: before.latestVersion }));
  if (input.dryRun === true) {
    const isSame = latest?.hash === hash;
    const next = {
      pipeline: name,
      number: (before?.latestVersion ?? 0) + 1,
      definition,
      source,
      hash,
      createdAt: facts.at,
      createdBy: viewer.name,
    };
    const change = before === null ? 'CREATED' : isSame ? 'UNCHANGED' : 'CHANGED';
    return { change, version: isSame ? latest : next, pipeline: before };
  }
  const { version, created } = await ports.store.pipelines.apply(definition, facts);
  loaders.pipelines.clear(name);
  const change = !created ? 'UNCHANGED' : before === null ? 'CREATED' : 'CHANGED';
  return { change, version, pipeline: await loaders.pipelines.load(name) };
}

function readSource({ yaml, definition }: typeof ApplyPipelineInput.$inferInput) {
  const hasYaml = typeof yaml === 'string';
  const hasDefinition = definition !== undefined && definition !== null;
  if (hasYaml === hasDefinition) throw badInput('Hand in the pipeline as `yaml` or as `definition`: one of the two.');
  return hasYaml ? { yaml } : { definition };
}

builder.mutationFields((t) => ({
  applyPipeline: t.field({
    type: ApplyPipelineResult,
    role: 'AUTHOR',
    args: { input: t.arg({ type: ApplyPipelineInput, description: 'The pipeline.' }) },
    description: 'Stores a pipeline: a new one, or a new version of the one with its name.',
    resolve: (_, { input }, context) => apply(input, context),
  }),
}));
