import type { Command, Context } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';
import { styleOfState } from '../output.ts';
import { firstRows, type Page } from '../pages.ts';
import { oneLine } from '../terminal-text.ts';
import { agoText } from '../time-text.ts';
import { amountsText, type NodeView } from './nodes.ts';

interface NodeDetail extends NodeView {
  readonly incarnation: number;
  readonly registeredAt: string;
  readonly taints: readonly { readonly key: string; readonly value: string | null }[];
}
interface NodeRecord {
  readonly at: string;
  readonly type: string;
  readonly incarnation: number;
  readonly actor: string | null;
  readonly message: string | null;
}

export const node: Command = {
  name: 'node',
  summary: 'Shows a node and what has happened to it, newest first.',
  arguments: [{ name: 'node', summary: 'The name of the node.' }],
  options: [{ flags: '--limit <number>', summary: 'How much of its history at most.', default: '20' }],
  examples: [
    { command: 'gantry node local', meaning: 'how it is, when it was lost, who cordoned it and why' },
    { command: 'gantry node local --limit 1000 --json', meaning: 'all that is known' },
  ],
  async run({ arguments: [name = ''], options, context }) {
    const client = context.connect();
    const limit = Number(options.text('limit'));
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new CommandFailure({ code: 'USAGE', message: '--limit must be a whole number from 0.' });
    }
    const { node: found } = await client.ask<{ readonly node: NodeDetail | null }>('node', { name });
    if (found === null) {
      throw new CommandFailure({
        code: 'NODE_NOT_FOUND',
        message: `There is no node ${name}.`,
        remedy: 'gantry nodes lists them.',
      });
    }
    type Data = { readonly node: { readonly history: Page<NodeRecord> } | null };
    const none: Page<NodeRecord> = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
    const listOf = (data: Data): Page<NodeRecord> => data.node?.history ?? none;
    const history = await firstRows<NodeRecord, Data>(client, 'node-history', { name }, listOf, limit);
    context.output.result({ ...found, history }, () => nodeLines(found, history, context));
    return EXIT_CODES.SUCCEEDED.code;
  },
};

function nodeLines(found: NodeDetail, history: readonly NodeRecord[], { output, now }: Context): readonly string[] {
  const table = output.table<NodeRecord>(
    [
      { heading: 'when', value: ({ at }) => at },
      { heading: 'what', value: ({ type }) => type, style: ({ type }) => styleOfState(type) },
      { heading: 'incarnation', value: ({ incarnation }) => incarnation, alignsRight: true },
      { heading: 'by', value: ({ actor }) => actor ?? '' },
      { heading: 'why', value: ({ message }) => message ?? '' },
    ],
    history,
    'Nothing is known of its history.',
  );
  if (output.rendering !== 'HUMAN') return table;
  const { connection, eligibility, labels, taints } = found;
  const states = [connection, eligibility].map((state) => output.styled(styleOfState(state), state)).join(', ');
  const conditions = (found.conditions ?? []).map(({ message }) => oneLine(message));
  const facts: readonly (readonly [string, string])[] = [
    ['node', oneLine(found.name)],
    ['pool', oneLine(found.poolName)],
    // While it is well, the time of its last word is not written down each time.
    ['state', connection === 'READY' ? states : `${states}, heard ${agoText(found.heardAt, now())}`],
    ...conditions.map((condition) => ['', condition] as const),
    ['agent', `${oneLine(found.agentVersion)}, incarnation ${found.incarnation}`],
    ['came', found.registeredAt],
    ['running', String(found.runningCount)],
    ['reserved', oneLine(amountsText(found))],
    ['labels', oneLine(labels.map(({ key, value }) => `${key}=${value}`).join(' '))],
    ...(taints.length === 0 ? [] : [['taints', oneLine(taints.map(taintText).join(' '))] as const]),
    ...found.runners.map((runner, index) => [index === 0 ? 'runners' : '', oneLine(runnerText(runner))] as const),
  ];
  return [...facts.map(([name, value]) => `${output.styled('dim', name.padEnd(9))} ${value}`), '', ...table];
}

const taintText = ({ key, value }: NodeDetail['taints'][number]): string => (value === null ? key : `${key}=${value}`);

function runnerText({ name, version, health, message }: NodeDetail['runners'][number]): string {
  return `${name} ${version} ${health}${message ? `: ${message}` : ''}`;
}
