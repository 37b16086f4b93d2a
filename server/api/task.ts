import { placementForm } from '../definition/canonical.ts';
import type { Param } from '../domain/pipeline.ts';
import type { RetryPolicy, Task, Toleration } from '../domain/task.ts';
import { builder } from './builder.ts';
import { amountsOf, enumOf, LabelRef, labelsOf, ResourceAmountRef } from './vocabulary.ts';

const ParamType = enumOf('ParamType', 'What a param may hold.', {
  string: 'Text.',
  integer: 'A whole number.',
  number: 'Any number.',
  boolean: 'True or false.',
  json: 'Any JSON value.',
});

/** A param with its name. */
export interface NamedParam extends Param {
  readonly name: string;
}

export const ParamRef = builder.objectRef<NamedParam>('Param').implement({
  role: 'VIEWER',
  description: 'What may be handed in when a run is triggered.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it is called.' }),
    type: t.field({ type: ParamType, description: 'What it may hold.', resolve: ({ type }) => type }),
    description: t.exposeString('description', { description: 'What it is for; may be empty.' }),
    isRequired: t.boolean({
      description: 'Whether it must be handed in, because it has no default.',
      resolve: (param) => param.default === undefined,
    }),
    default: t.field({
      type: 'JSON',
      nullable: true,
      description: 'Taken when nothing is handed in. Null where the param is required.',
      resolve: (param) => param.default ?? null,
    }),
    options: t.field({
      type: ['JSON'],
      nullable: true,
      description: 'The only values allowed; null when any will do.',
      resolve: ({ options }) => (options ? [...options] : null) as never,
    }),
  }),
});

const Backoff = enumOf('Backoff', 'How the waits between tries grow.', {
  constant: 'They do not.',
  exponential: 'Each is twice the one before, up to the longest.',
});

const RetryPolicyRef = builder.objectRef<RetryPolicy>('RetryPolicy').implement({
  role: 'VIEWER',
  description: 'How often and when a failed task is tried again.',
  fields: (t) => ({
    max: t.exposeInt('max', { description: 'Tries after the first that failures of the task itself may spend.' }),
    backoff: t.field({ type: Backoff, description: 'How the waits grow.', resolve: ({ backoff }) => backoff }),
    delay: t.field({ type: 'Duration', description: 'The first wait.', resolve: ({ delayMs }) => delayMs }),
    maxDelay: t.field({ type: 'Duration', description: 'The longest wait.', resolve: ({ maxDelayMs }) => maxDelayMs }),
  }),
});

const TolerationRef = builder.objectRef<Toleration>('Toleration').implement({
  role: 'VIEWER',
  description: 'A taint that does not keep the task away.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The taint’s key.' }),
    value: t.string({
      nullable: true,
      description: 'The taint’s value; any when null.',
      resolve: ({ value }) => value ?? null,
    }),
  }),
});

export const TaskRef = builder.objectRef<Task>('Task').implement({
  role: 'VIEWER',
  description: 'A step of a pipeline version, with every default filled in.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Its name within the pipeline.' }),
    description: t.exposeString('description', { description: 'What it does; may be empty.' }),
    runner: t.exposeString('runner', { description: 'The runner plugin that executes it.' }),
    with: t.field({ type: 'JSON', description: 'The runner’s config.', resolve: (task) => task.with }),
    env: t.field({
      type: [LabelRef],
      description: 'Environment variables that its author gave it.',
      resolve: ({ env }) => labelsOf(env),
    }),
    idempotent: t.exposeBoolean('idempotent', {
      nullable: true,
      description:
        'Whether it may be done again when nobody knows what an attempt has done, as it or its pipeline says; null ' +
        'where neither does: then its pool says so, or its runner.',
    }),
    needs: t.exposeStringList('needs', { description: 'The tasks that must have succeeded before it.' }),
    forEach: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The list that it fans out over, or the expression that yields it; null when it does not fan out.',
      resolve: ({ forEach }) => forEach,
    }),
    resources: t.field({
      type: [ResourceAmountRef],
      description: 'What one attempt of it is given.',
      resolve: ({ resources }) => amountsOf(resources),
    }),
    nodeSelector: t.field({
      type: [LabelRef],
      description: 'Labels that the node must have.',
      resolve: ({ nodeSelector }) => labelsOf(nodeSelector),
    }),
    tolerations: t.field({
      type: [TolerationRef],
      description: 'Taints that do not keep it away.',
      resolve: ({ tolerations }) => [...tolerations],
    }),
    placement: t.field({
      type: 'JSON',
      nullable: true,
      description: 'Where it may and should run, as its pipeline says under `placement`; null for anywhere.',
      resolve: ({ placement }) => (placement === null ? null : placementForm(placement)),
    }),
    retry: t.field({ type: RetryPolicyRef, description: 'When it is tried again.', resolve: ({ retry }) => retry }),
    timeout: t.field({
      type: 'Duration',
      nullable: true,
      description: 'How long one attempt may take; null for as long as it likes.',
      resolve: ({ timeoutMs }) => timeoutMs,
    }),
    killGrace: t.field({
      type: 'Duration',
      description: 'How long it has between the request to stop and being killed.',
      resolve: ({ killGraceMs }) => killGraceMs,
    }),
    allowFailure: t.exposeBoolean('allowFailure', {
      description: 'Whether its failure is tolerable: it fails neither the run nor what needs it.',
    }),
  }),
});
