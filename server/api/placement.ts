import { builder } from './builder.ts';
import type { PlacementExplanation } from './context.ts';
import { ReasonRef } from './vocabulary.ts';

const NodeVerdictRef = builder.objectRef<PlacementExplanation['nodes'][number]>('NodeVerdict').implement({
  role: 'VIEWER',
  description: 'What placement thinks of one node for one task run.',
  fields: (t) => ({
    nodeName: t.exposeString('node', { description: 'The node’s name.' }),
    isFeasible: t.exposeBoolean('isFeasible', { description: 'Whether the task run could go there now.' }),
    refusals: t.field({
      type: [ReasonRef],
      description: 'Why it could not.',
      resolve: ({ refusals }) => [...refusals],
    }),
    score: t.exposeFloat('score', {
      nullable: true,
      description: 'The scheduler’s score, higher is better; null when it gave none.',
    }),
  }),
});

export const PlacementRef = builder.objectRef<PlacementExplanation>('Placement').implement({
  role: 'VIEWER',
  description: 'Why a task run waits, or why it went where it went.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When this was true.' }),
    summary: t.field({ type: ReasonRef, description: 'In a sentence.', resolve: ({ summary }) => summary }),
    nodes: t.field({ type: [NodeVerdictRef], description: 'Node by node.', resolve: ({ nodes }) => [...nodes] }),
  }),
});
