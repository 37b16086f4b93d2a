import type { Pipeline, PipelineVersion } from '../domain/pipeline.ts';
import { builder } from './builder.ts';
import { connectionOf, connectionType, pageArgs, readPageArgs } from './connections.ts';
import { RunConnection, RunFilter, readRunFilter } from './run-list.ts';
import { ParamRef, TaskRef } from './task.ts';

export const PipelineVersionRef = builder.objectRef<PipelineVersion>('PipelineVersion');
export const PipelineRef = builder.objectRef<Pipeline>('Pipeline');
export const PipelineVersionConnection = connectionType<PipelineVersion>(
  'PipelineVersion',
  PipelineVersionRef,
  'versions of a pipeline',
);
export const PipelineConnection = connectionType<Pipeline>('Pipeline', PipelineRef, 'pipelines');

PipelineVersionRef.implement({
  role: 'VIEWER',
  description: 'One immutable state of a pipeline. A run pins one.',
  fields: (t) => ({
    pipelineName: t.exposeString('pipeline', { description: 'The pipeline’s name.' }),
    number: t.exposeInt('number', { description: '1 for the first; only grows.' }),
    description: t.string({
      description: 'What the pipeline does; may be empty.',
      resolve: ({ definition }) => definition.description,
    }),
    pool: t.string({
      description: 'The name of the pool that its runs go to.',
      resolve: ({ definition }) => definition.pool,
    }),
    priority: t.int({
      description: 'Of its runs, unless the trigger says otherwise. Higher goes first.',
      resolve: ({ definition }) => definition.priority,
    }),
    params: t.field({
      type: [ParamRef],
      description: 'What may be handed in when a run is triggered.',
      resolve: ({ definition }) => Object.entries(definition.params).map(([name, param]) => ({ ...param, name })),
    }),
    tasks: t.field({
      type: [TaskRef],
      description: 'Its tasks, in the order in which they were written.',
      resolve: ({ definition }) => [...definition.tasks],
    }),
    definition: t.field({
      type: 'JSON',
      description: 'All of it as data, with every default filled in.',
      resolve: ({ definition }) => definition as never,
    }),
    source: t.exposeString('source', {
      nullable: true,
      description: 'The text as its author wrote it; null when it came as data.',
    }),
    hash: t.exposeString('hash', { description: 'SHA-256 of the canonical definition: equal when nothing changed.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was applied.' }),
    createdBy: t.exposeString('createdBy', { description: 'The name of the token that applied it.' }),
  }),
});

PipelineRef.implement({
  role: 'VIEWER',
  description: 'A named DAG of tasks. Every change makes a new version.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it is called.' }),
    paused: t.exposeBoolean('paused', { description: 'Whether new runs are refused.' }),
    version: t.field({
      type: PipelineVersionRef,
      nullable: true,
      args: { number: t.arg.int({ required: false, description: 'Which one; the latest unless told.' }) },
      description: 'A version of it; null when there is none of this number.',
      resolve: ({ name, latestVersion }, { number }, { loaders }) =>
        loaders.versions.load({ pipeline: name, number: number ?? latestVersion }),
    }),
    latestVersion: t.exposeInt('latestVersion', { description: 'The number of the latest version.' }),
    versions: t.field({
      type: PipelineVersionConnection,
      args: pageArgs(),
      description: 'Its versions, newest first.',
      resolve: ({ name, latestVersion }, args, { ports }) =>
        connectionOf(readPageArgs(args), ports.store.pipelines.versionPage(name, readPageArgs(args)), () =>
          Promise.resolve(latestVersion),
        ),
    }),
    runs: t.field({
      type: RunConnection,
      args: { ...pageArgs(), filter: t.arg({ type: RunFilter, required: false, description: 'Which ones.' }) },
      description: 'Its runs, newest first.',
      resolve: ({ name }, { filter, ...args }, { ports }) => {
        const wanted = { ...readRunFilter(filter), pipeline: name };
        return connectionOf(readPageArgs(args), ports.store.runs.page(readPageArgs(args), wanted), () =>
          ports.store.runs.count(wanted),
        );
      },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was applied for the first time.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was changed last.' }),
  }),
});

const PipelineFilter = builder.inputType('PipelineFilter', {
  description: 'Which pipelines.',
  fields: (t) => ({
    search: t.string({ required: false, description: 'A part of the name; upper and lower case are the same.' }),
  }),
});

builder.queryFields((t) => ({
  pipelines: t.field({
    type: PipelineConnection,
    role: 'VIEWER',
    args: { ...pageArgs(), filter: t.arg({ type: PipelineFilter, required: false, description: 'Which ones.' }) },
    description: 'Pipelines by name.',
    resolve: (_, { filter, ...args }, { ports }) => {
      const wanted = typeof filter?.search === 'string' ? { search: filter.search } : {};
      return connectionOf(readPageArgs(args), ports.store.pipelines.page(readPageArgs(args), wanted), () =>
        ports.store.pipelines.count(wanted),
      );
    },
  }),
  pipeline: t.field({
    type: PipelineRef,
    role: 'VIEWER',
    nullable: true,
    args: { name: t.arg.string({ description: 'What it is called.' }) },
    description: 'One pipeline; null when there is none of this name.',
    resolve: (_, { name }, { loaders }) => loaders.pipelines.load(name),
  }),
}));
