import type { QueueOverview, ReasonCount } from '../placement/queue-inspection.ts';
import { builder } from './builder.ts';
import { Tier } from './placement.ts';
import { PoolRef } from './pool.ts';
import { ReasonRef } from './vocabulary.ts';

const QueueReasonRef = builder.objectRef<ReasonCount>('QueueReason').implement({
  role: 'VIEWER',
  description: 'How many task runs of a queue wait for the same sort of reason: the same tier, and the same code.',
  fields: (t) => ({
    tier: t.expose('tier', { type: Tier, description: 'The layer that keeps them.' }),
    summary: t.field({
      type: ReasonRef,
      description: 'What keeps the largest kind of task among them; the code is that of all.',
      resolve: ({ summary }) => summary,
    }),
    count: t.exposeInt('count', { description: 'How many they are.' }),
  }),
});

const QueuePipelineRef = builder.objectRef<QueueOverview['pipelines'][number]>('QueuePipeline').implement({
  role: 'VIEWER',
  description: 'How many task runs of a pipeline wait in a queue.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The pipeline’s name.' }),
    count: t.exposeInt('count', { description: 'How many they are.' }),
  }),
});

const QueueOverviewRef = builder.objectRef<QueueOverview>('QueueOverview').implement({
  role: 'VIEWER',
  description: 'What waits in a queue and why, counted.',
  fields: (t) => ({
    reasons: t.field({
      type: [QueueReasonRef],
      description: 'Why they wait, the most frequent first. Kinds of task are looked into from the largest on.',
      resolve: ({ reasons }) => [...reasons],
    }),
    unexplainedCount: t.exposeInt('unexplainedCount', {
      description: 'Task runs of kinds that were not looked into, because there are too many kinds.',
    }),
    pipelines: t.field({
      type: [QueuePipelineRef],
      description: 'The 50 pipelines that most of them are of, the one with the most first.',
      resolve: ({ pipelines }) => [...pipelines],
    }),
  }),
});

builder.objectFields(PoolRef, (t) => ({
  queueOverview: t.field({
    type: QueueOverviewRef,
    nullable: true,
    description: 'What waits and why, counted; null when another server runs the pool.',
    resolve: ({ name }, _, { ports }) => ports.placement.queueOverview(name),
  }),
}));
