import type { Node } from '../domain/node.ts';
import { MAX_RECORD_MESSAGE } from '../domain/node-record.ts';
import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { badInput, resultType, type Refusal } from './errors.ts';
import { NodeRef } from './node-list.ts';
import { nodeNotFound, NodeNotFoundRef, refusalOf } from './run-refusals.ts';

function nodeResult(verb: 'Cordon' | 'Uncordon', done: string) {
  const payload = builder.objectRef<{ readonly node: Node }>(`${verb}NodePayload`).implement({
    role: 'VIEWER',
    description: done,
    fields: (t) => ({ node: t.field({ type: NodeRef, description: 'As it is now.', resolve: ({ node }) => node }) }),
  });
  return builder.unionType(`${verb}NodeResult`, {
    description: `What became of \`${verb.toLowerCase()}Node\`.`,
    types: [payload, NodeNotFoundRef],
    resolveType: resultType(`${verb}NodePayload`),
  });
}

const CordonNodeResult = nodeResult('Cordon', 'The node gets no new work.');
const UncordonNodeResult = nodeResult('Uncordon', 'The node gets work again.');

const NodeNameInput = builder.inputType('NodeNameInput', {
  description: 'Which node, and why.',
  fields: (t) => ({
    name: t.string({ description: 'What it is called.' }),
    message: t.string({
      required: false,
      description: `Why; kept in its history. At most ${MAX_RECORD_MESSAGE.toLocaleString('en')} characters.`,
    }),
  }),
});

async function setCordoned(
  { name, message }: typeof NodeNameInput.$inferInput,
  type: 'CORDON_NODE' | 'UNCORDON_NODE',
  { ports, loaders, viewer }: ApiContext,
): Promise<{ readonly node: Node } | Refusal<'NodeNotFound'>> {
  if ((message?.length ?? 0) > MAX_RECORD_MESSAGE) {
    throw badInput(`\`message\` has at most ${MAX_RECORD_MESSAGE.toLocaleString('en')} characters.`);
  }
  const found = await loaders.nodes.load(name);
  if (found === null) return nodeNotFound(name);
  const { receipt } = await ports.commands.submit(
    found.pool,
    { type, node: name, ...(message?.trim() ? { message } : {}) },
    viewer.name,
  );
  if (!receipt.ok) return refusalOf(receipt, 'NodeNotFound');
  const node = await loaders.nodes.clear(name).load(name);
  return node === null ? nodeNotFound(name) : { node };
}

builder.mutationFields((t) => ({
  cordonNode: t.field({
    type: CordonNodeResult,
    role: 'ADMIN',
    args: { input: t.arg({ type: NodeNameInput, description: 'Which one.' }) },
    description: 'Gives a node no new work. What runs there goes on.',
    resolve: (_, { input }, context) => setCordoned(input, 'CORDON_NODE', context),
  }),
  uncordonNode: t.field({
    type: UncordonNodeResult,
    role: 'ADMIN',
    args: { input: t.arg({ type: NodeNameInput, description: 'Which one.' }) },
    description: 'Gives a node work again.',
    resolve: (_, { input }, context) => setCordoned(input, 'UNCORDON_NODE', context),
  }),
}));
