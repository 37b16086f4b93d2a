import { payloadOf, type UnionMember } from '../client.ts';
import type { Command, Invocation, Option } from '../command.ts';
import { EXIT_CODES, type ExitCode } from '../exit-code.ts';
import { styleOfState } from '../output.ts';
import { firstRows, type Page } from '../pages.ts';
import { agoText } from '../time-text.ts';

interface Amount {
  readonly name: string;
  readonly quantity: string;
}
/** A node as lists show it. */
export interface NodeView {
  readonly name: string;
  readonly poolName: string;
  readonly connection: string;
  readonly eligibility: string;
  /** What is wrong with it; absent where nobody asked. */
  readonly conditions?: readonly { readonly type: string; readonly message: string }[];
  readonly runningCount: number;
  readonly heardAt: string;
  readonly agentVersion: string;
  readonly labels: readonly { readonly key: string; readonly value: string }[];
  readonly capacity: readonly Amount[];
  readonly reserved: readonly Amount[];
  readonly runners: readonly {
    readonly name: string;
    readonly version: string;
    readonly health: string;
    /** Why it cannot be used. */
    readonly message: string | null;
  }[];
}

export const nodes: Command = {
  name: 'nodes',
  summary: 'Lists nodes: connection, what they have, what is reserved.',
  options: [{ flags: '--pool <name>', summary: 'Only nodes of this pool.' }],
  examples: [{ command: 'gantry nodes', meaning: 'every node' }],
  async run({ options, context }) {
    const { output } = context;
    const pool = options.text('pool');
    const filter = pool === undefined ? {} : { pool };
    type Data = { readonly nodes: Page<NodeView> };
    const found = await firstRows<NodeView, Data>(context.connect(), 'nodes', { filter }, (data) => data.nodes);
    output.result(found, () =>
      output.table<NodeView>(
        [
          { heading: 'node', value: (node) => node.name },
          { heading: 'pool', value: (node) => node.poolName },
          { heading: 'connection', value: (node) => node.connection, style: (node) => styleOfState(node.connection) },
          {
            heading: 'eligibility',
            value: (node) => [node.eligibility, ...(node.conditions ?? []).map(({ type }) => type)].join(', '),
          },
          { heading: 'running', value: (node) => node.runningCount, alignsRight: true },
          { heading: 'reserved / capacity', value: amountsText },
          {
            heading: 'runners',
            value: (node) =>
              node.runners.map(({ name, health }) => (health === 'HEALTHY' ? name : `${name} (${health})`)).join(' '),
          },
          {
            heading: 'heard',
            value: ({ heardAt }) => (output.rendering === 'HUMAN' ? agoText(heardAt, context.now()) : heardAt),
          },
        ],
        found,
        'No nodes.',
      ),
    );
    return EXIT_CODES.SUCCEEDED.code;
  },
};

/** What is held of what there is: `cpu 1/4, slots 0/64`. */
export function amountsText({ capacity, reserved }: NodeView): string {
  const held = new Map(reserved.map(({ name, quantity }) => [name, quantity]));
  return capacity.map(({ name, quantity }) => `${name} ${held.get(name) ?? '0'}/${quantity}`).join(', ');
}

const WHY: Option = { flags: '-m, --message <text>', summary: 'Why; kept in its history.' };

export const cordon: Command = {
  name: 'cordon',
  summary: 'Keeps new work away from a node; what runs there goes on.',
  arguments: [{ name: 'node', summary: 'The name of the node.' }],
  options: [WHY],
  examples: [{ command: "gantry cordon local --message 'a new disk'", meaning: 'before maintenance' }],
  run: (invocation) => setEligibility('cordon', invocation),
};

export const uncordon: Command = {
  name: 'uncordon',
  summary: 'Lets new work go to a node again.',
  arguments: [{ name: 'node', summary: 'The name of the node.' }],
  options: [WHY],
  examples: [{ command: 'gantry uncordon local', meaning: 'after maintenance' }],
  run: (invocation) => setEligibility('uncordon', invocation),
};

async function setEligibility(verb: 'cordon' | 'uncordon', invocation: Invocation): Promise<ExitCode> {
  const { arguments: given, options, context } = invocation;
  const message = options.text('message');
  const input = { name: given[0], ...(message === undefined ? {} : { message }) };
  const answer = await context.connect().ask<Readonly<Record<string, UnionMember>>>(`${verb}-node`, { input });
  const member = answer[`${verb}Node`] ?? { __typename: 'nothing' };
  const payload = verb === 'cordon' ? 'CordonNodePayload' : 'UncordonNodePayload';
  const { node } = payloadOf<UnionMember & { readonly node: NodeView }>(member, payload, 'gantry nodes lists them.');
  context.output.result(node, () => [`${node.name}\t${node.eligibility}`]);
  return EXIT_CODES.SUCCEEDED.code;
}
